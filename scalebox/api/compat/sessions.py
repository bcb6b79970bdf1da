"""Sessions that are run again: which cells each has had, in bounded memory.

A session that is pushed out, or that has become too long, is forgotten; whoever goes on with it is
told that it is new.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator
from typing import NamedTuple

from scalebox.errors import TooLargeError

MAX_SESSIONS = 10_000
#: Of all sessions together.
MAX_CHARACTERS = 64 << 20
#: Of one: what it costs to go on with it grows with every cell.
MAX_CELLS = 200
MAX_SESSION_CHARACTERS = 1 << 20
#: Of its name.
MAX_NAME = 200


class Kept(NamedTuple):
    """A cell that a session has run, and whether it ended `ok` or with an `error`."""

    text: str
    ending: str


class Session:
    """One session.

    Attributes:
        name: its client's.
        cells: what it has run, in order.
        known: whether its client knows what it holds: else it is told that the session is new.
        created_s, used_s: seconds since the epoch.
        size: characters of its cells.
    """

    def __init__(self, key: tuple[str, str]) -> None:
        self.key = key
        self.name = key[1]
        self.cells: list[Kept] = []
        self.known = False
        self.created_s = self.used_s = time.time()
        self.size = 0
        self.turn = asyncio.Lock()
        self.users = 0


class Sessions:
    """All of them, least recently used first."""

    def __init__(self) -> None:
        self._all: OrderedDict[tuple[str, str], Session] = OrderedDict()
        self._size = 0

    @contextlib.asynccontextmanager
    async def using(self, client: str, name: str) -> AsyncIterator[Session]:
        """A session, made if it is not there; one call at a time has it.

        Raises:
            TooLargeError: the name is too long.
        """
        if len(name) > MAX_NAME:
            raise TooLargeError(f"a session's name has at most {MAX_NAME} characters")
        key = (client, name)
        session = self._all.setdefault(key, Session(key))
        session.users += 1
        try:
            async with session.turn:
                session.used_s = time.time()
                if key in self._all:
                    self._all.move_to_end(key)
                yield session
        finally:
            session.users -= 1
            self._make_room()

    def check_room(self, session: Session, cell: str) -> None:
        """Whether a session can have another cell.

        Raises:
            TooLargeError: it has had too many, or they are too long.
        """
        if len(session.cells) >= MAX_CELLS or session.size + len(cell) > MAX_SESSION_CHARACTERS:
            raise TooLargeError(
                f"RuntimeError: a session has at most {MAX_CELLS} cells, of at most "
                f"{MAX_SESSION_CHARACTERS} characters together, since each call runs them again; "
                "begin another session"
            )

    def add(self, session: Session, cell: Kept) -> None:
        """A cell has run in it."""
        session.cells.append(cell)
        if self._all.get(session.key) is session:  # else it was deleted meanwhile
            session.size += len(cell.text)
            self._size += len(cell.text)

    def forget(self, session: Session) -> None:
        """Its state is lost."""
        if self._all.get(session.key) is session:
            del self._all[session.key]
            self._size -= session.size
        session.cells = []
        session.size = 0
        session.known = False

    def delete(self, client: str, name: str) -> bool:
        """Whether there was such a session."""
        session = self._all.get((client, name))
        if session is None:
            return False
        self.forget(session)
        return True

    def of(self, client: str) -> Iterator[Session]:
        """A client's."""
        return (one for (owner, _), one in self._all.items() if owner == client)

    def _make_room(self) -> None:
        while len(self._all) > MAX_SESSIONS or self._size > MAX_CHARACTERS:
            idle = next((one for one in self._all.values() if not one.users), None)
            if idle is None:
                return
            self.forget(idle)
