"""Endpoints that fail: what is asked again, what is given up, and what is said about it."""

from __future__ import annotations

import asyncio
import email.utils
import gzip
import json
import socket
import time
from typing import Any

import pytest

from bench.endpoint import Reply, ScriptedEndpoint, raw_endpoint
from scalebox.suite.errors import EndpointError
from scalebox.suite.sampling import wire
from scalebox.suite.sampling.endpoint import PromptRefusedError
from tests.suite.sampling.conftest import VARIABLE, Asking, task

KEY = "sk-4c1e8a52f09d7b36"
GOOD = json.dumps({"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]}).encode()


def raw(body: bytes, **fields: Any) -> Reply:
    return Reply(raw=body, **fields)


def packed() -> Reply:
    return raw(gzip.compress(GOOD), headers={"Content-Encoding": "gzip"})


#: What may pass, and what is said about it where it does not.
PASSING: dict[str, tuple[Reply, str]] = {
    "408": (Reply("slow", status=408), "HTTP 408: slow"),
    "409": (Reply("busy", status=409), "HTTP 409: busy"),
    "425": (Reply("early", status=425), "HTTP 425: early"),
    "429": (Reply("many", status=429), "HTTP 429: many"),
    "500": (Reply("gone", status=500), "HTTP 500: gone"),
    "502": (raw(b"<html>\nBad  Gateway", status=502), "HTTP 502: <html> Bad Gateway"),
    "503": (raw(b"", status=503), "HTTP 503: nothing"),
    "529": (Reply("overloaded", status=529), "HTTP 529: overloaded"),
    "204": (raw(b"", status=204), "HTTP 204"),
    "reset": (Reply(course="reset"), "the connection failed"),
    "cut": (Reply("hi", course="cut"), "the connection failed"),
    "cut chunked": (Reply("hi", course="cut", chunked=True), "the connection failed"),
    "cut error": (Reply("hi", status=500, course="cut"), "HTTP 500: and then the connection"),
    "html": (raw(b"<html><body>Welcome"), "it sent a page of HTML: <html><body>Welcome"),
    "no json": (raw(b"upstream\nerror"), "it sent no JSON"),
    "half": (raw(GOOD[:-9]), "it sent no JSON"),
    "empty": (raw(b""), "it sent an empty body"),
    "stream": (raw(b"data: {}\n\n"), "it sent a stream of events"),
    "shape": (raw(b'{"answer": "hi"}'), "it sent an answer without choices"),
    "choices": (raw(b'{"choices": []}'), "it sent an answer without choices"),
    "null": (raw(b"null"), "it sent JSON that is no answer"),
    "utf-8": (raw(GOOD.replace(b"hi", b"\xff")), "it sent bytes that are no UTF-8"),
    "surrogate": (raw(GOOD.replace(b"hi", b"\\udc80")), "it sent no JSON"),
    "unsaid": (Reply("", finish=None), "without a reason why it ends"),
    "abort": (Reply("ha", finish="abort"), "it sent an answer that was broken off"),
    "error": (raw(b'{"error": {"message": "OOM"}}'), "it sent an error in the place"),
    "packed": (packed(), "an answer packed as gzip"),
}


@pytest.mark.parametrize("name", PASSING)
async def test_failure_that_passes_is_no_sample(name: str, asking: Asking) -> None:
    trouble, _ = PASSING[name]
    async with ScriptedEndpoint({"": ["hi"]}, troubles=[trouble]) as server:
        async with asking(server.base_url) as endpoint:
            sample = await endpoint.sample(task(), 0)
        assert (sample.text, len(server.requests)) == ("hi", 2)


@pytest.mark.parametrize("name", PASSING)
async def test_failure_that_stays_is_told(name: str, asking: Asking) -> None:
    trouble, words = PASSING[name]
    async with ScriptedEndpoint(script=lambda _asked: trouble) as server:
        async with asking(server.base_url, name="the model", retries=1) as endpoint:
            with pytest.raises(EndpointError) as caught:
                await endpoint.sample(task(), 0)
        assert len(server.requests) == 2
        assert f"{server.base_url}/chat/completions: " in str(caught.value)
    message = str(caught.value)
    assert words in message
    assert message.startswith("model 'the model', task 'Own/0': http://127.0.0.1:")
    assert "; tried 2 times" in message
    assert message.isprintable()
    assert not isinstance(caught.value, PromptRefusedError)


async def test_retries_may_be_none(asking: Asking) -> None:
    async with ScriptedEndpoint(script=lambda _asked: Reply(status=500)) as server:
        async with asking(server.base_url, retries=0) as endpoint:
            with pytest.raises(EndpointError, match="tried 1 times"):
                await endpoint.sample(task(), 0)
        assert len(server.requests) == 1


@pytest.mark.parametrize("course", ["never", "drip"])
async def test_answer_that_does_not_end_in_time_is_none(course: Any, asking: Asking) -> None:
    slow = Reply("hi", course=course)
    async with (
        ScriptedEndpoint({"": ["hi"]}, troubles=[slow, slow]) as server,
        asking(server.base_url, timeout_s=0.2, retries=1) as endpoint,
    ):
        async with asyncio.timeout(10):
            with pytest.raises(EndpointError, match=r"no whole answer within 0\.2 s"):
                await endpoint.sample(task(), 0)
        assert (await endpoint.sample(task(), 0)).text == "hi"


@pytest.mark.parametrize(
    ("status", "words"), [(200, "an answer of more than 1,048,576 bytes"), (500, "HTTP 500")]
)
async def test_body_without_end_is_read_up_to_a_bound(
    status: int, words: str, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "MAX_ANSWER_BYTES", 1 << 20)
    endless = Reply(status=status, course="endless")
    async with (
        ScriptedEndpoint(script=lambda _asked: endless) as server,
        asking(server.base_url, retries=0) as endpoint,
    ):
        with pytest.raises(EndpointError, match=words):
            await endpoint.sample(task(), 0)


@pytest.mark.parametrize(
    "answer",
    [
        b"hello\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + GOOD,
        b"HTTP/1.1 200 OK\r\n\r\n" + GOOD[:-5],
        b"\x16\x03\x01\x02\x00",
        b"",
    ],
)
async def test_what_is_no_whole_http_is_no_answer(answer: bytes, asking: Asking) -> None:
    async with (
        raw_endpoint(answer) as base_url,
        asking(base_url, retries=1) as endpoint,
    ):
        with pytest.raises(EndpointError, match="tried 2 times"):
            await endpoint.sample(task(), 0)


async def test_body_that_ends_with_its_connection_is_an_answer(asking: Asking) -> None:
    async with (
        raw_endpoint(b"HTTP/1.1 200 OK\r\n\r\n" + GOOD) as base_url,
        asking(base_url) as endpoint,
    ):
        assert (await endpoint.sample(task(), 0)).text == "hi"


async def test_endpoint_that_is_not_up_is_waited_for(asking: Asking) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with asking(f"http://127.0.0.1:{port}/v1", retries=100) as endpoint:
        asked = asyncio.ensure_future(endpoint.sample(task(), 0))
        await asyncio.sleep(0.1)
        assert not asked.done()
        async with ScriptedEndpoint({"": ["hi"]}, port=port):
            assert (await asked).text == "hi"


async def test_endpoint_that_is_never_up_is_told(asking: Asking) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # nobody listens
        async with asking(f"http://127.0.0.1:{held.getsockname()[1]}/v1") as endpoint:
            with pytest.raises(EndpointError, match=r"the connection failed: .*tried 3 times"):
                await endpoint.sample(task(), 0)


async def test_https_where_there_is_none_is_not_tried_again(asking: Asking) -> None:
    async with ScriptedEndpoint() as server:
        base_url = server.base_url.replace("http:", "https:")
        async with asking(base_url, retries=100) as endpoint:
            with pytest.raises(EndpointError, match=r"there is no safe connection .*https"):
                await endpoint.sample(task(), 0)


@pytest.mark.parametrize(
    ("status", "words", "kind"),
    [
        (400, "look at [sampling]", PromptRefusedError),
        (413, "the prompt is larger", PromptRefusedError),
        (422, "look at [sampling]", PromptRefusedError),
        (402, "HTTP 402: it said so", EndpointError),
        (403, f"there is no key in ${VARIABLE} (api_key_env)", EndpointError),
    ],
)
async def test_refusal_is_told_at_once(
    status: int, words: str, kind: type[Exception], asking: Asking
) -> None:
    async with ScriptedEndpoint({"": [Reply("it  said\nso", status=status)]}) as server:
        async with asking(server.base_url) as endpoint:
            with pytest.raises(EndpointError) as caught:
                await endpoint.sample(task(), 0)
        assert len(server.requests) == 1
    assert type(caught.value) is kind
    assert f"HTTP {status}: it said so" in str(caught.value)
    assert words in str(caught.value)


async def test_long_and_strange_words_are_cut(asking: Asking) -> None:
    said = "\x1b[2J\u202e" + "x" * 100_000
    async with (
        ScriptedEndpoint({"": [Reply(said, status=400)]}) as server,
        asking(server.base_url) as endpoint,
    ):
        with pytest.raises(EndpointError) as caught:
            await endpoint.sample(task(), 0)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 1000


async def test_wrong_key_is_told_by_the_name_of_its_variable(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, KEY)
    async with ScriptedEndpoint({"": ["hi"]}, key="another-key") as server:
        async with asking(server.base_url) as endpoint:
            with pytest.raises(EndpointError, match="HTTP 401: Incorrect API key") as caught:
                await endpoint.sample(task(), 0)
        assert len(server.requests) == 1
    assert f"is the key in ${VARIABLE} (api_key_env) the right one" in str(caught.value)
    assert_has_no_part_of_the_key(str(caught.value))


async def test_missing_key_is_told(asking: Asking) -> None:
    async with ScriptedEndpoint({"": ["hi"]}, key="a-key") as server:
        async with asking(server.base_url) as endpoint:
            with pytest.raises(EndpointError, match=rf"there is no key in \${VARIABLE}"):
                await endpoint.sample(task(), 0)
        async with asking(server.base_url, api_key_env="") as endpoint:
            with pytest.raises(EndpointError, match="no key is sent: say in api_key_env"):
                await endpoint.sample(task(), 0)


async def test_model_that_is_not_there_is_told_with_those_that_are(asking: Asking) -> None:
    async with ScriptedEndpoint({"": [Reply("no such model", status=404)]}) as server:
        async with asking(server.base_url, model="wrong") as endpoint:
            with pytest.raises(EndpointError, match=r"no such model; its models are 'scripted'$"):
                await endpoint.sample(task(), 0)
        async with asking(server.base_url, model="scripted") as endpoint:
            with pytest.raises(EndpointError, match="try kind = 'completion'"):
                await endpoint.sample(task(), 0)


async def test_address_that_is_not_the_api_s_is_told(asking: Asking) -> None:
    async with (
        ScriptedEndpoint({"": ["hi"]}) as server,
        asking(server.base_url.removesuffix("/v1"), model="scripted") as endpoint,
    ):
        with pytest.raises(EndpointError, match=r"HTTP 404.*does the endpoint's address end in"):
            await endpoint.sample(task(), 0)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_redirect_is_told_and_not_followed(
    status: int, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, KEY)
    async with ScriptedEndpoint({"": ["stolen"]}) as other:
        there = f"{other.base_url}/chat/completions"
        moved = Reply(status=status, headers={"Location": f"{there}?key={KEY}"})
        async with ScriptedEndpoint({"": [moved]}) as server:
            async with asking(server.base_url) as endpoint:
                with pytest.raises(EndpointError) as caught:
                    await endpoint.sample(task(), 0)
            assert len(server.requests) == 1
        assert other.requests == []
    assert f"HTTP {status}, which leads to {there}" in str(caught.value)
    assert_has_no_part_of_the_key(str(caught.value))


ECHO = json.dumps({"error": {"message": f"you sent Bearer {KEY}"}}).encode()


@pytest.mark.parametrize("status", [200, 204, 302, 400, 401, 403, 404, 413, 418, 422, 429, 500])
@pytest.mark.parametrize("body", [ECHO, KEY.encode(), b"<html>" + b" " * 290 + KEY.encode()])
async def test_key_is_in_no_error(
    status: int, body: bytes, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, KEY)
    headers = {"Location": f"/{KEY}", "Retry-After": "0"}
    reply = raw(body, status=status, headers=headers)
    async with (
        ScriptedEndpoint(script=lambda _asked: reply) as server,
        asking(server.base_url, retries=1) as endpoint,
    ):
        with pytest.raises(EndpointError) as caught:
            await endpoint.sample(task(), 0)
    error: BaseException | None = caught.value
    assert_has_no_part_of_the_key(repr(error))
    assert error.__cause__ is None
    assert error.__suppress_context__


@pytest.mark.parametrize("kind", ["seconds", "date"])
async def test_endpoint_that_asks_for_patience_gets_it(kind: str, asking: Asking) -> None:
    at = time.time() + 2
    after = "0.5" if kind == "seconds" else email.utils.formatdate(at, usegmt=True)
    busy = Reply("many", status=429, headers={"Retry-After": after})
    async with ScriptedEndpoint({"": ["hi"]}, troubles=[busy]) as server:
        async with asking(server.base_url) as endpoint:
            assert (await endpoint.sample(task(), 0)).text == "hi"
        first, second = (asked.at_s for asked in server.requests)
    assert second - first >= (0.5 if kind == "seconds" else 0.9)


async def test_endpoint_that_asks_for_a_year_is_asked_again_sooner(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scalebox.suite.sampling.endpoint.MAX_RETRY_AFTER_S", 0.1)
    strange = ("31536000", "1e300", "inf", "nan", "-5", "soon", "Wed, 99 Foo 2031 99:99:99 GMT")
    troubles = [Reply(status=503, headers={"Retry-After": after}) for after in strange]
    async with (
        ScriptedEndpoint({"": ["hi"]}, troubles=troubles) as server,
        asking(server.base_url, retries=len(strange)) as endpoint,
    ):
        assert (await endpoint.sample(task(), 0)).text == "hi"


async def test_all_requests_share_one_pause(asking: Asking) -> None:
    """One of many is refused: until the pause is over, none of the others goes either."""
    busy = Reply("many", status=429, headers={"Retry-After": "0.6"})
    async with (
        ScriptedEndpoint({"": ["hi"]}, troubles=[busy], latency_s=0.02) as server,
        asking(server.base_url, in_flight=4) as endpoint,
    ):
        wanted = [(task(f"Own/{number}"), 0) for number in range(30)]
        found = [sample async for sample in endpoint.sample_all(wanted)]
        times = [asked.at_s for asked in server.requests]
    assert len(found) == 30
    assert len(times) == 31
    # The four that were sent at first, and the rest behind the pause.
    assert times[4] - times[3] >= 0.5


async def test_endpoint_that_takes_so_many_a_second_is_met_half_way(asking: Asking) -> None:
    """What it refuses is a small part, and none of it is lost."""
    async with ScriptedEndpoint({"": ["hi"]}, per_second=20) as server:
        async with asking(server.base_url, in_flight=16, retries=8) as endpoint:
            wanted = [(task(f"Own/{number}"), 0) for number in range(50)]
            found = [sample async for sample in endpoint.sample_all(wanted)]
        assert len({sample.task for sample in found}) == 50
        assert server.refused < 50


def assert_has_no_part_of_the_key(text: str) -> None:
    parts = [KEY[place : place + 4] for place in range(len(KEY) - 3)]
    assert not [part for part in parts if part in text], text
