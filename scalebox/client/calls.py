"""Requests of one question and one answer: all but submissions, which `pipeline` carries."""

from __future__ import annotations

import asyncio

from scalebox.client.course import Course, GivenUp, is_worth_repeating, lost
from scalebox.client.daemons import Daemon, Daemons
from scalebox.client.encode import Encoded
from scalebox.client.item import GRACE_S, Parcel, left_of
from scalebox.client.kept import Kept
from scalebox.client.retry import RetryPolicy, is_busy
from scalebox.client.transport import Answer, BrokenConnection, Refusal

#: Wrong token: another daemon may know it.  That there is no such path can be an answer here.
_FATAL_STATUSES = frozenset({401, 403})


class Calls:
    """What the calls of one client share.

    Parameters:
        daemons: with open sessions.
        kept: what this client has registered with some of them.
        policy: when to ask again.
    """

    def __init__(self, daemons: Daemons, kept: Kept, policy: RetryPolicy) -> None:
        self._daemons = daemons
        self._kept = kept
        self._policy = policy

    async def ask(
        self, method: str, path: str, parcel: Parcel | None = None
    ) -> tuple[Daemon, Answer]:
        """Ask until a daemon answers; which one did, and what it said.

        Raises:
            RemoteError: it refused.
            ConnectionFailedError: none answers.
        """
        try:
            async with asyncio.timeout(None) as scope:
                return await self._ask(method, path, parcel, scope)
        except GivenUp as end:
            raise end.error from None
        except TimeoutError:
            raise lost(self._daemons.troubles({}), late=True) from None

    async def _ask(
        self, method: str, path: str, parcel: Parcel | None, scope: asyncio.Timeout
    ) -> tuple[Daemon, Answer]:
        course = Course(self._daemons, self._policy)
        supplied: Daemon | None = None
        ends_at = _end_of(parcel)
        while True:
            scope.reschedule(ends_at)
            daemon = await course.next()
            ends_at = ends_at or _end_of(parcel)
            scope.reschedule(None if ends_at is None else ends_at + GRACE_S)
            body = None if parcel is None else _encoded(parcel, ends_at)
            try:
                return daemon, await _call(daemon, method, path, body)
            except BrokenConnection as trouble:
                course.met(daemon, trouble)
            except Refusal as refusal:
                if is_busy(refusal.status):  # who is asked to wait is not late
                    ends_at = None
                if is_worth_repeating(refusal) or refusal.status in _FATAL_STATUSES:
                    course.met(daemon, refusal)
                    continue
                said = refusal
                if body is not None and supplied is not daemon:
                    supplied = daemon
                    try:
                        if await self._kept.supply(daemon, refusal, body, set()):
                            continue
                    except (BrokenConnection, Refusal) as trouble:
                        if isinstance(trouble, BrokenConnection) or is_worth_repeating(trouble):
                            course.met(daemon, trouble)
                            supplied = None
                            continue
                        said = trouble
                raise said.as_remote_error(self._daemons.name(daemon)) from None


async def _call(daemon: Daemon, method: str, path: str, body: Encoded | None) -> Answer:
    if body is None:
        return await daemon.transport.call(method, path)
    return await daemon.transport.call(method, path, body.data, body.content_type)


def _end_of(parcel: Parcel | None) -> float | None:
    if parcel is None or parcel.deadline_s is None:
        return None
    return asyncio.get_running_loop().time() + parcel.deadline_s


def _encoded(parcel: Parcel, ends_at: float | None) -> Encoded:
    if ends_at is None or parcel.deadline_s is None or parcel.again is None:
        return parcel.encoded
    return parcel.again(left_of(ends_at))
