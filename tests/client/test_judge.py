"""Single submissions and the small calls."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import msgspec
import pytest

from scalebox.client.aio import AsyncClient
from scalebox.errors import BadRequestError, ConnectionFailedError, RemoteError, ScaleboxError
from scalebox.model import Limits, Problem, RunStatus, StdioCase, StdioTests, Submission, Verdict
from tests.client.fake import FakeDaemon, serving

OK = Submission(language="python", source="ok")
BAD = Submission(language="python", source="bad")


async def test_a_submission_gets_its_report(client: AsyncClient) -> None:
    assert (await client.judge(OK)).accepted
    assert (await client.judge(BAD)).verdict is Verdict.WRONG_ANSWER


async def test_fields_by_keyword_make_a_submission(client: AsyncClient) -> None:
    report = await client.judge(language="python", source="ok", tests=[("1", "1")], id="x")
    assert report.accepted
    assert report.id == "x"


async def test_a_problem_by_keyword_brings_tests_and_limits(client: AsyncClient) -> None:
    problem = Problem(tests=StdioTests(cases=[StdioCase(input="1")]), limits=Limits(cpu_time_s=2.0))
    assert (await client.judge(language="python", source="ok", problem=problem)).accepted


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"language": "python"}, "source"),
        ({"language": "python", "source": "", "limit": 1}, "limit"),
        ({"language": "python", "source": "", "tests": ["1"]}, "pairs"),
    ],
)
async def test_wrong_fields_are_named(
    client: AsyncClient, fields: dict[str, object], words: str
) -> None:
    with pytest.raises(BadRequestError, match=words):
        await client.judge(**fields)


async def test_an_error_leaves_the_clients_block_as_it_is(
    daemon: FakeDaemon, socket_path: Path
) -> None:
    with pytest.raises(RemoteError, match="cobol"):
        async with AsyncClient(socket_path) as client:
            await client.judge(language="cobol", source="")


async def test_something_else_than_a_submission_is_refused_here(client: AsyncClient) -> None:
    with pytest.raises(BadRequestError, match="dict"):
        await client.judge({"language": "python"})  # type: ignore[arg-type]


async def test_concurrent_submissions_share_batches(
    client: AsyncClient, daemon: FakeDaemon
) -> None:
    reports = await asyncio.gather(*(client.judge(OK if i % 3 else BAD) for i in range(500)))
    assert [report.accepted for report in reports] == [bool(i % 3) for i in range(500)]
    assert len(daemon.sizes) < 100


async def test_each_submission_gets_a_key_of_its_own(
    client: AsyncClient, daemon: FakeDaemon
) -> None:
    await asyncio.gather(*(client.judge(OK) for _ in range(50)))
    assert len(daemon.keys) == 50
    await client.judge(msgspec.structs.replace(OK, idempotency_key="mine"))
    assert daemon.keys["mine"] == 1


async def test_a_refusal_carries_the_daemons_words(client: AsyncClient) -> None:
    with pytest.raises(RemoteError) as caught:
        await client.judge(language="cobol", source="")
    assert (caught.value.code, caught.value.field) == ("unknown_language", "language")
    assert caught.value.http_status == 400


async def test_one_malformed_submission_does_not_spoil_its_batch(
    client: AsyncClient, daemon: FakeDaemon
) -> None:
    malformed = Submission(language="x" * 65, source="ok")
    results = await asyncio.gather(
        *(client.judge(malformed if i == 20 else OK) for i in range(50)), return_exceptions=True
    )
    assert isinstance(results[20], RemoteError)
    assert results[20].code == "bad_request"
    assert sum(not isinstance(result, BaseException) for result in results) == 49


async def test_cancelling_a_call_breaks_off_its_request(
    client: AsyncClient, daemon: FakeDaemon
) -> None:
    daemon.gate.clear()
    task = asyncio.ensure_future(client.judge(OK))
    while not daemon.open_batches:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    daemon.gate.set()
    assert (await client.judge(OK)).accepted
    assert len(daemon.answered) <= 2


async def test_run_returns_what_the_program_did(client: AsyncClient) -> None:
    result = await client.run(language="python", source="src", args=["-x"], stdin="in")
    assert result.status is RunStatus.FINISHED
    assert result.stdout == b"src ['-x'] in"


async def test_a_blob_is_uploaded_once(client: AsyncClient, daemon: FakeDaemon) -> None:
    data = b"\x00" * (2 << 20)
    digest = await client.put_blob(data)
    assert digest == hashlib.sha256(data).hexdigest()
    assert await client.put_blob(data) == digest
    assert daemon.requests == ["HEAD blob", "PUT blob", "HEAD blob"]
    assert daemon.blobs[digest] == data


async def test_a_problem_is_registered_under_its_id(
    client: AsyncClient, daemon: FakeDaemon
) -> None:
    problem = Problem(tests=StdioTests(cases=[StdioCase(input="1", answer="2")]), name="p")
    await client.put_problem("set/p:1", problem)
    assert msgspec.msgpack.decode(daemon.problems["set/p:1"], type=Problem) == problem


async def test_status_languages_and_judges_are_typed(client: AsyncClient) -> None:
    assert (await client.status()).queue_limit_cases == 10
    assert [language.name for language in await client.languages()] == ["python", "cpp"]
    (judge,) = await client.judges()
    assert (judge.name, judge.parameters[0].default) == ("some", "tokens")


async def test_tcp_sends_the_token(socket_path: Path) -> None:
    fake = FakeDaemon()
    ports: list[int] = []
    async with (
        serving(fake, socket_path, tcp=True, on_port=ports.append),
        AsyncClient(f"http://127.0.0.1:{ports[0]}", token="s3cret") as client,
    ):
        assert (await client.judge(OK)).accepted
    assert fake.tokens == ["Bearer s3cret"]


async def test_no_daemon_is_said_with_its_address(socket_path: Path) -> None:
    async with AsyncClient(socket_path, retries=1) as client:
        with pytest.raises(ConnectionFailedError, match=str(socket_path)):
            await client.judge(OK)
        with pytest.raises(ConnectionFailedError, match="scaleboxd"):
            await client.status()


async def test_a_client_that_is_not_open_says_so(socket_path: Path) -> None:
    with pytest.raises(ScaleboxError, match="async with"):
        await AsyncClient(socket_path).judge(OK)


@pytest.mark.parametrize("address", ["ftp://x", "localhost:8000", "http://", ""])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(BadRequestError):
        AsyncClient(address)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("unix:/a/b", "unix:/a/b"),
        ("/a/b", "unix:/a/b"),
        ("sock", "unix:sock"),
        (Path("/a/b"), "unix:/a/b"),
        ("http://h:1/", "http://h:1"),
    ],
)
def test_addresses(address: str | Path, shown: str) -> None:
    assert AsyncClient(address).address == shown


def test_the_default_address_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCALEBOX_SOCKET", "/x/y.sock")
    assert AsyncClient().address == "unix:/x/y.sock"
