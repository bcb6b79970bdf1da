"""A model's endpoint is asked: what is sent, what comes back, and how much at once."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from bench.endpoint import Asked, Reply, ScriptedEndpoint
from scalebox.suite.errors import EndpointError, SuiteError
from scalebox.suite.sampling.endpoint import PromptRefusedError
from scalebox.suite.tasks import Sample, Task
from tests.descriptors import open_descriptors
from tests.suite.sampling.conftest import VARIABLE, Asking, task


def sockets() -> set[str]:
    return {what for what in open_descriptors().values() if what.startswith("socket:")}


def many(count: int) -> list[tuple[Task, int]]:
    return [(task(f"Own/{number}"), 0) for number in range(count)]


async def test_chat_request_has_what_is_set_and_nothing_else(asking: Asking) -> None:
    async with ScriptedEndpoint({"": ["hi"]}) as server:
        async with asking(server.base_url) as endpoint:
            await endpoint.sample(task(instruction="Say hi."), 0)
        messages = [{"role": "user", "content": "Say hi."}]
        assert server.requests[0].kind == "chat"
        assert server.requests[0].body == {"model": "m", "n": 1, "messages": messages}
        assert "authorization" not in server.requests[0].headers


async def test_completion_request_has_all_that_is_set(asking: Asking) -> None:
    fields: dict[str, Any] = {
        "temperature": 0.5, "top_p": 0.9, "top_k": 7, "min_p": 0.1, "max_tokens": 99,
    }  # fmt: skip
    async with ScriptedEndpoint({"": ["hi"]}) as server:
        async with asking(
            server.base_url,
            kind="completion",
            model="org/name",
            stop=["\n\n", "\ndef"],
            seed=40,
            extra={"repetition_penalty": 1.1, "chat_template_kwargs": {"enable_thinking": False}},
            **fields,
        ) as endpoint:
            await endpoint.sample(task(prompt="def f():\n"), 2)
        assert server.requests[0].kind == "completion"
        assert server.requests[0].body == {
            "model": "org/name",
            "n": 1,
            "prompt": "def f():\n",
            "stop": ["\n\n", "\ndef", "\nclass"],
            "seed": 42,
            "repetition_penalty": 1.1,
            "chat_template_kwargs": {"enable_thinking": False},
            **fields,
        }


async def test_stop_texts_of_a_conversation_are_the_configuration_s(asking: Asking) -> None:
    async with ScriptedEndpoint({"": ["hi"]}) as server:
        async with asking(server.base_url, stop=["###"]) as endpoint:
            await endpoint.sample(task(), 0)
        assert server.requests[0].body["stop"] == ["###"]


async def test_answer_becomes_a_sample(asking: Asking) -> None:
    said = Reply("two words", finish="length", reasoning="hmm", delay_s=0.05)
    async with (
        ScriptedEndpoint({"": [said]}) as server,
        asking(server.base_url) as endpoint,
    ):
        sample = await endpoint.sample(task(), 3)
    assert sample.seconds >= 0.05
    assert sample == Sample(
        task="Own/0",
        index=3,
        text="two words",
        kind="answer",
        reasoning="hmm",
        finish="length",
        prompt_tokens=7,
        completion_tokens=2,
        seconds=sample.seconds,
    )


async def test_continuation_becomes_a_completion(asking: Asking) -> None:
    async with (
        ScriptedEndpoint({"": [Reply("    pass\n", usage=False)]}) as server,
        asking(server.base_url, kind="completion") as endpoint,
    ):
        sample = await endpoint.sample(task(), 0)
    assert (sample.text, sample.kind, sample.prompt_tokens) == ("    pass\n", "completion", None)


@pytest.mark.parametrize("text", ["", None])
async def test_honestly_empty_answer_is_a_sample(text: str | None, asking: Asking) -> None:
    async with ScriptedEndpoint({"": [Reply(text, finish="stop")]}) as server:
        async with asking(server.base_url) as endpoint:
            sample = await endpoint.sample(task(), 0)
        assert (sample.text, sample.finish) == ("", "stop")
        assert len(server.requests) == 1


async def test_seed_says_which_answer_so_that_resuming_is_exact(asking: Asking) -> None:
    async with (
        ScriptedEndpoint({"": ["zero", "one", "two"]}) as server,
        asking(server.base_url, seed=0) as endpoint,
    ):
        late = await endpoint.sample(task(), 2)
        early = await endpoint.sample(task(), 0)
    assert (late.text, early.text) == ("two", "zero")


async def test_slash_at_the_end_of_the_address_does_not_matter(asking: Asking) -> None:
    async with (
        ScriptedEndpoint({"": ["hi"]}) as server,
        asking(f"{server.base_url}/") as endpoint,
    ):
        assert (await endpoint.sample(task(), 0)).text == "hi"


async def test_key_is_sent_and_never_kept(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "secret-0123456789")
    said = Reply("it is secret-0123456789", reasoning="secret-0123456789")
    async with (
        ScriptedEndpoint({"": [said]}, key="secret-0123456789") as server,
        asking(server.base_url) as endpoint,
    ):
        sample = await endpoint.sample(task(), 0)
        assert "secret" not in repr(endpoint)
    assert "secret" not in repr(sample)
    assert sample.text.startswith("it is ")


async def test_many_are_asked_at_once_and_no_more(asking: Asking) -> None:
    async with ScriptedEndpoint({"": ["hi"]}, latency_s=0.02) as server:
        async with asking(server.base_url, in_flight=4) as endpoint:
            found = [sample async for sample in endpoint.sample_all(many(20))]
        assert server.most_in_flight == 4
    assert {sample.task for sample in found} == {f"Own/{number}" for number in range(20)}


async def test_source_is_read_as_room_appears(asking: Asking) -> None:
    read: list[int] = []

    def source() -> Iterator[tuple[Task, int]]:
        for number, pair in enumerate(many(10)):
            read.append(number)
            yield pair

    async with (
        ScriptedEndpoint({"": ["hi"]}) as server,
        asking(server.base_url, in_flight=2) as endpoint,
        contextlib.aclosing(endpoint.sample_all(source())) as samples,
    ):
        await anext(samples)
        await asyncio.sleep(0.05)
        assert len(read) == 2


async def test_samples_come_as_they_are_ready(asking: Asking) -> None:
    answers = {"Own_0": [Reply("slow", delay_s=0.3)], "Own_1": ["fast"]}
    async with ScriptedEndpoint(answers) as server, asking(server.base_url) as endpoint:
        found = [sample.text async for sample in endpoint.sample_all(many(2))]
    assert found == ["fast", "slow"]


async def test_nothing_is_asked_where_nothing_is_wanted(asking: Asking) -> None:
    async with ScriptedEndpoint() as server, asking(server.base_url) as endpoint:
        assert [sample async for sample in endpoint.sample_all([])] == []
        assert server.requests == []


async def test_leaving_the_loop_early_breaks_off_what_is_under_way(asking: Asking) -> None:
    answers = {"Own_0": ["fast"], "": [Reply("late", course="never")]}
    async with ScriptedEndpoint(answers) as server, asking(server.base_url) as endpoint:
        async with contextlib.aclosing(endpoint.sample_all(many(5))) as samples:
            async for sample in samples:
                assert sample.text == "fast"
                break
        await gone(server)


async def test_cancelling_leaves_neither_sockets_nor_requests(asking: Asking) -> None:
    async with ScriptedEndpoint({"": [Reply(course="never")]}) as server:
        before = sockets()

        async def ask() -> None:
            async with asking(server.base_url) as endpoint:
                async for _ in endpoint.sample_all(many(5)):
                    pass

        running = asyncio.create_task(ask())
        while server.in_flight < 5:
            await asyncio.sleep(0.01)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await gone(server)
        assert sockets() <= before
        assert not [one for one in asyncio.all_tasks() if "_into" in repr(one.get_coro())]


async def test_endpoint_that_is_closed_ends_who_waits_for_it(asking: Asking) -> None:
    async with ScriptedEndpoint({"": [Reply(course="never")]}) as server:
        async with asking(server.base_url) as endpoint:
            samples = endpoint.sample_all(many(2))
            waiting = asyncio.ensure_future(anext(samples))
            while server.in_flight < 2:
                await asyncio.sleep(0.01)
        with pytest.raises(SuiteError, match="was closed"):
            await waiting


async def test_failing_endpoint_ends_it_after_what_is_ready(asking: Asking) -> None:
    def script(asked: Asked) -> Reply:
        return Reply("hi") if "Own_0" in asked.text else Reply("no", status=403, delay_s=0.2)

    async with ScriptedEndpoint(script=script) as server:
        async with asking(server.base_url, in_flight=3) as endpoint:
            found: list[str] = []
            with pytest.raises(EndpointError, match="HTTP 403"):
                await collect(endpoint.sample_all(many(50)), found)
        assert found == ["Own/0"]
        assert len(server.requests) < 10
        await gone(server)


async def test_refused_prompt_is_told_after_the_others_are_answered(asking: Asking) -> None:
    def script(asked: Asked) -> Reply:
        long = "Own_3(" in asked.text or "Own_5(" in asked.text
        return Reply("4097 tokens are too many", status=400) if long else Reply("hi")

    async with ScriptedEndpoint(script=script) as server:
        async with asking(server.base_url, in_flight=2) as endpoint:
            found: list[str] = []
            with pytest.raises(PromptRefusedError) as caught:
                await collect(endpoint.sample_all(many(40)), found)
        assert len(found) == 38
        assert len(server.requests) == 40
    assert "task 'Own/3'" in str(caught.value)
    assert "(2 requests are refused in all)" in str(caught.value)


async def test_setting_that_is_refused_each_time_is_not_tried_on_every_task(
    asking: Asking,
) -> None:
    async with ScriptedEndpoint({"": [Reply("no top_k here", status=400)]}) as server:
        async with asking(server.base_url, top_k=5, in_flight=4) as endpoint:
            with pytest.raises(PromptRefusedError, match="no top_k here"):
                await anext(endpoint.sample_all(many(500)))
        assert len(server.requests) < 30


async def test_task_that_cannot_be_asked_is_told_after_the_others(asking: Asking) -> None:
    wanted = [(task("Own/0", prompt=""), 0), (task("Own/1"), 0)]
    async with ScriptedEndpoint({"": ["hi"]}) as server, asking(server.base_url) as endpoint:
        samples = endpoint.sample_all(wanted)
        assert (await anext(samples)).task == "Own/1"
        with pytest.raises(SuiteError, match="'Own/0': there is nothing to ask"):
            await anext(samples)


async def test_error_of_the_source_ends_it(asking: Asking) -> None:
    def source() -> Iterator[tuple[Task, int]]:
        yield task(), 0
        raise ZeroDivisionError

    async with (
        ScriptedEndpoint({"": [Reply(course="never")]}) as server,
        asking(server.base_url) as endpoint,
    ):
        with pytest.raises(ZeroDivisionError):
            await anext(endpoint.sample_all(source()))
        await gone(server)


async def test_error_in_the_block_is_raised_as_it_is(asking: Asking) -> None:
    with pytest.raises(ZeroDivisionError):
        async with asking("http://127.0.0.1:9/v1"):
            raise ZeroDivisionError


async def test_endpoint_that_is_not_open_says_so(asking: Asking) -> None:
    endpoint = asking("http://127.0.0.1:9/v1")
    with pytest.raises(SuiteError, match="not open"):
        await endpoint.sample(task(), 0)
    with pytest.raises(SuiteError, match="not open"):
        await anext(endpoint.sample_all(many(1)))


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("127.0.0.1:8000/v1", "is no address of an endpoint"),
        ("ftp://host/v1", "is no address of an endpoint"),
        ("http:///v1", "is no address of an endpoint"),
        ("http://host:99999/v1", "is no address of an endpoint"),
        ("http://[::1/v1", "is no address of an endpoint"),
        ("http://host/v1?key=1", "ends before"),
        ("http://me:pass@host/v1", "name or key in its address"),
        ("", "has no endpoint"),
    ],
)
def test_what_is_no_address_is_refused(address: str, words: str, asking: Asking) -> None:
    with pytest.raises(SuiteError, match=words) as caught:
        asking(address)
    assert "pass@" not in str(caught.value)


@pytest.mark.parametrize("name", ["stream", "n", "messages", "model", "max_tokens", "seed"])
def test_field_that_is_said_elsewhere_is_refused(name: str, asking: Asking) -> None:
    with pytest.raises(SuiteError, match=rf"extra has '{name}', which is said by"):
        asking("http://127.0.0.1:9/v1", extra={name: 2})


async def collect(samples: AsyncIterator[Sample], found: list[str]) -> None:
    """Tasks of the samples, also of those before an error."""
    async for sample in samples:
        found.append(sample.task)  # noqa: PERF401


async def gone(server: ScriptedEndpoint) -> None:
    """Wait until the server has no request any more; fails where it keeps them."""
    until = time.monotonic() + 5
    while server.in_flight and time.monotonic() < until:
        await asyncio.sleep(0.01)
    assert server.in_flight == 0
