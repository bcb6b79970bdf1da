"""A daemon's part in the cluster, from start to end: listen, join, gossip, lend, borrow, leave."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import anyio
import structlog
from aiohttp import web

import scalebox
from scalebox.cluster.door import Door
from scalebox.cluster.gossip import Gossiper
from scalebox.cluster.lending import Lender
from scalebox.cluster.listen import advertised, entrance
from scalebox.cluster.membership import Members
from scalebox.cluster.providers import make_provider
from scalebox.cluster.records import Facts, Load, Update
from scalebox.cluster.sealing import Refusals, Seal
from scalebox.cluster.stealing import Borrower
from scalebox.cluster.tasks import Tasks
from scalebox.cluster.transport import Peers, peers
from scalebox.config import Config
from scalebox.engine.service import Engine
from scalebox.model import ClusterNode, ClusterView
from scalebox.tcp import tcp_socket

#: How often leases are looked at.
_CARE_EACH_S = 0.25
#: How often the host's memory is.
_MEMORY_EACH_S = 1.0
#: With less of the host's memory left, no work is taken from others.
_PRESSED_SHARE = 0.05
#: With nothing else to do, what others are at for longer than this is run here as well.
_HEDGE_AFTER_S = 2.0
#: How long a refused sender may go on sending.
_LINGER_S = 1.0
#: A part that failed begins again after this.
_AGAIN_S = 1.0
#: Connections of peers that are not closed at the end are cut after this.
_SHUTDOWN_S = 1.0

log = structlog.get_logger("scalebox.cluster")


class Cluster:
    """What a daemon knows of the others, and does with them.  Made by `clustered`."""

    def __init__(
        self,
        config: Config,
        engine: Engine,
        facts: Facts,
        link: Peers,
        seal: Seal,
        tasks: Tasks,
    ) -> None:
        rng = random.Random()
        self._config = config.cluster
        self._engine = engine
        self._peers = link
        self._pressed = False
        self.refusals = Refusals()
        self.members = Members(
            facts,
            rng,
            period_s=self._config.gossip_period_s,
            incarnation=time.time_ns() // 1_000_000,
        )
        self.gossiper = Gossiper(
            self.members, link, self.load, self._changed, self._has_news, tasks, rng
        )
        self.lender = Lender(
            engine,
            facts,
            self.gossiper.rumour,
            self._loads,
            lambda lease, positions: self.borrower.sent_home(lease, positions),
            self._config,
            engine.count,
            rng,
        )
        self.borrower = Borrower(
            engine,
            facts,
            self.load,
            lambda: self.members.victims(time.monotonic()),
            self.gossiper.rumour,
            self.gossiper.hear_aside,
            self.gossiper.tell,
            self.lender.come_home,
            self.gossiper.facts_of,
            lambda: len(self.members),
            link,
            engine.count,
            tasks,
            rng,
        )
        lends = self.lender if self._config.steal else None
        self.door = Door(seal, self.gossiper, lends, self.refusals, engine.count)

    def load(self) -> Load:
        """What this node has to do."""
        engine = self._engine
        backlog = engine.lending.backlog() if self._config.steal else None
        return Load(
            free_slots=engine.free_slots,
            cases=backlog.cases if backlog else 0,
            backlog_s=backlog.seconds if backlog else 0.0,
            draining=engine.draining,
            pressed=self._pressed,
        )

    def _loads(self) -> Mapping[str, Load]:
        return self.members.loads(time.monotonic())

    def _changed(self, update: Update) -> None:
        if update.state in ("dead", "left"):
            self.lender.is_gone(update.node)
        if update.state == "dead":
            self.borrower.is_gone(update.node)

    def _has_news(self) -> None:
        self.borrower.has_heard()

    async def look_after(self) -> None:
        """Leases, memory and stragglers, for as long as the daemon runs."""
        looked = -_MEMORY_EACH_S
        namesake = ""
        while True:
            self.lender.look_after()
            now = time.monotonic()
            if now - looked >= _MEMORY_EACH_S:
                looked = now
                self._pressed = _free_share() < _PRESSED_SHARE
                if self.members.namesake != namesake:
                    namesake = self.members.namesake
                    log.error(
                        "another node has the same name: give each its own (`node`)",
                        node=self.members.node, address=self.members.namesake,
                    )  # fmt: skip
            if self._config.hedge and self.borrower.is_hungry:
                self._engine.lending.hedge(_HEDGE_AFTER_S)
            await asyncio.sleep(_CARE_EACH_S)

    def view(self) -> ClusterView:
        """What this node sees, for people."""
        loads = self.members.loads(time.monotonic())
        lent, borrowed = self.lender.lent_cases(), self.borrower.borrowed
        found = []
        for one in self.members:
            facts = one.facts
            own = one.node == self.members.node
            load = self.load() if own else loads.get(one.node, Load())
            address = facts.address if facts else ""
            found.append(
                ClusterNode(
                    node=one.node,
                    state=one.state,
                    address=address,
                    api=facts.api if facts else "",
                    version=facts.version if facts else "",
                    isolation=facts.isolation if facts else "",
                    enforcement=facts.enforcement if facts else "",
                    cpu=facts.cpu if facts else "",
                    slots=facts.slots if facts else 0,
                    free_slots=load.free_slots,
                    languages=facts.languages if facts else {},
                    backlog_cases=load.cases,
                    backlog_s=load.backlog_s,
                    lent_cases=lent.get(one.node, 0),
                    borrowed_cases=borrowed.get(one.node, 0),
                    round_trip_s=0.0 if own else self._peers.measured_s(address),
                    draining=load.draining,
                )
            )
        found.sort(key=lambda one: (one.node != self.members.node, one.node))
        return ClusterView(
            node=self.members.node, clustered=True, nodes=found, refused=dict(self.refusals.counts)
        )


@contextlib.asynccontextmanager
async def clustered(config: Config, engine: Engine) -> AsyncIterator[Cluster | None]:
    """Be part of the cluster while the block runs; None: `cluster.listen` is empty.

    On leaving it, what is borrowed must be done already: the API has drained.

    Raises:
        ConfigError: it cannot listen there, must not without a key, or the key cannot be read.
    """
    door = await entrance(config.cluster)
    if door is None:
        yield None
        return
    places = make_provider(config.cluster)
    async with contextlib.AsyncExitStack() as stack:
        sockets = [
            stack.enter_context(tcp_socket(family, where, "cluster.listen"))
            for family, where in door.bound
        ]
        host, port = sockets[0].getsockname()[:2]
        address = await advertised(config.cluster, str(host), int(port), await places.seeds())
        facts = _facts(config, engine, address)
        seal = Seal(door.secret, facts.node)
        link = await stack.enter_async_context(peers(seal, door.asking, engine.count))
        tasks = await stack.enter_async_context(anyio.create_task_group())
        cluster = Cluster(config, engine, facts, link, seal, Tasks(tasks))
        runner = web.AppRunner(
            cluster.door.app(),
            access_log=None,
            shutdown_timeout=_SHUTDOWN_S,
            lingering_time=_LINGER_S,
        )
        await runner.setup()
        try:
            for sock in sockets:
                await web.SockSite(runner, sock, ssl_context=door.answering).start()
            engine.cluster_view = cluster.view
            log.info("listening for peers", address=facts.address, node=facts.node)
            parts = [
                cluster.gossiper.probe_regularly,
                cluster.gossiper.tell_regularly,
                lambda: cluster.gossiper.join(places.seeds),
                cluster.look_after,
            ]
            if config.cluster.steal:
                parts.append(cluster.borrower.run)
            for part in parts:
                tasks.start_soon(_go_on, part)
            yield cluster
            # Nobody is to find out by themselves that this node is gone.
            await cluster.gossiper.leave()
        finally:
            tasks.cancel_scope.cancel()
            cluster.lender.close()
            await runner.cleanup()


async def _go_on(part: Callable[[], Awaitable[None]]) -> None:
    """Keep a part running: a defect of the cluster's must not end a daemon that judges."""
    while True:
        try:
            await part()
        except Exception:
            log.exception("a part of the cluster failed and begins again")
        await asyncio.sleep(_AGAIN_S)


def _facts(config: Config, engine: Engine, address: str) -> Facts:
    status = engine.status()
    return Facts(
        node=config.node or socket.gethostname(),
        address=address,
        version=scalebox.__version__,
        isolation=status.isolation.value,
        enforcement=status.enforcement.value,
        cpu=_cpu(),
        slots=len(status.slots),
        languages=engine.fingerprints(),
        api=config.server.tcp,
    )


def _cpu() -> str:
    """Model of this host's processor."""
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8") as lines:
        for line in lines:
            name, _, value = line.partition(":")
            if name.strip() in ("model name", "CPU part"):
                return value.strip()[:200]
    return ""


def _free_share() -> float:
    """Share of the host's memory that programs can have."""
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            found = {
                name: int(rest.split()[0]) for name, _, rest in (x.partition(":") for x in lines)
            }
        return found["MemAvailable"] / found["MemTotal"]
    except (OSError, KeyError, ValueError, IndexError):
        return 1.0
