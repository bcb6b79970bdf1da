"""Judges of the store at work: how each does is counted in memory, and one that fails too often is
taken out at once.

Nothing here waits for a disk: the counts are taken from time to time by `Catalogue`, which has them
written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from scalebox.judges.rows import Row
from scalebox.judges.states import QUARANTINABLE
from scalebox.judges.store import Count
from scalebox.model import JudgeState, JudgeStateChange

#: Of a judge's last words, so much is kept.
_LONGEST_WORDS = 300


@dataclass(frozen=True, slots=True)
class Threshold:
    """From when on a judge has failed too often.

    Attributes:
        failures: at least so many.
        rate: and at least this share of what it was asked.
    """

    failures: int
    rate: float

    def reached(self, decided: int, failed: int) -> bool:
        """Whether these are too many."""
        return failed >= self.failures and failed >= self.rate * (decided + failed)


class Serving:
    """One record of the store, at work; a `model.JudgeInService`.

    Parameters:
        row: the record, as it is now.
        last: how it came to its state.
        threshold: from when on it is taken out.
        touched: called with this when there is something to be written; `urgent` says whether soon.

    Attributes:
        id: of the record.
        taken_out: why it is not to be asked; empty: it is.
    """

    __slots__ = (
        "__weakref__", "_decided", "_failed", "_name", "_new_decided", "_new_failed",
        "_quarantine", "_state", "_threshold", "_touched", "id", "taken_out",
    )  # fmt: skip

    def __init__(
        self,
        row: Row,
        last: JudgeStateChange,
        threshold: Threshold,
        touched: Callable[[Serving, bool], None],
    ) -> None:
        self._threshold = threshold
        self._touched = touched
        self._new_decided = self._new_failed = 0
        self._quarantine = ""
        self.id = row.id
        self.refresh(row, last)

    def refresh(self, row: Row, last: JudgeStateChange | None = None) -> None:
        """The record is so now.

        Parameters:
            last: how it came to its state; None: as before, if it is the same.
        """
        self._name = row.name
        self._state = JudgeState(row.state)
        self._decided, self._failed = row.decided, row.failed
        if self._quarantine:
            return  # decided here, and not written yet
        if self._state is not JudgeState.QUARANTINED:
            self.taken_out = ""
        elif last is not None:
            self.taken_out = _out_of_service(row.name, f"since {last.date}", last.reason)
        elif not self.taken_out:
            self.taken_out = _out_of_service(row.name, "as of now", "by another daemon")

    def decided(self) -> None:
        """It has accepted or rejected an output."""
        self._new_decided += 1
        self._touched(self, False)

    def failed(self, words: str) -> None:
        """It could not decide, for reasons of its own."""
        self._new_failed += 1
        decided, failed = self._decided + self._new_decided, self._failed + self._new_failed
        if (
            not self.taken_out
            and self._state in QUARANTINABLE
            and self._threshold.reached(decided, failed)
        ):
            self._quarantine = (
                f"it failed {failed} of {decided + failed} times; at last: {words[:_LONGEST_WORDS]}"
            )
            self.taken_out = _out_of_service(self._name, "as of now", self._quarantine)
        self._touched(self, bool(self._quarantine))

    def take(self) -> Count:
        """What is to be written; it is, or comes back by `give_back`."""
        count = Count(self.id, self._new_decided, self._new_failed, self._quarantine)
        self._decided += self._new_decided
        self._failed += self._new_failed
        self._new_decided = self._new_failed = 0
        return count

    def give_back(self, count: Count) -> None:
        """It could not be written."""
        self._decided -= count.decided
        self._failed -= count.failed
        self._new_decided += count.decided
        self._new_failed += count.failed

    def written(self, count: Count, row: Row | None = None) -> None:
        """It was, or will be.

        Parameters:
            row: the record, as it is now; None: that is not known.
        """
        if self._quarantine == count.quarantine:
            self._quarantine = ""
        if row is not None:
            self.refresh(row)


def _out_of_service(name: str, when: str, reason: str) -> str:
    return f"the judge {name} is out of service {when} (quarantined): {reason}"
