"""A scripted model behind an OpenAI-compatible endpoint of the tests' own: real sockets, and every
kind of answer on demand.

What it answers is decided by a script, which is found by a word in the prompt: tests write that
word into their problem's statement.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass(frozen=True)
class Asked:
    """One request as it came.

    Attributes:
        body: its JSON.
        headers: with names in small letters.
        at_s: when it came; the differences count.
    """

    body: dict[str, Any]
    headers: dict[str, str]
    at_s: float

    @property
    def text(self) -> str:
        """All that was said."""
        return "\n".join(message["content"] for message in self.body["messages"])

    @property
    def is_repair(self) -> bool:
        """Whether a former judge is in it."""
        return any(message["role"] == "assistant" for message in self.body["messages"])

    @property
    def is_second_try(self) -> bool:
        """Whether it says that an answer held no judge."""
        return "could not be used" in self.text


@dataclass(frozen=True)
class Reply:
    """How a request is answered.

    Attributes:
        text: the model's words.
        status: of HTTP; with an error's, `text` is the error's message.
        headers: further ones.
        delay_s: before anything is sent.
        drop: the connection ends in place of an answer; `drop_within`: in the middle of its body.
        raw: the body, if it is no ordinary one.
        drip_s: the body comes a byte at a time, with so long between them.
        endless: the body never ends.
        finish: the reason why the answer ends.
        usage: whether tokens are told (100 and 10).
        model: the name that it says answered.
    """

    text: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    drop: bool = False
    drop_within: bool = False
    raw: bytes | None = None
    drip_s: float = 0.0
    endless: bool = False
    finish: str = "stop"
    usage: bool = True
    model: str = "scripted-1"

    @property
    def body(self) -> bytes:
        """As it is sent."""
        if self.raw is not None:
            return self.raw
        if self.status >= 300:
            return json.dumps({"error": {"message": self.text, "type": "scripted"}}).encode()
        said = {"role": "assistant", "content": self.text}
        answer: dict[str, Any] = {
            "id": "x",
            "object": "chat.completion",
            "model": self.model,
            "choices": [{"index": 0, "message": said, "finish_reason": self.finish}],
        }
        if self.usage:
            answer["usage"] = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
        return json.dumps(answer).encode()


Script = Callable[[Asked], Reply]


def always(reply: Reply | str) -> Script:
    """The same each time."""
    made = Reply(reply) if isinstance(reply, str) else reply
    return lambda _asked: made


def in_turn(*replies: Reply | str) -> Script:
    """One after the other as requests come, the last again and again."""
    left = [Reply(reply) if isinstance(reply, str) else reply for reply in replies]
    return lambda _asked: left.pop(0) if len(left) > 1 else left[0]


def repaired(first: Reply | str, then: Reply | str) -> Script:
    """One answer to who asks for a judge, and another to who asks again, in whatever order."""
    one, other = always(first), always(then)
    return lambda asked: (other if asked.is_repair or asked.is_second_try else one)(asked)


class ScriptedEndpoint:
    """The server.

    Attributes:
        scripts: by a word of the prompt; the word "" is in every one.
        requests: all that came, in their order.
        in_flight, most_in_flight: requests now being answered, and their maximum.
        base_url: where it is, once it serves.
    """

    def __init__(self, scripts: dict[str, Script] | None = None) -> None:
        self.scripts = scripts or {}
        self.requests: list[Asked] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self.base_url = ""

    async def complete(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Asked(json.loads(await request.read()), headers, time.monotonic())
        self.requests.append(asked)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            script = next(one for word, one in self.scripts.items() if word in asked.text)
            return await _send(request, script(asked))
        finally:
            self.in_flight -= 1


async def _send(request: web.Request, reply: Reply) -> web.StreamResponse:
    await asyncio.sleep(reply.delay_s)
    if reply.drop:
        _hang_up(request)
        return web.Response()
    body = reply.body
    headers = {"Content-Type": "application/json", **reply.headers}
    response = web.StreamResponse(status=reply.status, headers=headers)
    if not reply.endless:
        response.content_length = len(body)
    await response.prepare(request)
    if reply.drop_within:
        await response.write(body[: len(body) // 2])
        _hang_up(request)
        return response
    if reply.drip_s:
        for byte in body:
            await response.write(bytes([byte]))
            await asyncio.sleep(reply.drip_s)
    while reply.endless:  # until the other side has had enough
        await response.write(b" " * 65_536)
    await response.write(body)
    await response.write_eof()
    return response


def _hang_up(request: web.Request) -> None:
    assert request.transport is not None
    request.transport.abort()


@contextlib.asynccontextmanager
async def serving(endpoint: ScriptedEndpoint) -> AsyncIterator[str]:
    """Serve on a free port of the loopback interface; gives the base URL."""
    app = web.Application(client_max_size=1 << 24)
    app.router.add_post("/v1/chat/completions", endpoint.complete)
    runner = web.AppRunner(
        app, handle_signals=False, shutdown_timeout=0.5, handler_cancellation=True
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        endpoint.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        yield endpoint.base_url
    finally:
        await runner.cleanup()
