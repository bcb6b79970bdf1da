"""A submission on its way: its bytes, whom to tell of the answer, and how long it may take.

`deadline_s` is a promise about the whole way.  Its clock starts when the submission is first sent,
goes on when it is sent to the next daemon, which is given what is left, and starts anew where a
daemon was too busy to take it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import msgspec

from scalebox.client.daemons import Daemon
from scalebox.client.encode import Encoded, Encoder
from scalebox.client.kept import Key
from scalebox.errors import ScaleboxError
from scalebox.model import Report, RunRequest, Submission

#: A daemon that is at work on something whose deadline is over says so in its report; for that one
#: it is waited for a little longer.
GRACE_S = 5.0
#: A daemon answers also what it has no time for, with what it did until then.
_LEAST_S = 0.001
#: What passes before the first daemon has it is not worth another encoding.
_UNNOTICED_S = 0.05


@dataclass(frozen=True, slots=True)
class Parcel:
    """A submission as it is sent.

    Attributes:
        encoded: its bytes.
        names: problems and judges that the client has registered and this goes by.
        deadline_s: of the whole way; None: it has time.
        again: the same with another deadline, if it has one.
    """

    encoded: Encoded
    names: tuple[Key, ...] = ()
    deadline_s: float | None = None
    again: Callable[[float], Encoded] | None = None


def parcel_of(
    request: Submission | RunRequest, encoder: Encoder, names: tuple[Key, ...] = ()
) -> Parcel:
    """What is sent of a request.

    Raises:
        BadRequestError: it holds something that cannot be sent.
    """
    encoded = encoder.encode(request)
    if request.deadline_s is None:
        return Parcel(encoded, names)

    def again(left_s: float) -> Encoded:
        return encoder.encode(msgspec.structs.replace(request, deadline_s=left_s))

    return Parcel(encoded, names, request.deadline_s, again)


class Carrier(Protocol):
    """The request that carries an item."""

    def lose_interest(self) -> None:
        """Nobody waits any more for one of its answers."""
        ...


class Item:
    """One of them.

    Attributes:
        index: the caller's number for it.
        payload: its bytes.
        content_type: what they are.
        size: how many bytes there were at first.
        names: as in `Parcel`.
        abandoned: nobody waits for the answer any more.
        answered: it is there.
        batch: the request that carries it now.
        at: the daemon that it is at now.
        supplied_by: the daemon that was last given what it lacked for this.
        expires_at: when the deadline is over (the event loop's clock), once it is on its way.
        timer: what happens then.
    """

    __slots__ = (
        "_again",
        "_deadline_s",
        "_deliver",
        "_sent_s",
        "abandoned",
        "answered",
        "at",
        "batch",
        "content_type",
        "expires_at",
        "index",
        "names",
        "payload",
        "size",
        "supplied_by",
        "timer",
    )

    def __init__(self, index: int, parcel: Parcel, deliver: Deliver) -> None:
        self.index = index
        self.payload = parcel.encoded.data
        self.content_type = parcel.encoded.content_type
        self.size = len(self.payload)
        self.names = parcel.names
        self.abandoned = False
        self.answered = False
        self.batch: Carrier | None = None
        self.at: Daemon | None = None
        self.supplied_by: Daemon | None = None
        self.expires_at: float | None = None
        self.timer: asyncio.TimerHandle | None = None
        self._deliver = deliver
        self._deadline_s = parcel.deadline_s
        self._sent_s = parcel.deadline_s
        self._again = parcel.again

    @property
    def has_deadline(self) -> bool:
        """Whether its time is bounded."""
        return self._deadline_s is not None

    def answer(self, outcome: Report | ScaleboxError, *, fatal: bool = False) -> None:
        """Deliver a report or an error, unless nobody waits for it.

        Parameters:
            fatal: the error is about the daemons as a whole instead of this submission.
        """
        self.stop_clock()
        self.answered = True
        if not self.abandoned:
            self._deliver(self, outcome, fatal)

    def abandon(self) -> None:
        """Forget it; a request whose items are all forgotten is broken off."""
        self.stop_clock()
        self.abandoned = True
        self.payload = b""
        if self.batch is not None:
            self.batch.lose_interest()

    def start_clock(self, now: float) -> bool:
        """It is on its way.  Returns whether the clock was started by this."""
        if self._deadline_s is None or self.expires_at is not None:
            return False
        self.expires_at = now + self._deadline_s
        return True

    def stop_clock(self) -> None:
        """Its time no longer passes."""
        self.expires_at = None
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def take_time_off(self) -> None:
        """What is sent next has what is left of the deadline."""
        if self.expires_at is None or self._sent_s is None or self._again is None:
            return
        left_s = left_of(self.expires_at)
        if abs(self._sent_s - left_s) > _UNNOTICED_S:
            self._sent_s = left_s
            self.payload = self._again(left_s).data


def left_of(ends_at: float) -> float:
    """What is left of a deadline, in seconds; always something.

    Parameters:
        ends_at: when it is over (the event loop's clock).
    """
    return max(_LEAST_S, ends_at - asyncio.get_running_loop().time())


#: Called with the item, a report or an error, and whether the error is about the daemons as a whole
#: (lost, wrong token) instead of this submission.
Deliver = Callable[[Item, Report | ScaleboxError, bool], None]
