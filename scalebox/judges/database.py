"""The file of the store of judges: one SQLite database, opened, checked and laid out.

Answers for: what is opened is ours and whole, or it is refused untouched, with the remedy; several
processes may have it open (WAL); and what SQLite says becomes one of our errors.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from scalebox.errors import JudgeStoreError, UnavailableError

#: In the file's header: "SBxJ".  Other programs' databases have another number, or none.
APPLICATION_ID = 0x5342784A
#: Of the tables below; a file with a higher one is of a later ScaleBox.
LAYOUT = 1
_TABLES = (
    """CREATE TABLE judges (
        hash TEXT PRIMARY KEY,
        title TEXT NOT NULL,
        content BLOB NOT NULL
    )""",
    # A judge that is for any problem has an empty one; ids of problems are never empty.
    """CREATE TABLE records (
        id INTEGER PRIMARY KEY,
        hash TEXT NOT NULL REFERENCES judges,
        problem TEXT NOT NULL,
        version INTEGER NOT NULL,
        state TEXT NOT NULL,
        decided INTEGER NOT NULL DEFAULT 0,
        failed INTEGER NOT NULL DEFAULT 0,
        provenance BLOB NOT NULL,
        proof BLOB,
        UNIQUE (hash, problem)
    )""",
    "CREATE UNIQUE INDEX versions ON records (problem, version) WHERE problem != ''",
    "CREATE UNIQUE INDEX active ON records (problem) WHERE problem != '' AND state = 'active'",
    """CREATE TABLE changes (
        record INTEGER NOT NULL REFERENCES records,
        number INTEGER NOT NULL,
        date TEXT NOT NULL,
        state TEXT NOT NULL,
        reason TEXT NOT NULL,
        decided INTEGER NOT NULL,
        failed INTEGER NOT NULL,
        PRIMARY KEY (record, number)
    ) WITHOUT ROWID""",
)
#: How long one waits for another process that writes.  Those write for milliseconds.
_BUSY_S = 10.0
#: A lookup is made on the event loop, and waits at most so long; it waits for no writer.
_QUICK_BUSY_S = 1.0
#: Every page of a file up to this size is looked at when it is opened: a tenth of a second.
_CHECKED_BYTES = 32 << 20
_JOURNAL_BYTES = 16 << 20
_REMEDY = (
    "move it away (an empty one is made in its place, and `scalebox judges import FOLDER` fills it "
    "from an export), restore it from a copy, or name another file in judges.file"
)
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


def open_database(path: Path) -> tuple[sqlite3.Connection, sqlite3.Connection]:
    """Open the file, and make it if it is not there.

    Returns:
        A connection for all, and one for quick lookups.

    Raises:
        JudgeStoreError: it cannot be made or read, is damaged, or is not ours.
    """
    _make(path)
    with told(path):
        main = _connect(path, _BUSY_S)
        try:
            _check(main, path)
            _lay_out(main)
            return main, _connect(path, _QUICK_BUSY_S)
        except BaseException:
            main.close()
            raise


@contextmanager
def told(path: Path) -> Iterator[None]:
    """What SQLite says inside the block, or what in its rows cannot be, as an error of ours.

    Raises:
        JudgeStoreError: the file is damaged, its disk full, or it cannot be used.
        UnavailableError: another process has been writing to it for long.
    """
    try:
        yield
    except sqlite3.Error as error:
        # The lower byte is the kind; the rest says where in SQLite it was noticed.
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in _BUSY:
            raise UnavailableError(
                f"another process has been writing to the store of judges {path} for long; ask "
                "again"
            ) from error
        if code in _DAMAGE:
            raise damaged(path, str(error)) from error
        if code == sqlite3.SQLITE_FULL:
            raise JudgeStoreError(
                f"no room for the store of judges {path}: No space left on device"
            ) from error
        raise JudgeStoreError(
            f"the store of judges {path} cannot be used: {error}; make the file and its folder "
            "writable for the daemon's user, or name another file in judges.file"
        ) from error
    except (ValueError, TypeError, LookupError) as error:
        # SQLite has no checksums: a row may be whole and hold what nobody wrote.
        raise damaged(path, f"it holds what nobody wrote: {error}") from error


def damaged(path: Path, why: str) -> JudgeStoreError:
    """The error of a file that does not hold what was written, or is something else."""
    return JudgeStoreError(
        f"the store of judges {path} is damaged, or no database at all ({why}): {_REMEDY}"
    )


def _make(path: Path) -> None:
    """An empty file that nobody else can read, unless there is one.

    One that is there is not opened here: closing it would take the locks of other connections of
    this process away (https://www.sqlite.org/howtocorrupt.html, 2.2).
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        regular = stat.S_ISREG(path.stat().st_mode)
    except OSError as error:
        raise JudgeStoreError(
            f"cannot make the store of judges {path}: {error.strerror}; make its folder writable "
            "for the daemon's user, or name another file in judges.file"
        ) from error
    if not regular:
        raise JudgeStoreError(f"the store of judges {path} is no file; name one in judges.file")


def _connect(path: Path, busy_s: float) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=busy_s, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA foreign_keys = ON")
        # What was answered stays, also after a power failure.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA journal_size_limit = {_JOURNAL_BYTES}")
    except BaseException:
        connection.close()
        raise
    return connection


def _check(connection: sqlite3.Connection, path: Path) -> None:
    """Whether a file is ours and whole, or empty; nothing is written to it.

    Raises:
        JudgeStoreError: it is not.
    """
    application, layout, tables = _marks(connection)
    if application != APPLICATION_ID:
        if application or layout or tables:
            raise JudgeStoreError(
                f"{path} is a database of another program; it was left as it is. Name another file "
                "in judges.file, or move that one away"
            )
    elif layout > LAYOUT:
        raise JudgeStoreError(
            f"the store of judges {path} was written by a later ScaleBox (layout {layout}, here "
            f"{LAYOUT}): install that one, or name another file in judges.file"
        )
    elif path.stat().st_size <= _CHECKED_BYTES:
        (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise damaged(path, found)


def _marks(connection: sqlite3.Connection) -> tuple[int, int, int]:
    """The application's number, the layout's, and how many tables there are.

    All of one moment: between two of these questions another process may lay the file out.
    """
    connection.execute("BEGIN")
    try:
        application, layout, tables = (
            connection.execute(question).fetchone()[0]
            for question in (
                "PRAGMA application_id",
                "PRAGMA user_version",
                "SELECT count(*) FROM sqlite_master",
            )
        )
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    return application, layout, tables


def _lay_out(connection: sqlite3.Connection) -> None:
    _in_wal_mode(connection)
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have been faster.
        if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
            for statement in _TABLES:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {LAYOUT}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _in_wal_mode(connection: sqlite3.Connection) -> None:
    """Readers and a writer do not wait for each other.

    Two processes that come to a new file at once can be in each other's way here, where SQLite does
    not wait.
    """
    until = time.monotonic() + _BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in _BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)
