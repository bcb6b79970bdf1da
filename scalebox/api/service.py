"""What the API needs from the engine: the one protocol between the two rooms.

The daemon hands in the real engine; tests hand in a small one.  Nothing else of the engine is used
by the API, apart from the two stores that this protocol names; judges by name are behind a protocol
of `model`.
"""

from __future__ import annotations

from typing import Protocol

from scalebox.engine.blobs import BlobStore
from scalebox.engine.problems import ProblemRegistry
from scalebox.model import (
    ClusterView,
    JudgeDirectory,
    LanguageInfo,
    LanguageTest,
    Problem,
    Report,
    RunRequest,
    RunResult,
    Status,
    StorableJudge,
    Submission,
)


class EngineService(Protocol):
    """An engine as the API sees it.

    Attributes:
        blobs: uploaded test data.
        problems: registered problems.
        directory: judges by name.
    """

    @property
    def blobs(self) -> BlobStore: ...

    @property
    def problems(self) -> ProblemRegistry: ...

    @property
    def directory(self) -> JudgeDirectory: ...

    async def judge(self, submission: Submission, *, client: str) -> Report:
        """Judge one submission; cancelling the call drops the work.

        Parameters:
            submission: well-formed; everything beyond its form is the engine's to check.
            client: who asks, for fairness.

        Raises:
            ScaleboxError: a refusal (`QueueFullError`, `UnknownLanguageError`, `TooLargeError`…).
        """
        ...

    async def run(self, request: RunRequest, *, client: str) -> RunResult:
        """Run one program without judging; otherwise as `judge`."""
        ...

    def status(self) -> Status:
        """A snapshot; cheap enough to be asked for on every probe."""
        ...

    def cluster(self) -> ClusterView:
        """This daemon and the others that it knows."""
        ...

    def languages(self) -> list[LanguageInfo]:
        """Every configured language, available here or not."""
        ...

    def language_tests(self) -> list[LanguageTest]:
        """Submissions that show whether the languages that are here work."""
        ...

    def check_problem(self, problem: Problem) -> None:
        """Whether the judges that a problem names are here.

        Raises:
            BadRequestError: one is not, or cannot have a parameter.
        """
        ...

    def check_judge(self, judge: StorableJudge) -> None:
        """Whether a judge that is to be kept can be run here.

        Raises:
            BadRequestError: it cannot; the error names the field.
        """
        ...
