"""A client of several daemons: who is asked, who is asked next, and what is said at the end."""

from __future__ import annotations

import asyncio
import logging
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from scalebox.client.address import parse_addresses
from scalebox.client.aio import AsyncClient
from scalebox.errors import BadRequestError, ConnectionFailedError, RemoteError
from scalebox.model import Blob, Problem, RunStatus, StdioCase, StdioTests, Submission
from tests.client.fake import FakeDaemon, serving

OK = Submission(language="python", source="ok")
#: Long enough that who waits for it has lost.
UNRESPONSIVE_S = 400.0


def numbered(count: int) -> list[Submission]:
    return [Submission(language="python", source="ok", id=str(i)) for i in range(count)]


class Hosts:
    """Fake daemons that can be away, at sockets that stay."""

    def __init__(self, folder: Path) -> None:
        self.sockets = [folder / "a", folder / "b"]
        self.first, self.second = FakeDaemon(), FakeDaemon()
        self._up: list[AsyncExitStack | None] = [None, None]

    @property
    def address(self) -> str:
        return ",".join(f"unix:{path}" for path in self.sockets)

    async def start(self, number: int) -> None:
        stack = AsyncExitStack()
        daemon = (self.first, self.second)[number]
        await stack.enter_async_context(serving(daemon, self.sockets[number]))
        self._up[number] = stack

    async def stop(self, number: int) -> None:
        if (stack := self._up[number]) is not None:
            self._up[number] = None
            await stack.aclose()
            self.sockets[number].unlink(missing_ok=True)


@pytest.fixture
async def hosts() -> AsyncIterator[Hosts]:
    with tempfile.TemporaryDirectory(prefix="sb-test-") as folder:
        made = Hosts(Path(folder))
        for number in (0, 1):
            await made.start(number)
        yield made
        for number in (0, 1):
            await made.stop(number)


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a socket that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


async def test_all_work_goes_to_the_first(hosts: Hosts) -> None:
    async with AsyncClient(hosts.address) as client:
        assert client.address == hosts.address
        assert len(await client.judge_all(numbered(300))) == 300
        assert (await client.status()).node == "fake"
    assert len(hosts.first.answered) == 300
    assert not hosts.second.requests


async def test_without_the_first_it_goes_to_the_second(hosts: Hosts) -> None:
    await hosts.stop(0)
    async with AsyncClient(hosts.address) as client:
        assert len(await client.judge_all(numbered(300))) == 300
        assert (await client.run(language="python", source="x")).status is RunStatus.FINISHED
    assert len(hosts.second.answered) == 300


async def test_what_was_not_answered_goes_on_under_its_key(hosts: Hosts) -> None:
    hosts.first.gate.clear()
    async with AsyncClient(hosts.address) as client:
        judging = asyncio.ensure_future(client.judge_all(numbered(200)))
        while hosts.first.received < 200:
            await asyncio.sleep(0.01)
        await hosts.stop(0)
        reports = await judging
    assert [report.id for report in reports] == [str(i) for i in range(200)]
    assert hosts.first.keys == hosts.second.keys
    assert not hosts.first.answered


async def test_a_broken_connection_to_a_daemon_that_lives_is_made_again(hosts: Hosts) -> None:
    hosts.first.break_after = [40]
    async with AsyncClient(hosts.address) as client:
        reports = await client.judge_all(numbered(64))
    assert [report.id for report in reports] == [str(i) for i in range(64)]
    assert hosts.first.sizes == [64, 24]
    assert not hosts.second.requests


async def test_a_daemon_that_lives_and_breaks_all_connections_is_left(hosts: Hosts) -> None:
    hosts.first.break_after = [0] * 50
    async with AsyncClient(hosts.address) as client:
        assert all(report.accepted for report in await client.judge_all(numbered(64)))
    assert hosts.first.sizes == [64, 64]
    assert hosts.second.sizes == [64]


async def test_the_first_has_its_work_again_when_it_is_back(
    hosts: Hosts, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "scalebox.client")
    await hosts.stop(0)
    async with asyncio.timeout(60), AsyncClient(hosts.address) as client:
        await client.judge_all(numbered(10))
        await hosts.start(0)
        while not hosts.first.answered:
            assert (await client.judge(OK)).accepted
            await asyncio.sleep(0.01)
        before = hosts.second.received
        await client.judge_all(numbered(100))
    assert hosts.second.received == before
    away, back = caplog.messages
    assert away.startswith(f"unix:{hosts.sockets[0]} takes no work (")
    assert back == f"unix:{hosts.sockets[0]} takes work again"


async def test_a_daemon_that_is_away_is_asked_ever_less_often(
    hosts: Hosts, silent: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with AsyncClient(f"{silent},unix:{hosts.sockets[1]}", unresponsive_s=0.4) as client:
        loop = asyncio.get_running_loop()
        end = loop.time() + 3
        while loop.time() < end:
            assert (await client.judge(OK)).accepted
        # Asked for 0.1 s at a time; pauses of 0.25 to 0.5 s, 0.5 to 1 s, 1 to 2 s.
        failures = client._daemons.all[0].failures
    assert 2 <= failures <= 5
    assert len(caplog.messages) == 1


async def test_an_address_that_never_answers_costs_no_deadline(hosts: Hosts, silent: str) -> None:
    addresses = [silent, f"unix:{hosts.sockets[1]}"]
    submission = Submission(language="python", source="ok", deadline_s=60.0)
    async with AsyncClient(addresses, unresponsive_s=UNRESPONSIVE_S) as client:
        assert (await asyncio.wait_for(client.judge(submission), 30)).accepted
        assert (await asyncio.wait_for(client.status(), 30)).node == "fake"
    (left_s,) = hosts.second.deadlines
    assert left_s is not None
    assert 30 < left_s < 60


async def test_a_daemon_that_falls_silent_loses_its_work(hosts: Hosts) -> None:
    """The sockets of the first stay open, and nothing more comes from them."""
    lines: list[asyncio.StreamWriter] = []
    healthy = True

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal healthy
        lines.append(writer)
        head = await reader.readuntil(b"\r\n\r\n")
        if healthy and b"/healthz" in head:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            healthy = False

    await hosts.stop(0)
    server = await asyncio.start_unix_server(answer, hosts.sockets[0])
    async with (
        asyncio.timeout(60),
        server,
        AsyncClient(hosts.address, unresponsive_s=0.4) as client,
    ):
        assert all(report.accepted for report in await client.judge_all(numbered(100)))
        for line in lines:
            line.close()
    assert len(hosts.second.answered) == 100
    assert not healthy


async def test_the_next_daemon_gets_what_is_left_of_the_deadline(hosts: Hosts) -> None:
    hosts.first.gate.clear()
    submission = Submission(language="python", source="ok", deadline_s=60.0)
    async with AsyncClient(hosts.address) as client:
        judging = asyncio.ensure_future(client.judge(submission))
        while not hosts.first.received:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)
        await hosts.stop(0)
        assert (await judging).accepted
    (given_s,), (left_s,) = hosts.first.deadlines, hosts.second.deadlines
    assert given_s is not None
    assert left_s is not None
    assert 30 < left_s <= given_s - 0.3


@pytest.mark.parametrize("many", [False, True])
async def test_a_deadline_ends_the_search_for_a_daemon(
    hosts: Hosts, silent: str, many: bool
) -> None:
    await hosts.stop(1)
    addresses = [silent, f"unix:{hosts.sockets[1]}"]
    submission = Submission(language="python", source="ok", deadline_s=0.6)
    async with AsyncClient(addresses, unresponsive_s=UNRESPONSIVE_S) as client:
        asking = client.judge_all([submission]) if many else client.judge(submission)
        with pytest.raises(ConnectionFailedError) as caught:
            await asyncio.wait_for(asking, 30)
    assert f"{silent} (no answer yet)" in caught.value.message
    assert f"unix:{hosts.sockets[1]} (" in caught.value.message
    assert "deadline" in caught.value.message


async def test_a_run_has_a_deadline_too(hosts: Hosts, silent: str) -> None:
    addresses = [silent, f"unix:{hosts.sockets[1]}"]
    async with AsyncClient(addresses, unresponsive_s=UNRESPONSIVE_S) as client:
        result = await client.run(language="python", source="x", deadline_s=60.0)
        assert result.status is RunStatus.FINISHED
        await hosts.stop(1)
        with pytest.raises(ConnectionFailedError, match="deadline"):
            await asyncio.wait_for(client.run(language="python", source="", deadline_s=0.3), 30)


async def test_a_busy_daemon_passes_work_on(hosts: Hosts) -> None:
    hosts.first.refuse = [(429, "30")]
    async with AsyncClient(hosts.address) as client:
        assert all(report.accepted for report in await client.judge_all(numbered(20)))
        # For the time that it asked for, it is left alone.
        assert all(report.accepted for report in await client.judge_all(numbered(20)))
    assert hosts.first.requests == ["batch"]
    assert len(hosts.second.answered) == 40


async def test_busy_daemons_are_waited_for(hosts: Hosts) -> None:
    hosts.first.refuse = [(429, "0.2")] * 3
    hosts.second.refuse = [(503, "0.2")] * 3
    async with AsyncClient(hosts.address, retries=0) as client:
        assert (await client.judge(OK)).accepted
    assert not hosts.first.refuse or not hosts.second.refuse


async def test_daemons_that_stay_busy_are_given_up_by_name(hosts: Hosts) -> None:
    hosts.first.refuse = [(429, "0.01")] * 10_000
    hosts.second.refuse = [(429, "0.01")] * 10_000
    async with AsyncClient(hosts.address, busy_timeout_s=0.2) as client:
        with pytest.raises(RemoteError) as caught:
            await client.judge(OK)
    assert caught.value.http_status == 429
    assert all(f"unix:{path}: not now" in caught.value.message for path in hosts.sockets)


async def test_a_bad_request_is_not_asked_elsewhere(hosts: Hosts) -> None:
    async with AsyncClient(hosts.address) as client:
        with pytest.raises(RemoteError, match="cobol") as caught:
            await client.judge(language="cobol", source="")
        with pytest.raises(RemoteError, match="language"):
            await client.judge(language="x" * 65, source="")
    assert str(hosts.sockets[0]) in caught.value.message
    assert not hosts.second.requests


async def test_a_daemon_that_does_not_know_the_token_passes_work_on(hosts: Hosts) -> None:
    hosts.first.refuse = [(401, None)] * 1000
    async with AsyncClient(hosts.address) as client:
        assert all(report.accepted for report in await client.judge_all(numbered(100)))
        hosts.second.refuse = [(401, None)] * 1000
        with pytest.raises(RemoteError) as caught:
            await client.judge_all(numbered(100))
    assert caught.value.http_status == 401
    assert all(str(path) in caught.value.message for path in hosts.sockets)


async def test_no_daemon_at_all_is_said_with_every_address(hosts: Hosts) -> None:
    await hosts.stop(0)
    await hosts.stop(1)
    async with AsyncClient(hosts.address, retries=2) as client:
        for asking in (client.judge(OK), client.judge_all(numbered(100)), client.status()):
            with pytest.raises(ConnectionFailedError) as caught:
                await asking
            assert all(f"unix:{path} (" in caught.value.message for path in hosts.sockets)
            assert "3 time" in caught.value.message


async def test_a_problem_is_told_to_the_daemon_that_takes_over(hosts: Hosts) -> None:
    problem = Problem(tests=StdioTests(cases=[StdioCase(input="1", answer="2")]))
    async with AsyncClient(hosts.address) as client:
        await client.put_problem("some", problem)
        assert not hosts.second.problems
        await hosts.stop(0)
        for _ in range(2):
            submissions = [
                Submission(language="python", source="ok", problem="some", id=str(number))
                for number in range(100)
            ]
            assert all(report.accepted for report in await client.judge_all(submissions))
    assert hosts.second.problems == hosts.first.problems
    assert hosts.second.requests.count("PUT problem") == 1


async def test_what_a_daemon_has_forgotten_is_told_again(hosts: Hosts) -> None:
    data = b"42"
    async with AsyncClient(hosts.address) as client:
        tests = StdioTests(cases=[StdioCase(input=Blob(sha256=await client.put_blob(data)))])
        await client.put_problem("some", Problem(tests=tests))
        hosts.first.blobs.clear()
        hosts.first.problems.clear()
        hosts.first.item_errors = {"blob": ["unknown_blob"], "problem": ["unknown_problem"]}
        asked = [
            Submission(language="python", source="ok", tests=tests, id="blob"),
            Submission(language="python", source="ok", problem="some", id="problem"),
        ]
        assert all(report.accepted for report in await client.judge_all(asked))
    assert list(hosts.first.blobs.values()) == [data]
    assert "some" in hosts.first.problems


async def test_what_is_still_missing_is_the_daemons_refusal(hosts: Hosts) -> None:
    async with AsyncClient(hosts.address) as client:
        await client.put_blob(b"1")
        tests = StdioTests(cases=[StdioCase(input=Blob(sha256=await client.put_blob(b"2")))])
        with_blob = Submission(language="python", source="ok", id="x", tests=tests)
        of_others = Submission(language="python", source="ok", id="x", problem="other")
        for code, submission in (("unknown_blob", with_blob), ("unknown_problem", of_others)):
            hosts.first.item_errors = {"x": [code] * 2}
            with pytest.raises(RemoteError) as caught:
                await client.judge(submission)
            assert caught.value.code == code
            assert str(hosts.sockets[0]) in caught.value.message
    assert not hosts.second.requests


async def test_what_is_kept_is_bounded(hosts: Hosts) -> None:
    async with AsyncClient(hosts.address, kept_bytes=10_000) as client:
        digests = [await client.put_blob(bytes([number]) * 2000) for number in range(20)]
        await hosts.stop(0)
        cases = [StdioCase(input=Blob(sha256=digest)) for digest in digests]
        hosts.second.item_errors = {"x": ["unknown_blob"]}
        tests = StdioTests(cases=cases)
        await client.judge(language="python", source="ok", tests=tests, id="x")
    assert list(hosts.second.blobs) == digests[-4:]


async def test_a_problem_that_is_kept_no_longer_is_not_mistaken_for_another(hosts: Hosts) -> None:
    def problem(answer: str) -> Problem:
        return Problem(tests=StdioTests(cases=[StdioCase(answer=answer * 3000)]))

    async with AsyncClient(hosts.sockets[1]) as earlier:
        await earlier.put_problem("same", problem("1"))
        await earlier.put_problem("other", problem("2"))
    async with AsyncClient(hosts.address, kept_bytes=4000) as client:
        for name, answer in (("same", "1"), ("other", "3"), ("none", "4"), ("kept", "5")):
            await client.put_problem(name, problem(answer))
        await hosts.stop(0)
        for name in ("same", "kept"):
            assert (await client.judge(language="python", source="ok", problem=name)).accepted
        for name in ("other", "none"):
            with pytest.raises(RemoteError, match="kept_bytes") as caught:
                await client.judge(language="python", source="ok", problem=name)
            assert caught.value.code == "unknown_problem"
    assert hosts.second.requests.count("PUT problem") == 3


def test_addresses_are_read_in_their_order() -> None:
    text = "/b/s, http://h1:1 ,unix:/a,https://h2"
    assert [str(address) for address in parse_addresses(text)] == [
        "unix:/b/s",
        "http://h1:1",
        "unix:/a",
        "https://h2",
    ]
    assert parse_addresses([Path("/a,b"), "http://h"]) == (
        *parse_addresses(Path("/a,b")),
        *parse_addresses("http://h"),
    )


def test_the_default_socket_can_be_one_of_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCALEBOX_SOCKET", "/x/y.sock")
    assert AsyncClient("unix:,http://h:1").address == "unix:/x/y.sock,http://h:1"


@pytest.mark.parametrize("given", ["/a,,/b", "/a,", "http://h,ftp://x", [], "/a,unix:/a", ["h:1"]])
def test_a_list_with_what_is_no_address_is_refused(given: str | list[str]) -> None:
    with pytest.raises(BadRequestError):
        parse_addresses(given)
