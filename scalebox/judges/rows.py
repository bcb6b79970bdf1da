"""Records of the store as rows: which one a name means, and how one changes in a transaction."""

from __future__ import annotations

import datetime
import sqlite3
from typing import NamedTuple

from scalebox.errors import BadRequestError, UnknownJudgeError
from scalebox.judges.names import StoreName, name_of
from scalebox.model import JudgeState, JudgeStateChange

#: Of the history of one judge so much is kept: its beginning, and the latest.
MAX_CHANGES = 100
#: Of several that a name means, so many are told.
_NAMED = 5
_COLUMNS = "id, hash, problem, version, state, decided, failed"
#: As the indices have it, which know only those that are for a problem.
_OF_PROBLEM = "problem != '' AND problem = ?"
#: Of several records of one judge, the one that is trusted most comes first.
_TRUSTED = "CASE state " + " ".join(
    f"WHEN '{state}' THEN {rank}"
    for rank, state in enumerate(("active", "proven", "candidate", "quarantined", "retired"))
) + " END"  # fmt: skip


class Row(NamedTuple):
    """A record, but for what is large in it; `problem` is empty where it is for any."""

    id: int
    hash: str
    problem: str
    version: int
    state: str
    decided: int
    failed: int

    @property
    def name(self) -> str:
        """What means this one alone."""
        return name_of(self.hash, self.problem, self.version)


def find(db: sqlite3.Connection, name: StoreName, *, latest: bool = False) -> Row:
    """The record that a name means.

    Parameters:
        latest: whether the id of a problem that has no active judge means its latest one.

    Raises:
        UnknownJudgeError: there is none.
    """
    if name.hash:
        # One that is for any problem has no other name.
        order = f"problem != '', {_TRUSTED}, id DESC"
        rows = _rows(db, f"hash = ? ORDER BY {order} LIMIT 1", name.hash)
    elif name.version:
        rows = _rows(db, f"{_OF_PROBLEM} AND version = ?", name.problem, name.version)
    else:
        rows = _of_problem(db, name.problem, latest=latest)
    if not rows:
        raise UnknownJudgeError(_why_none(db, name), field="name")
    return rows[0]


def _of_problem(db: sqlite3.Connection, problem: str, *, latest: bool) -> list[Row]:
    """Its active judge; else the one that was until it was quarantined."""
    active = _rows(db, f"{_OF_PROBLEM} AND state = 'active'", problem)
    if active:
        return active
    for row in _rows(db, f"{_OF_PROBLEM} AND state = 'quarantined' ORDER BY id DESC", problem):
        if history(db, row, 2)[0].state is JudgeState.ACTIVE:
            return [row]
    return _rows(db, f"{_OF_PROBLEM} ORDER BY version DESC LIMIT 1", problem) if latest else []


def _why_none(db: sqlite3.Connection, name: StoreName) -> str:
    if not name.hash and not name.version:
        counts = db.execute(
            f"SELECT state, count(*) FROM records WHERE {_OF_PROBLEM} GROUP BY state",
            (name.problem,),
        ).fetchall()
        if counts:
            there = ", ".join(f"{count} {state}" for state, count in sorted(counts))
            return (
                f"no judge is active for the problem {name.problem} (of its judges: {there}); one "
                f"that is not is named as {name}#VERSION"
            )
    return f"no judge {name} is in the store"


def only(db: sqlite3.Connection, name: StoreName) -> Row:
    """The one record of a hash, or of several the one that is for any problem.

    Raises:
        UnknownJudgeError: there is none.
        BadRequestError: it is registered for several problems.
    """
    rows = _rows(db, f"hash = ? ORDER BY problem, id LIMIT {_NAMED + 1}", name.hash)
    if not rows:
        raise UnknownJudgeError(_why_none(db, name), field="name")
    if len(rows) > 1 and rows[0].problem:
        names = [row.name for row in rows[:_NAMED]] + ["…"] * (len(rows) > _NAMED)
        raise BadRequestError(
            f"{name} is registered for several problems; name one of them: {', '.join(names)}",
            field="name",
        )
    return rows[0]


def _rows(db: sqlite3.Connection, condition: str, *values: str | int) -> list[Row]:
    found = db.execute(f"SELECT {_COLUMNS} FROM records WHERE {condition}", values)
    return [Row(*columns) for columns in found]


def by_id(db: sqlite3.Connection, id: int) -> Row:
    """The record of that number, which is there."""
    (row,) = _rows(db, "id = ?", id)
    return row


def same(db: sqlite3.Connection, digest: str, problem: str) -> Row | None:
    """The record of this judge for this problem, if there is one."""
    rows = _rows(db, "hash = ? AND problem = ?", digest, problem)
    return rows[0] if rows else None


def content(db: sqlite3.Connection, row: Row) -> bytes:
    """The judge of a record, encoded, as the file has it."""
    encoded: bytes
    (encoded,) = db.execute("SELECT content FROM judges WHERE hash = ?", (row.hash,)).fetchone()
    return encoded


def history(db: sqlite3.Connection, row: Row, latest: int) -> list[JudgeStateChange]:
    """The latest changes of a record, oldest first."""
    found = db.execute(
        "SELECT date, state, reason, decided, failed FROM changes WHERE record = ? "
        "ORDER BY number DESC LIMIT ?",
        (row.id, latest),
    ).fetchall()
    return [
        JudgeStateChange(
            date=date, state=JudgeState(state), reason=reason, decided=decided, failed=failed
        )
        for date, state, reason, decided, failed in reversed(found)
    ]


def next_version(db: sqlite3.Connection, problem: str) -> int:
    """Of a new judge.  Those that are for any problem are no versions of each other."""
    if not problem:
        return 1
    version: int
    (version,) = db.execute(
        f"SELECT coalesce(max(version), 0) + 1 FROM records WHERE {_OF_PROBLEM}", (problem,)
    ).fetchone()
    return version


def retire_active(db: sqlite3.Connection, problem: str, reason: str) -> None:
    """Make room for another active judge of a problem."""
    if problem:
        for former in _rows(db, f"{_OF_PROBLEM} AND state = 'active'", problem):
            set_state(db, former, JudgeState.RETIRED, reason)


def set_state(db: sqlite3.Connection, row: Row, state: JudgeState, reason: str) -> None:
    """Give a record another state, and note it.  What becomes active begins to count anew."""
    db.execute("UPDATE records SET state = ? WHERE id = ?", (state.value, row.id))
    if state is JudgeState.ACTIVE:
        db.execute("UPDATE records SET decided = 0, failed = 0 WHERE id = ?", (row.id,))
    note(db, row, state, reason, now())


def note(db: sqlite3.Connection, row: Row, state: JudgeState, reason: str, date: str) -> None:
    """Add a change to the history of a record, which keeps its first and its latest ones."""
    number: int
    (number,) = db.execute(
        "SELECT coalesce(max(number), 0) + 1 FROM changes WHERE record = ?", (row.id,)
    ).fetchone()
    db.execute(
        "INSERT INTO changes VALUES (?, ?, ?, ?, ?, ?, ?)",
        (row.id, number, date, state.value, reason, row.decided, row.failed),
    )
    db.execute(
        "DELETE FROM changes WHERE record = ? AND number > 1 AND number <= ?",
        (row.id, number - MAX_CHANGES + 1),
    )


def now() -> str:
    """The date, as the store writes it."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
