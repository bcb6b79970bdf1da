"""A run that waits or is at it, and the slot that it is at: what the scheduler works with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from scalebox.sandbox.spec import RunOutcome, RunSpec

#: Compilations go before cases of the same client: the cases wait for them.
COMPILE_PRIORITY = 1_000
#: Judging goes before both: an output is held until it is judged.
JUDGE_PRIORITY = 2_000


class RunsPrograms(Protocol):
    """What the scheduler needs of a slot."""

    index: int
    #: Why it died, if it did.
    failure: str

    def run(self, spec: RunSpec, done: Callable[[RunOutcome | None], None]) -> None:
        """Start a run; `done` comes once, later.  Raises if it cannot, and is idle then."""

    def cancel(self) -> None:
        """Stop the run at hand; `done` still comes."""

    def kill(self, reason: str) -> None:
        """Give the slot up: it is replaced."""


class Job:
    """One run that waits or is at it.

    Parameters:
        client: whose it is, for fairness.
        priority: higher goes first among the client's own.
        memory_bytes: what the run may use.
        make: gives the spec when a slot is there; not called if cancelled before.
        done: called once with the outcome, or None if the slot died or the run could not be made
            (then `error` says why); never after `cancel`.
        age: from `Scheduler.next_age`, for jobs that belong together; 0: as old as it is queued.
        alone: whether no other run may be at its side, if that can be afforded.

    Attributes:
        guest: a job that starts together with this one, in another slot; never queued itself.
        alone: afterwards: whether none was.
        alone_until: when it has waited enough for that; 0: it was not put off.
        avoid: index of a slot that failed it, if another one can be had.
        error: why it could not be made.
        failure: why its slot died.
    """

    __slots__ = (
        "age", "alone", "alone_until", "avoid", "cancelled", "charged_s", "client", "done", "error",
        "failure", "guest", "hold", "make", "memory_bytes", "priority", "slot",
    )  # fmt: skip

    def __init__(
        self,
        client: str,
        priority: int,
        memory_bytes: int,
        make: Callable[[], RunSpec],
        done: Callable[[RunOutcome | None], None],
        *,
        age: int = 0,
        alone: bool = False,
    ) -> None:
        self.client = client
        self.priority = priority
        self.memory_bytes = memory_bytes
        self.make: Callable[[], RunSpec] | None = make
        self.done: Callable[[RunOutcome | None], None] | None = done
        self.age = age
        self.alone = alone
        self.alone_until = 0.0
        self.guest: Job | None = None
        self.avoid = -1
        self.cancelled = False
        self.charged_s = 0.0
        self.error: Exception | None = None
        self.failure = ""
        self.hold = -1
        self.slot: RunsPrograms | None = None

    @property
    def reason(self) -> str:
        """Why there is no outcome."""
        if self.error is not None:
            return str(self.error) or type(self.error).__name__
        return f"its slot died: {self.failure}" if self.failure else "its slot died"

    def let_go(self) -> None:
        """Drop what the callbacks hold (test data); it must not wait for the job's turn."""
        self.make = self.done = None
