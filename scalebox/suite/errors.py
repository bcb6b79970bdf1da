"""What stops an evaluation: each says what was wrong, where, and what to do."""

from __future__ import annotations

from scalebox.errors import ScaleboxError


class SuiteError(ScaleboxError):
    """A configuration, a data set, a file of samples or a run is not as it must be."""

    code = "suite"
    http_status = 400


class EndpointError(SuiteError):
    """A model's endpoint refused for good, or failed for longer than the configuration waits."""

    code = "endpoint"


class IncompleteError(SuiteError):
    """Samples are missing or could not be judged: there is no number yet."""

    code = "incomplete"
