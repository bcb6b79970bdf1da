"""The daemons of one client: which of them takes work now.

Theory of operation.  Daemons stand in the order of preference.  Each is *well*, *away*, or in
*doubt*: nothing is known of it yet, or a connection to it has just broken.  Work goes to the first
that is well.  One in doubt is asked for its health before what comes after it is used, with a head
start of a quarter of a second: an address that never answers costs no more than that.  One that
does not answer, or says that it takes no work, is away: the circuit is open, and only a question
about its health, with growing and jittered pauses between them, closes it again.  Such questions
are asked where work comes along, so a client that has none is quiet.

A client of one daemon asks no such questions: its requests themselves show whether it is there.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Collection, Mapping, Sequence
from enum import Enum
from pathlib import Path

from scalebox.client.address import Address
from scalebox.client.retry import MAX_RETRY_AFTER_S
from scalebox.client.transport import BrokenConnection, Refusal, Transport
from scalebox.errors import BadRequestError

_log = logging.getLogger("scalebox.client")

Trouble = BrokenConnection | Refusal

#: How long one in doubt is waited for before the next is asked, too.
_HEAD_START_S = 0.25
#: Pauses before one that is away is asked again: doubled from the first to the second.
_FIRST_PAUSE_S = 0.5
_MAX_PAUSE_S = 30.0
#: One that is busy and does not say for how long.
_BUSY_S = 1.0
#: A host that vanished closes no connection.  Where there is no other daemon, one on TCP that owes
#: answers is asked so often, and so long, and given up after so many failures: its submissions
#: would wait for ever.
_ONLY_INTERVAL_S = 30.0
_ONLY_TIMEOUT_S = 10.0
_ONLY_FAILURES = 3


class Health(Enum):
    """What is believed of a daemon."""

    WELL = "well"
    DOUBT = "doubt"
    AWAY = "away"


class Daemon:
    """One of them.

    Attributes:
        transport: the session with it.
        health: what is believed of it.
        trouble: why it is not well, if anything is known.
        busy_until: it has asked for patience until then (the event loop's clock).
        failures: questions about its health without an answer since it was last well.
        ask_at: when it is to be asked again, if it is away.
        question: the one under way, asked at `asked_at`.
    """

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.health = Health.DOUBT
        self.trouble: Trouble | None = None
        self.busy_until = 0.0
        self.failures = 0
        self.ask_at = 0.0
        self.question: asyncio.Task[None] | None = None
        self.asked_at = 0.0

    def __str__(self) -> str:
        return str(self.transport.address)


class Daemons:
    """All of them, to be opened and closed by their client.

    Parameters:
        addresses: in the order of preference.
        token, timeout_s: as for `Transport`.
        unresponsive_s: how long one of several may leave questions about its health unanswered
            before its work goes elsewhere.
        ca: as for `Transport`, for those on `https://`.

    Raises:
        BadRequestError: the authorities cannot be read, or there is nobody to prove anything.
    """

    def __init__(
        self,
        addresses: Sequence[Address],
        token: str | None,
        timeout_s: float | None,
        unresponsive_s: float,
        ca: str | Path | None = None,
    ) -> None:
        if ca is not None and not any(address.is_tls for address in addresses):
            raise BadRequestError(
                "a certificate authority is of use for https:// alone; the address is "
                f"{','.join(map(str, addresses))}",
                field="ca",
            )
        self.all = [
            Daemon(Transport(address, token, timeout_s, ca if address.is_tls else None))
            for address in addresses
        ]
        self.several = len(self.all) > 1
        # Two questions in a row, each as long as the pause before it.
        self._timeout_s = unresponsive_s / 4
        self._tasks: asyncio.TaskGroup | None = None
        self._watches: list[asyncio.Task[None]] = []

    def __str__(self) -> str:
        return ",".join(map(str, self.all))

    @property
    def are_open(self) -> bool:
        """Whether requests can be sent."""
        return self.all[0].transport.is_open

    def open(self, tasks: asyncio.TaskGroup) -> None:
        """Make the sessions.

        Parameters:
            tasks: the group that everything done here in the background belongs to.
        """
        self._tasks = tasks
        for daemon in self.all:
            daemon.transport.open()
            if self.several:
                watch = daemon.transport.watch(self._timeout_s, self._timeout_s, 2)
            elif daemon.transport.address.socket is None:
                watch = daemon.transport.watch(_ONLY_INTERVAL_S, _ONLY_TIMEOUT_S, _ONLY_FAILURES)
            else:
                continue
            self._watches.append(tasks.create_task(watch))

    async def close(self) -> None:
        """Ask nothing any more; close every connection."""
        questions = [daemon.question for daemon in self.all if daemon.question is not None]
        for task in (*self._watches, *questions):
            task.cancel()
        for daemon in self.all:
            await daemon.transport.close()

    async def choose(self, avoided: Collection[Daemon]) -> Daemon | None:
        """The most preferred one that takes work; None: none of them does.

        Parameters:
            avoided: those that shall not be chosen.
        """
        if not self.several:
            return None if avoided else self.all[0]
        now = asyncio.get_running_loop().time()
        choice = [daemon for daemon in self.all if daemon not in avoided]
        idle = [daemon for daemon in choice if daemon.busy_until <= now]
        well = _first_well(idle)
        ahead = idle if well is None else idle[: idle.index(well)]
        otherwise = well or _first_well(choice)
        if otherwise is None:
            return await self._first_to_answer(choice, None)
        for daemon in ahead:
            if daemon.health is Health.AWAY and daemon.ask_at <= now:
                self._ask(daemon)
        doubtful = [daemon for daemon in ahead if daemon.health is Health.DOUBT]
        return await self._first_to_answer(doubtful, otherwise)

    def name(self, daemon: Daemon) -> str:
        """Of the daemon, where that has to be said."""
        return str(daemon) if self.several else ""

    def broke(self, daemon: Daemon, trouble: Trouble) -> None:
        """A request to it failed, for reasons that may or may not be those of its death."""
        daemon.trouble = trouble
        if daemon.health is Health.WELL:
            daemon.health = Health.DOUBT

    def is_busy(self, daemon: Daemon, refusal: Refusal) -> None:
        """It asks for patience: the others come first for so long."""
        pause_s = _BUSY_S if refusal.retry_after_s is None else refusal.retry_after_s
        now = asyncio.get_running_loop().time()
        daemon.busy_until = now + min(pause_s, MAX_RETRY_AFTER_S)

    def wants_nothing(self, daemon: Daemon, refusal: Refusal) -> None:
        """It will refuse whatever this client asks: the others come first for a good while."""
        if self.several:
            _log.warning("%s refuses this client (%s); the others are asked", daemon, refusal)
        daemon.busy_until = asyncio.get_running_loop().time() + MAX_RETRY_AFTER_S

    def troubles(self, known: Mapping[Daemon, Trouble]) -> dict[Daemon, Trouble | None]:
        """Why each of them does not take work, as far as it is known.

        Parameters:
            known: what somebody has just met, which goes before what is remembered here.
        """
        found = {daemon: known.get(daemon, daemon.trouble) for daemon in self.all}
        for daemon, trouble in found.items():
            if trouble is None and daemon.question is not None:
                found[daemon] = BrokenConnection("no answer yet")
        return found

    async def _first_to_answer(
        self, candidates: Sequence[Daemon], otherwise: Daemon | None
    ) -> Daemon | None:
        for position, daemon in enumerate(candidates, start=1):
            self._ask(daemon)
            asked = candidates[:position]
            is_last = position == len(candidates) and otherwise is None
            await _hear(asked, None if is_last else daemon.asked_at + _HEAD_START_S)
            if (well := _first_well(asked)) is not None:
                return well
        return otherwise

    def _ask(self, daemon: Daemon) -> None:
        if daemon.question is None:
            assert self._tasks is not None
            daemon.asked_at = asyncio.get_running_loop().time()
            daemon.question = self._tasks.create_task(self._question(daemon))

    async def _question(self, daemon: Daemon) -> None:
        trouble: Trouble | None = None
        try:
            await daemon.transport.probe(self._timeout_s)
        except BrokenConnection as error:
            trouble = error
        except Refusal as refusal:
            # Whatever it thinks of the question, it is there; a proxy may be there without it.
            trouble = refusal if refusal.status >= 500 else None
        finally:
            daemon.question = None
        if trouble is None:
            self._is_well(daemon)
        else:
            self._is_away(daemon, trouble)

    def _is_well(self, daemon: Daemon) -> None:
        if daemon.failures:
            _log.info("%s takes work again", daemon)
        daemon.health, daemon.trouble, daemon.failures = Health.WELL, None, 0

    def _is_away(self, daemon: Daemon, trouble: Trouble) -> None:
        if not daemon.failures:
            _log.warning("%s takes no work (%s); it goes to the others", daemon, trouble)
        pause_s = min(_MAX_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(daemon.failures, 32))
        daemon.failures += 1
        daemon.health, daemon.trouble = Health.AWAY, trouble
        daemon.ask_at = asyncio.get_running_loop().time() + random.uniform(pause_s / 2, pause_s)


def _first_well(daemons: Sequence[Daemon]) -> Daemon | None:
    return next((daemon for daemon in daemons if daemon.health is Health.WELL), None)


async def _hear(asked: Sequence[Daemon], until: float | None) -> None:
    """Wait until one of them is well, all have answered, or the time is over."""
    loop = asyncio.get_running_loop()
    while _first_well(asked) is None:
        under_way = [daemon.question for daemon in asked if daemon.question is not None]
        left_s = None if until is None else until - loop.time()
        if not under_way or (left_s is not None and left_s <= 0):
            return
        await asyncio.wait(under_way, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
