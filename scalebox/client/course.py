"""The course of one piece of work over the daemons: who is asked next, and when to give up.

What a daemon says about the work itself ends its course and is the caller's matter; here are
connections that break, daemons that are busy, fail, or want nothing of this client.
"""

from __future__ import annotations

import asyncio

from scalebox.client.daemons import Daemon, Daemons, Trouble
from scalebox.client.retry import Patience, RetryPolicy, is_busy, is_transient
from scalebox.client.transport import BrokenConnection, Refusal
from scalebox.errors import ConnectionFailedError, RemoteError, ScaleboxError

#: Answers that condemn the session rather than one request: wrong token, no such API.
_FATAL_STATUSES = frozenset({401, 403, 405, 406, 415})


class GivenUp(Exception):
    """No daemon took the work, after all retries.

    Attributes:
        error: what the user sees.
        fatal: whether it is about the daemons as a whole instead of this work.
    """

    def __init__(self, error: ScaleboxError, *, fatal: bool) -> None:
        super().__init__(str(error))
        self.error = error
        self.fatal = fatal


class Course:
    """The state of one piece of work.

    Each round asks every daemon that takes work, one after the other; between rounds is a pause,
    and their number is what the policy bounds.  After a connection that broke the same daemon is
    asked once more, if it turns out to be well: it still has the work.
    """

    __slots__ = ("_broken_once", "_daemons", "_patience", "_tried")

    def __init__(self, daemons: Daemons, policy: RetryPolicy) -> None:
        self._daemons = daemons
        self._patience = Patience(policy)
        self._tried: dict[Daemon, Trouble] = {}
        self._broken_once: set[Daemon] = set()

    async def next(self) -> Daemon:
        """Who is to be asked now; waits where nobody takes work.

        Raises:
            GivenUp: nobody did for too long.
        """
        while (daemon := await self._daemons.choose(self._tried)) is None:
            await asyncio.sleep(self._pause_s())
            self._tried.clear()
            self._broken_once.clear()
        return daemon

    def progress(self) -> None:
        """An answer came: earlier trouble no longer counts."""
        self._patience.progress()
        self._tried.clear()
        self._broken_once.clear()

    def met(self, daemon: Daemon, trouble: Trouble) -> None:
        """The daemon that was asked did not answer, or with a refusal that does not `end` it."""
        if isinstance(trouble, BrokenConnection):
            self._daemons.broke(daemon, trouble)
            if self._daemons.several and daemon not in self._broken_once:
                self._broken_once.add(daemon)
                return
        elif trouble.status == 429:
            self._daemons.is_busy(daemon, trouble)
        elif trouble.status >= 500:
            self._daemons.broke(daemon, trouble)
        elif condemns_the_session(trouble):
            self._daemons.wants_nothing(daemon, trouble)
        self._tried[daemon] = trouble

    def _pause_s(self) -> float:
        troubles = self._daemons.troubles(self._tried)
        refusals = [trouble for trouble in troubles.values() if isinstance(trouble, Refusal)]
        busy = [refusal.retry_after_s for refusal in refusals if is_busy(refusal.status)]
        if len(refusals) == len(troubles) and all(map(condemns_the_session, refusals)):
            raise GivenUp(self._refused(refusals), fatal=True)
        if busy:
            asked_s = [seconds for seconds in busy if seconds is not None]
            delay_s = self._patience.busy(min(asked_s) if len(asked_s) == len(busy) else None)
        else:
            delay_s = self._patience.failed()
        if delay_s is not None:
            return delay_s
        if len(refusals) == len(troubles):
            raise GivenUp(self._refused(refusals), fatal=False)
        raise GivenUp(lost(troubles, attempts=self._patience.failures), fatal=True)

    def _refused(self, refusals: list[Refusal]) -> RemoteError:
        error = refusals[0].as_remote_error()
        if not self._daemons.several:
            return error
        said = "; ".join(
            f"{daemon}: {refusal}"
            for daemon, refusal in zip(self._daemons.all, refusals, strict=True)
        )
        return RemoteError(
            f"none of the daemons takes this: {said}",
            code=error.code,
            http_status=error.http_status,
            field=error.field,
            retry_after_s=error.retry_after_s,
        )


def lost(
    troubles: dict[Daemon, Trouble | None], *, attempts: int = 0, late: bool = False
) -> ConnectionFailedError:
    """The error for daemons that stayed away.

    Parameters:
        troubles: why each did.
        attempts: how often they were tried; 0: that does not matter.
        late: the deadline of a submission is what ended it.
    """
    where = ", ".join(
        str(daemon) if trouble is None else f"{daemon} ({trouble})"
        for daemon, trouble in troubles.items()
    )
    tried = f"; tried {attempts} time(s)" if attempts else ""
    when = " before the submission's deadline" if late else ""
    return ConnectionFailedError(
        f"no scaleboxd answers at {where}{when}{tried}. Start one with `scaleboxd`, or give the "
        "address of one that runs"
    )


def is_worth_repeating(refusal: Refusal) -> bool:
    """Whether a refusal says nothing about what was asked, so that asking again may help."""
    return is_busy(refusal.status) or is_transient(refusal.status)


def condemns_the_session(refusal: Refusal) -> bool:
    """Whether this daemon will refuse whatever this client asks."""
    # A 404 without our own error body: something else listens there.
    return refusal.status in _FATAL_STATUSES or (
        refusal.status == 404 and refusal.body.error == "http_error"
    )
