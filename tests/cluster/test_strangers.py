"""What is sent to a peer port by who has no key, and by a peer that is up to no good."""

from __future__ import annotations

import asyncio
import http.client
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import msgspec
import pytest
from aiohttp import web

from scalebox.cluster.door import Door
from scalebox.cluster.messages import (
    CaseAnswer,
    Fetch,
    Results,
    ResultsAnswer,
    Returned,
    StealAnswer,
    StealRequest,
)
from scalebox.cluster.records import Exchange, Facts, Gossip, Load, Update
from scalebox.cluster.sealing import Refusals, Seal, digest_of
from scalebox.cluster.transport import (
    EXCHANGE,
    FETCH,
    GOSSIP,
    RESULTS,
    RUMOUR,
    STEAL,
    PeerError,
    Peers,
    peers,
)
from scalebox.model import CaseResult, Verdict
from tests.daemons import until

from .nodes import KEY, Node, cluster, free_ports, nodes, ran_on, sleepers
from .test_stealing import judging

encode = msgspec.msgpack.encode
decode = msgspec.msgpack.decode
PATHS = [GOSSIP, RUMOUR, EXCHANGE, STEAL, RESULTS, FETCH]


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    with cluster(1) as made:
        yield made[0]


@asynccontextmanager
async def peer(key: str = KEY, name: str = "mallory") -> AsyncIterator[Peers]:
    """A node that is none."""
    async with peers(Seal(key, name), None, lambda _: None) as found:
        yield found


async def ask(link: Peers, node: Node, path: str, message: object) -> bytes:
    body = message if isinstance(message, bytes) else encode(message)
    return await link.ask(node.address, path, body, timeout_s=10.0)


def refused(node: Node, reason: str) -> int:
    return node.view().refused.get(reason, 0)


def facts_like(node: Node, name: str = "mallory") -> Facts:
    """As of a node that could be lent to."""
    own = node.view().nodes[0]
    return Facts(
        node=name, address="127.0.0.1:9", isolation=own.isolation, enforcement=own.enforcement,
        cpu=own.cpu, slots=2,
    )  # fmt: skip


async def join(link: Peers, node: Node, name: str = "mallory") -> None:
    """Be a member, as far as the node knows."""
    update = Update(node=name, incarnation=1, facts=facts_like(node, name))
    page = Exchange(sender=name, digests=[0] * 256, updates=[update])
    await ask(link, node, EXCHANGE, page)
    assert node.states()[name] == "alive"


def request_of(node: Node) -> StealRequest:
    own = node.daemon
    assert own is not None
    return StealRequest(slots=2, free_slots=2, seconds=1e5, toolchains=toolchains())


def toolchains() -> list[str]:
    """Those of this host, as a daemon finds them."""
    from scalebox.config import CppConfig, LanguagesConfig
    from scalebox.languages.toolchains import Toolchains

    config = LanguagesConfig(cpp=CppConfig(precompiled_header=False))
    return sorted(Toolchains(config).identities())


@pytest.mark.parametrize("path", [*PATHS, "/", "/v1/judge", "/v1/status"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_stranger_is_told_nothing(node: Node, method: str, path: str) -> None:
    before = refused(node, "malformed")
    connection = http.client.HTTPConnection(node.address, timeout=10)
    connection.request(method, path, body=b"x" * 1000)
    response = connection.getresponse()
    assert response.status == 401
    assert b"key" in response.read()
    connection.close()
    assert refused(node, "malformed") == before + 1
    assert node.daemon.said().count("no seal, or none that can be read") == 1, "logged once"


async def test_another_key_opens_nothing(node: Node) -> None:
    before = refused(node, "key")
    async with peer("not the key of this cluster, but as long") as link:
        for path in PATHS:
            with pytest.raises(PeerError):
                await ask(link, node, path, b"")
    assert refused(node, "key") == before + len(PATHS)
    assert node.daemon.said().count("sealed with another key") == 1
    assert node.states() == {"node0": "alive"}


async def test_what_was_recorded_is_not_heard_again(node: Node) -> None:
    import aiohttp

    seal = Seal(KEY, "mallory")
    body = encode(Gossip(sender="mallory", incarnation=1, load=Load()))
    url = f"http://{node.address}{GOSSIP}"
    async with aiohttp.ClientSession() as session:
        for attempt in range(2):
            sealed = seal.outgoing(node.address, "POST", GOSSIP, digest_of(body))
            async with session.post(url, data=body, headers=sealed.headers) as answer:
                seal.check_answer(sealed, answer.status, answer.headers)
                assert answer.status == (200 if attempt else 409)
        before = refused(node, "replay")
        for _ in range(3):
            async with session.post(url, data=body, headers=sealed.headers) as answer:
                assert answer.status == 409
        assert refused(node, "replay") == before + 3
        async with session.post(url, data=body[:-1], headers=sealed.headers) as answer:
            assert answer.status == 409
        changed = seal.outgoing(node.address, "POST", GOSSIP, digest_of(body))
        before = refused(node, "body")
        async with session.post(url, data=body + b"x", headers=changed.headers) as answer:
            assert answer.status == 409
        assert refused(node, "body") == before + 1
        moved = seal.outgoing(node.address, "POST", GOSSIP, digest_of(body))
        other = url.replace(GOSSIP, STEAL)
        async with session.post(other, data=body, headers=moved.headers) as answer:
            assert answer.status == 401


@pytest.mark.parametrize("path", PATHS)
async def test_what_cannot_be_decoded_is_refused(node: Node, path: str) -> None:
    async with peer() as link:
        for body in (b"", b"\xc1", b"\x91" * 100_000, os.urandom(1000), encode([1, 2]),
                     encode({"sender": "mallory"}), encode({"lease": "0" * 31})):  # fmt: skip
            with pytest.raises(PeerError, match="not a"):
                await ask(link, node, path, body)
    assert node.daemon.said().count("a peer's message is not valid") == 1, "logged once"
    assert node.judge(sleepers(2)).accepted


async def test_nobody_speaks_in_the_name_of_another(node: Node) -> None:
    async with peer() as link:
        for path in (GOSSIP, RUMOUR):
            message = Gossip(sender="node0", incarnation=9, load=Load(cases=5))
            with pytest.raises(PeerError, match="in the name of"):
                await ask(link, node, path, message)
    assert node.states()["node0"] == "alive"


async def test_results_of_no_lease_are_refused(node: Node) -> None:
    async with peer() as link:
        for _ in range(5):
            answer = CaseAnswer(position=0, result=CaseResult(verdict=Verdict.ACCEPTED))
            frame = Results(lease=os.urandom(16).hex(), answers=[answer])
            said = decode(await ask(link, node, RESULTS, frame), type=ResultsAnswer)
            assert not said.held
        with pytest.raises(PeerError):
            await ask(link, node, FETCH, Fetch(lease="0" * 32, sha256="0" * 64))
    assert node.counter("results_refused") >= 5
    assert node.daemon.said().count("for a lease that it never held") == 1


async def test_a_lease_is_its_holders_alone() -> None:
    # Nobody else takes anything, so what is asked for is got.
    with cluster(1) as (node,):
        wanted = request_of(node)  # it asks every tool chain: work would be over until it is made
        thread, found = judging(node, sleepers(60))
        until(lambda: node.view().nodes[0].backlog_cases > 20)
        async with peer() as link, peer(name="eve") as other:
            await join(link, node)
            await join(other, node, "eve")
            said = decode(await ask(link, node, STEAL, wanted), type=StealAnswer)
            lease, *others = said.leases
            for unwanted in others:
                await ask(link, node, RESULTS, Results(lease=unwanted.id, done=True))
            assert lease.submission.tests is not None
            count = len(lease.submission.tests.cases)
            assert count >= 10
            wrong = CaseAnswer(position=0, result=CaseResult(verdict=Verdict.WRONG_ANSWER))
            forged = decode(
                await ask(other, node, RESULTS, Results(lease=lease.id, answers=[wrong])),
                type=ResultsAnswer,
            )
            assert not forged.held
            with pytest.raises(PeerError):
                await ask(other, node, FETCH, Fetch(lease=lease.id, sha256="0" * 64))
            # Its holder cannot have what the lease does not name, nor answer what is not in it.
            with pytest.raises(PeerError):
                await ask(link, node, FETCH, Fetch(lease=lease.id, sha256="0" * 64))
            with pytest.raises(PeerError):
                await ask(link, node, FETCH, Fetch(lease=lease.id, artifact="0" * 64))
            beyond = CaseAnswer(position=count, result=CaseResult(verdict=Verdict.WRONG_ANSWER))
            right = CaseAnswer(position=1, result=CaseResult(verdict=Verdict.ACCEPTED))
            frame = Results(lease=lease.id, answers=[beyond, right, right])
            heard = decode(await ask(link, node, RESULTS, frame), type=ResultsAnswer)
            assert heard.held
            assert node.counter("results_repeated") == 2
            await ask(link, node, RESULTS, Results(lease=lease.id, done=True))
            late = decode(
                await ask(link, node, RESULTS, Results(lease=lease.id, answers=[wrong])),
                type=ResultsAnswer,
            )
            assert not late.held
            assert node.counter("results_late") == 1
            await asyncio.to_thread(thread.join, 60)
        (report,) = found
        assert report.accepted, report.message
        assert ran_on(report) == {"": 59, "mallory": 1}


class Victim:
    """Pretends to be a node with work, and to have a loan of the one that asks it for some."""

    asked = 0

    def facts_of(self, node: str) -> Facts:
        return Facts(
            node=node, address="127.0.0.1:9", isolation="", enforcement="", cpu="", slots=1
        )  # fmt: skip

    async def steal(self, borrower: Facts, request: StealRequest) -> StealAnswer:
        self.asked += 1
        return StealAnswer(returned=[Returned(lease=os.urandom(16).hex(), positions=[0, 1])])


async def test_what_was_never_lent_does_not_come_home(node: Node) -> None:
    victim, seal = Victim(), Seal(KEY, "trudy")
    door = Door(seal, victim, victim, Refusals(), lambda _: None)  # type: ignore[arg-type]
    runner = web.AppRunner(door.app(), access_log=None)
    await runner.setup()
    (port,) = free_ports(1)
    await web.TCPSite(runner, "127.0.0.1", port).start()
    before = node.counter("results_refused")
    try:
        async with peer(name="trudy") as link:
            facts = msgspec.structs.replace(
                facts_like(node, "trudy"), address=f"127.0.0.1:{port}"
            )  # fmt: skip
            update = Update(node="trudy", incarnation=1, facts=facts)
            page = Exchange(sender="trudy", digests=[0] * 256, updates=[update])
            await ask(link, node, EXCHANGE, page)
            load = Load(cases=1000, backlog_s=1000.0, number=1)
            await ask(link, node, RUMOUR, Gossip(sender="trudy", incarnation=1, load=load))
            while not victim.asked or node.counter("results_refused") == before:
                await asyncio.sleep(0.05)
            asked = victim.asked
            await asyncio.sleep(1.0)
            assert victim.asked - asked < 60, "it is no work, and is not asked for without a pause"
    finally:
        await runner.cleanup()
    assert ran_on(await asyncio.to_thread(node.judge, sleepers(4))) == {"": 4}


def test_two_keys_are_two_clusters() -> None:
    with nodes(2) as made:
        made[0].start()
        made[1].start(cluster={"key": "another key, of another cluster, and long enough"})
        for one in made:
            one.daemon.when_ready()
        until(lambda: sum(refused(one, "key") for one in made) >= 2)
        assert made[0].states() == {"node0": "alive"}
        assert made[1].states() == {"node1": "alive"}
        assert ran_on(made[0].judge(sleepers(10))) == {"": 10}
