"""A model behind an endpoint: asked again where that helps, within time, size and budget."""

from __future__ import annotations

import asyncio
import gzip
import logging
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest

from scalebox.errors import ConfigError, ScaleboxError
from scalebox.specialjudges.endpoint import (
    Answer,
    Budget,
    BudgetExhaustedError,
    Endpoint,
    EndpointError,
    EndpointSettings,
    Message,
    Prices,
    RequestRecord,
    Spent,
)
from scalebox.specialjudges.exchange import prompt_sha256
from tests.specialjudges.endpoint_server import (
    Asked,
    Reply,
    ScriptedEndpoint,
    always,
    in_turn,
    serving,
)

QUESTION = [Message("system", "Be brief."), Message("user", "What is it?")]
# As many tokens as the scripted endpoint counts, by the rule for those that nobody counted.
LONG = [Message("user", "x" * 200)]
KEY = "sk-very-secret-0123456789"
NOWHERE = "http://127.0.0.1:1/v1"


@pytest.fixture
async def server() -> AsyncIterator[ScriptedEndpoint]:
    endpoint = ScriptedEndpoint()
    async with serving(endpoint):
        yield endpoint


def settings(server: ScriptedEndpoint, **fields: Any) -> EndpointSettings:
    return EndpointSettings(
        **{"base_url": server.base_url, "model": "tiny", "retries": 2, **fields}
    )


async def ask(
    server: ScriptedEndpoint, reply: Reply | str, **fields: Any
) -> tuple[Answer | EndpointError, list[RequestRecord]]:
    """One question, answered so each time: what came of it, and what was recorded."""
    server.scripts[""] = always(reply)
    records: list[RequestRecord] = []
    async with Endpoint(settings(server, **fields)) as endpoint:
        try:
            return await endpoint.ask(QUESTION, "test", records=records), records
        except EndpointError as error:
            return error, records


async def failed(
    server: ScriptedEndpoint, reply: Reply | str, **fields: Any
) -> tuple[EndpointError, list[RequestRecord]]:
    found, records = await ask(server, reply, **fields)
    assert isinstance(found, EndpointError), found
    return found, records


# --- answers --------------------------------------------------------------------------------------


async def test_an_answer_comes_with_its_tokens_and_a_record(server: ScriptedEndpoint) -> None:
    prices = Prices(usd_per_million_tokens_in=2.0, usd_per_million_tokens_out=30.0)
    found, (record,) = await ask(server, "It is 4.", prices=prices)
    assert isinstance(found, Answer)
    assert (found.text, found.finish_reason) == ("It is 4.", "stop")
    assert (found.tokens_in, found.tokens_out) == (100, 10)
    assert found.prompt_sha256 == record.prompt_sha256 == prompt_sha256(QUESTION)
    assert (record.purpose, record.model, record.answered_by) == ("test", "tiny", "scripted-1")
    assert (record.outcome, record.status, record.measured) == ("answered", 200, True)
    assert record.cost_usd == pytest.approx((100 * 2 + 10 * 30) / 1e6)
    assert record.seconds > 0
    assert record.date.endswith("+00:00")


async def test_what_is_not_set_is_not_sent(server: ScriptedEndpoint) -> None:
    await ask(server, "")
    (asked,) = server.requests
    assert asked.body.keys() == {"model", "messages", "max_tokens"}
    assert asked.body["messages"][1] == {"role": "user", "content": "What is it?"}
    await ask(server, "", temperature=0.5, seed=7, output_limit="max_completion_tokens")
    body = server.requests[-1].body
    assert (body["temperature"], body["seed"], body["max_completion_tokens"]) == (0.5, 7, 16_384)
    assert "max_tokens" not in body


async def test_an_answer_that_was_cut_says_so(server: ScriptedEndpoint) -> None:
    found, (record,) = await ask(server, Reply("It is", finish="length"))
    assert isinstance(found, Answer)
    assert found.finish_reason == "length"
    assert record.outcome == "cut"


async def test_without_usage_the_most_is_counted(server: ScriptedEndpoint) -> None:
    found, (record,) = await ask(server, Reply("4", usage=False), max_output_tokens=50)
    assert isinstance(found, Answer)
    assert not record.measured
    assert record.tokens_out == found.tokens_out == 50
    assert record.tokens_in > 0
    silly = b'{"choices": [{"message": {"content": "4"}}], "usage": {"prompt_tokens": -9}}'
    found, (record,) = await ask(server, Reply(raw=silly))
    assert isinstance(found, Answer)
    assert not record.measured


# --- asked again ----------------------------------------------------------------------------------


async def test_retry_after_is_waited_for(server: ScriptedEndpoint) -> None:
    busy = Reply("slow down", status=429, headers={"Retry-After": "1"})
    server.scripts[""] = in_turn(busy, "4")
    records: list[RequestRecord] = []
    async with Endpoint(settings(server)) as endpoint:
        assert (await endpoint.ask(QUESTION, "test", records=records)).text == "4"
    first, second = server.requests
    assert second.at_s - first.at_s >= 1
    assert [record.outcome for record in records] == ["rate_limited", "answered"]
    assert records[0].tokens_in == records[0].tokens_out == 0


async def test_who_asks_for_too_much_patience_is_given_up(server: ScriptedEndpoint) -> None:
    reply = Reply("tomorrow", status=429, headers={"Retry-After": "86400"})
    error, records = await failed(server, reply)
    assert len(records) == len(server.requests) == 1
    assert error.outcome == "rate_limited"
    assert not error.is_about_the_prompt
    assert "86,400 s" in error.message


@pytest.mark.parametrize("status", [500, 503, 408])
async def test_failures_of_the_server_are_asked_again_but_not_for_ever(
    server: ScriptedEndpoint, status: int
) -> None:
    error, records = await failed(server, Reply("broken", status=status), retries=1)
    assert [record.status for record in records] == [status, status]
    assert error.outcome == "server_error"
    assert not error.is_about_the_prompt
    assert "broken" in error.message
    assert "tried 2 time(s)" in error.message


@pytest.mark.parametrize("reply", [Reply(drop=True), Reply("It is 4.", drop_within=True)])
async def test_a_dropped_connection_is_asked_again(server: ScriptedEndpoint, reply: Reply) -> None:
    server.scripts[""] = in_turn(reply, "4")
    records: list[RequestRecord] = []
    async with Endpoint(settings(server)) as endpoint:
        assert (await endpoint.ask(QUESTION, "test", records=records)).text == "4"
    assert [record.outcome for record in records] == ["connection", "answered"]
    assert records[0].tokens_in > 0, "it may have worked, and may send a bill"


async def test_where_nothing_listens_the_address_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        chosen = EndpointSettings(base_url=url, model="tiny", retries=0)
        async with Endpoint(chosen) as endpoint:
            with pytest.raises(EndpointError) as caught:
                await endpoint.ask(QUESTION, "test")
    assert caught.value.outcome == "connection"
    assert not caught.value.is_about_the_prompt
    assert url in caught.value.message
    assert endpoint.spent == Spent(requests=1)


# --- not asked again ------------------------------------------------------------------------------


@pytest.mark.parametrize("reply", [Reply("4", delay_s=60), Reply("4", drip_s=0.05)])
async def test_a_slow_answer_ends_at_the_time_limit(server: ScriptedEndpoint, reply: Reply) -> None:
    error, (record,) = await failed(server, reply, timeout_s=0.5)
    assert error.outcome == record.outcome == "timeout"
    assert error.is_about_the_prompt
    assert record.tokens_out > 0, "the model may have worked all the time"


@pytest.mark.parametrize(
    "reply", [Reply("x" * 3_000_000), Reply(endless=True)], ids=["told", "endless"]
)
async def test_an_answer_of_megabytes_is_refused(server: ScriptedEndpoint, reply: Reply) -> None:
    error, (record,) = await failed(server, reply, timeout_s=60)
    assert error.outcome == record.outcome == "too_large"
    assert error.is_about_the_prompt


async def test_an_error_without_end_is_cut(server: ScriptedEndpoint) -> None:
    error, (record,) = await failed(server, Reply(status=500, endless=True), retries=0)
    assert record.status == 500
    assert len(error.message) < 1000


@pytest.mark.parametrize(
    "raw",
    [
        b"<html>Welcome</html>",
        b"",
        b"{}",
        b'{"choices": []}',
        b'{"choices": [{"message": {"content": [1]}}]}',
        b'{"choices": ' + b"[" * 100_000,
        b"\xff\xfe",
    ],
    ids=["html", "nothing", "empty", "no choice", "no text", "deep", "binary"],
)
async def test_nonsense_is_told_from_an_answer(server: ScriptedEndpoint, raw: bytes) -> None:
    error, (record,) = await failed(server, Reply(raw=raw))
    assert error.outcome == record.outcome == "nonsense"
    assert error.is_about_the_prompt


async def test_a_compressed_answer_is_not_unpacked(server: ScriptedEndpoint) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    error, _records = await failed(server, Reply(raw=bomb, headers={"Content-Encoding": "gzip"}))
    assert error.outcome == "nonsense"
    assert server.requests[0].headers["accept-encoding"] == "identity"


async def test_a_redirect_is_not_followed(server: ScriptedEndpoint) -> None:
    elsewhere = Reply(status=307, headers={"Location": f"{server.base_url}/chat/completions?x"})
    error, records = await failed(server, elsewhere)
    assert len(server.requests) == len(records) == 1
    assert error.outcome == "refused"
    assert not error.is_about_the_prompt


@pytest.mark.parametrize(
    ("status", "about_the_prompt"), [(400, True), (413, True), (422, True), (404, False)]
)
async def test_a_refusal_is_not_asked_again(
    server: ScriptedEndpoint, status: int, about_the_prompt: bool
) -> None:
    error, (record,) = await failed(server, Reply("the context is too long", status=status))
    assert error.outcome == record.outcome == "refused"
    assert error.is_about_the_prompt is about_the_prompt
    assert "the context is too long" in error.message


async def test_what_a_terminal_would_obey_is_not_repeated(server: ScriptedEndpoint) -> None:
    error, _records = await failed(server, Reply("\x1b[2Jgone\x07\n" + "x" * 9000, status=400))
    assert error.message.isprintable()
    assert len(error.message) < 1000


# --- the key --------------------------------------------------------------------------------------


async def test_the_key_is_sent_and_appears_nowhere_else(
    server: ScriptedEndpoint, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    caplog.set_level(logging.DEBUG)
    for reply in (
        Reply(f"your key is {KEY}", model=KEY),
        Reply(f"wrong key: {KEY}", status=401),
        Reply(f"bad request by {KEY}", status=400),
        Reply(f"overloaded by {KEY}", status=500),
        Reply("x" * 290 + KEY, status=400, model="y" * 190 + KEY),
        Reply("4", model="y" * 190 + KEY),
        Reply(drop=True),
        Reply(raw=KEY.encode()),
    ):
        found, records = await ask(server, reply, api_key_variable="MY_KEY", retries=0)
        assert KEY[:8] not in str(found)
        assert KEY[:8] not in repr(records)
        assert server.requests[-1].headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in repr(Endpoint(settings(server, api_key_variable="MY_KEY")))
    assert KEY not in caplog.text


async def test_a_refused_key_names_the_variable(
    server: ScriptedEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    reply = Reply("Incorrect key sk-ver***789", status=401)
    error, (record,) = await failed(server, reply, api_key_variable="MY_KEY")
    assert "$MY_KEY" in error.message
    assert "sk-ver" not in error.message
    assert not error.is_about_the_prompt
    assert record.status == 401


async def test_no_key_of_the_environment_is_sent_unasked(
    server: ScriptedEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    await ask(server, "4")
    assert KEY not in repr(server.requests[0].headers)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"api_key_variable": "NOT_SET_HERE"}, "NOT_SET_HERE"),
        ({"api_key_variable": KEY}, "api_key_variable"),
        ({"api_key_variable": "gsk_0123456789abcdef"}, "api_key_variable"),
        ({"base_url": f"https://me:{KEY}@example.org/v1"}, "base_url"),
        ({"base_url": f"https://example.org/v1?key={KEY}"}, "base_url"),
        ({"base_url": "example.org/v1"}, "base_url"),
        ({"model": ""}, "model"),
        ({"concurrency": 0}, "concurrency"),
        ({"temperature": 9.0}, "temperature"),
    ],
)
def test_settings_that_cannot_be_are_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        Endpoint(EndpointSettings(**{"base_url": NOWHERE, "model": "tiny", **fields}))
    assert KEY not in caught.value.message
    assert "gsk_" not in caught.value.message


# --- budget and concurrency -----------------------------------------------------------------------


async def ask_many(endpoint: Endpoint, count: int) -> list[Answer | BaseException]:
    asked = (endpoint.ask(LONG, "test") for _ in range(count))
    return await asyncio.gather(*asked, return_exceptions=True)


@pytest.mark.parametrize(
    ("budget", "answered"),
    [
        # An answer costs 110 tokens and, at these prices, 0.11 dollars; it may cost 150 and 0.15.
        (Budget(max_requests=3), 3),
        (Budget(max_tokens=480), 4),
        (Budget(max_tokens=479), 3),
        (Budget(max_cost_usd=0.48), 4),
        (Budget(max_cost_usd=0.0), 0),
    ],
    ids=["requests", "tokens", "a token less", "money", "no money"],
)
async def test_a_budget_holds_whatever_is_under_way(
    server: ScriptedEndpoint, budget: Budget, answered: int
) -> None:
    server.scripts[""] = always("4")
    prices = Prices(usd_per_million_tokens_in=1000.0, usd_per_million_tokens_out=1000.0)
    chosen = settings(server, prices=prices, max_output_tokens=50, concurrency=8)
    async with Endpoint(chosen, budget=budget) as endpoint:
        found = await ask_many(endpoint, 12)
    assert len(server.requests) == answered
    assert sum(isinstance(one, Answer) for one in found) == answered
    refused = [one for one in found if isinstance(one, BudgetExhaustedError)]
    assert len(refused) == 12 - answered
    assert "Raise it and go on" in refused[0].message
    assert endpoint.spent.requests == answered
    assert endpoint.spent.cost_usd == pytest.approx(0.11 * answered)


async def test_a_later_run_goes_on_with_the_budget(server: ScriptedEndpoint) -> None:
    server.scripts[""] = always("4")
    budget = Budget(max_requests=3)
    async with Endpoint(settings(server), budget=budget) as endpoint:
        await ask_many(endpoint, 2)
    async with Endpoint(settings(server), budget=budget, spent=endpoint.spent) as endpoint:
        await ask_many(endpoint, 2)
    assert len(server.requests) == 3
    assert endpoint.spent == Spent(requests=3, tokens_in=300, tokens_out=30)


def test_money_cannot_be_counted_without_prices() -> None:
    chosen = EndpointSettings(base_url=NOWHERE, model="tiny")
    with pytest.raises(ConfigError, match="usd_per_million"):
        Endpoint(chosen, budget=Budget(max_cost_usd=1.0))


async def test_no_more_requests_than_allowed_are_under_way(server: ScriptedEndpoint) -> None:
    server.scripts[""] = always(Reply("4", delay_s=0.05))
    async with Endpoint(settings(server, concurrency=3)) as endpoint:
        found = await ask_many(endpoint, 12)
    assert all(isinstance(one, Answer) for one in found)
    assert server.most_in_flight == 3


async def test_a_cancelled_request_is_recorded_and_paid(server: ScriptedEndpoint) -> None:
    came = asyncio.Event()

    def script(_asked: Asked) -> Reply:
        came.set()
        return Reply("4", delay_s=60)

    server.scripts[""] = script
    records: list[RequestRecord] = []
    async with Endpoint(settings(server)) as endpoint:
        task = asyncio.ensure_future(endpoint.ask(QUESTION, "test", records=records))
        await came.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    (record,) = records
    assert record.outcome == "cancelled"
    assert endpoint.spent.tokens_out == record.tokens_out > 0


async def test_each_exchange_can_be_kept(server: ScriptedEndpoint) -> None:
    server.scripts[""] = in_turn(Reply("no", status=500), "4")
    kept: list[tuple[str, str, str | None]] = []

    def keep(record: RequestRecord, messages: Any, text: str | None) -> None:
        kept.append((record.outcome, messages[-1].content, text))

    async with Endpoint(settings(server), on_exchange=keep) as endpoint:
        await endpoint.ask(QUESTION, "test")
    assert kept == [("server_error", "What is it?", None), ("answered", "What is it?", "4")]


# --- the package ----------------------------------------------------------------------------------


def test_without_the_package_the_extra_is_named() -> None:
    program = """
import asyncio, sys
sys.modules["openai"] = None  # as if it were not installed
from scalebox.specialjudges import generate, prompts
from scalebox.specialjudges.endpoint import Endpoint, EndpointSettings, MissingExtraError

async def main():
    try:
        async with Endpoint(EndpointSettings(base_url="http://127.0.0.1:1", model="m")):
            pass
    except MissingExtraError as error:
        print(error.message)

asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=120
    )
    assert "pip install 'scalebox[llm]'" in done.stdout, done.stderr


async def test_a_closed_endpoint_is_not_asked(server: ScriptedEndpoint) -> None:
    endpoint = Endpoint(settings(server))
    with pytest.raises(ScaleboxError, match="async with"):
        await endpoint.ask(QUESTION, "test")
    assert endpoint.spent == Spent()
