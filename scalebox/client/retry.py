"""How long to wait before asking a daemon again, and when to give up.

Pure bookkeeping, without a socket.  Two kinds of trouble are counted apart: a daemon that cannot
be reached or that breaks off is given a number of attempts; one that answers "busy" is healthy and
is given time instead.
"""

from __future__ import annotations

import email.utils
import random
import time
from dataclasses import dataclass

from scalebox import errors

#: The daemon asks for at most this much patience at once; a larger Retry-After is cut to it, so
#: that a wrong clock or a proxy's default cannot stop a training run for an hour.
MAX_RETRY_AFTER_S = 60.0


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When to ask again.

    Attributes:
        retries: attempts after the first that may fail in a row (connection refused or broken,
            500, 502, 504) without one answer in between.  The default waits about a quarter of a
            minute altogether: a daemon's restart.
        first_delay_s, max_delay_s: the delay doubles from the first to the second.
        busy_timeout_s: how long a daemon may go on answering 429 or 503 without one other answer.
    """

    retries: int = 8
    first_delay_s: float = 0.1
    max_delay_s: float = 10.0
    busy_timeout_s: float = 600.0


class Patience:
    """The state of one piece of work that is being retried."""

    __slots__ = ("_busy_since", "_policy", "failures", "refusals")

    def __init__(self, policy: RetryPolicy) -> None:
        self._policy = policy
        self._busy_since: float | None = None
        self.failures = 0
        self.refusals = 0

    def progress(self) -> None:
        """An answer came: earlier trouble no longer counts."""
        self.failures = 0
        self.refusals = 0
        self._busy_since = None

    def failed(self) -> float | None:
        """The connection failed.  Returns seconds to wait, or None: give up."""
        self.failures += 1
        if self.failures > self._policy.retries:
            return None
        return self._jitter(self.failures)

    def busy(self, retry_after_s: float | None) -> float | None:
        """The daemon was busy.  Returns seconds to wait, or None: give up.

        Parameters:
            retry_after_s: what the daemon asked for, if anything; never waits less.
        """
        now = time.monotonic()
        self._busy_since = now if self._busy_since is None else self._busy_since
        self.refusals += 1
        if now - self._busy_since >= self._policy.busy_timeout_s:
            return None
        if retry_after_s is None:
            return self._jitter(self.refusals)
        # All clients were told the same number; spread them over a quarter of it.
        return min(retry_after_s, MAX_RETRY_AFTER_S) * random.uniform(1.0, 1.25)

    def _jitter(self, count: int) -> float:
        ceiling = min(
            self._policy.max_delay_s, self._policy.first_delay_s * 2.0 ** min(count - 1, 32)
        )
        return random.uniform(ceiling / 4, ceiling)


def parse_retry_after(value: str | None) -> float | None:
    """Seconds from a Retry-After header (RFC 9110 §10.2.3: seconds or a date); None if absent."""
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError):
        return None


def _statuses() -> dict[str, int]:
    found = {}
    for value in vars(errors).values():
        if isinstance(value, type) and issubclass(value, errors.ScaleboxError):
            found[value.code] = value.http_status
    return found


_STATUS_OF_CODE = _statuses()


def status_of_code(code: str) -> int:
    """The HTTP status that belongs to an error code inside a batch's answer (400 if unknown)."""
    return _STATUS_OF_CODE.get(code, 400)


def is_busy(http_status: int) -> bool:
    """The daemon is well, but not now."""
    return http_status in (429, 503)


def is_transient(http_status: int) -> bool:
    """Asking again may help, though something failed."""
    return http_status in (408, 500, 502, 504)
