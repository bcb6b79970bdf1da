"""A scripted model behind an API as OpenAI's, on the loopback interface: no model, real sockets.

For tests and for `make eval-demo`: what it answers is laid down by the words of the prompt, the
seed says which of several answers, and every way in which an endpoint fails can be had on demand.
`python -m bench.endpoint --answers FILE` serves until it is ended, and prints its address first.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from aiohttp import web

#: How an answer ends: `whole`; `cut`: the connection breaks in the middle of the body; `reset`: it
#: breaks in the place of an answer; `never`: nothing comes; `drip`: a byte now and then; `endless`:
#: the body never ends.
Course = Literal["whole", "cut", "reset", "never", "drip", "endless"]
_DRIP_S = 0.02
_MAX_REQUEST_BYTES = 64 << 20


@dataclass(frozen=True)
class Asked:
    """A request as it came.

    Attributes:
        kind: by which call.
        body: its JSON.
        headers: names in small letters.
        at_s: when; the differences count.
    """

    kind: Literal["chat", "completion"]
    body: dict[str, Any]
    headers: dict[str, str]
    at_s: float

    @property
    def text(self) -> str:
        """All that was said."""
        if self.kind == "completion":
            return str(self.body.get("prompt", ""))
        messages = self.body.get("messages") or []
        return "\n".join(str(message.get("content", "")) for message in messages)


@dataclass(frozen=True)
class Reply:
    """How a request is answered.

    Attributes:
        text: the model's words; None: null.  With an error's status: the error's message.
        status: of HTTP.
        headers: further ones.
        delay_s: before anything is sent.
        course: how it ends.
        raw: the body, if it is no ordinary one.
        chunked: no length is told.
        finish: the reason why the model ended.
        reasoning: what is told apart from the text.
        usage: whether tokens are told.
    """

    text: str | None = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    course: Course = "whole"
    raw: bytes | None = None
    chunked: bool = False
    finish: str | None = "stop"
    reasoning: str | None = None
    usage: bool = True

    def encoded(self, kind: str, model: str) -> bytes:
        """The body as it is sent."""
        if self.raw is not None:
            return self.raw
        if self.status >= 300:
            error = {"message": self.text, "type": "scripted", "code": self.status}
            return json.dumps({"error": error}).encode()
        choice: dict[str, Any] = {"index": 0, "finish_reason": self.finish}
        if kind == "chat":
            choice["message"] = {"role": "assistant", "content": self.text}
            if self.reasoning is not None:
                choice["message"]["reasoning_content"] = self.reasoning
        else:
            choice["text"] = self.text
        answer: dict[str, Any] = {"id": "scripted", "model": model, "choices": [choice]}
        if self.usage:
            words = len((self.text or "").split())
            answer["usage"] = {"prompt_tokens": 7, "completion_tokens": words}
        return json.dumps(answer).encode()


Script = Callable[[Asked], Reply]

#: Troubles by name, for the command line.
TROUBLES: dict[str, Reply] = {
    "429": Reply("too many requests", status=429, headers={"Retry-After": "1"}),
    "500": Reply("the engine is gone", status=500),
    "503": Reply("loading", status=503),
    "garbage": Reply(raw=b"<html><body>Bad gateway</body></html>"),
    "cut": Reply("cut", course="cut", chunked=True),
    "reset": Reply(course="reset"),
    "never": Reply(course="never"),
}


class ScriptedEndpoint:
    """The server: an async context manager that serves while it is open.

    Parameters:
        answers: words of a prompt → the answers to it, of which a request gets that of its seed
            (or, without one, of how often the prompt came).  Of several that a prompt has the
            longest counts; "" is in every one.
        script: in the place of answers, for all requests.
        troubles: the first requests get these instead, one each, in the order of coming.
        every: reply → each so-manieth request gets it instead.
        key: what requests must carry; None: anything.
        latency_s: of each ordinary answer.
        per_second: more requests in a second are refused with 429 and Retry-After; None: no bound.
        port: 0: any that is free.

    Attributes:
        base_url: where it is, once it serves.
        requests: all that came, in their order.
        in_flight, most_in_flight: requests that are being answered, and their maximum.
        refused: how many were over `per_second`.
    """

    model = "scripted"

    def __init__(
        self,
        answers: Mapping[str, Sequence[str | Reply]] | None = None,
        *,
        script: Script | None = None,
        troubles: Sequence[Reply] = (),
        every: Sequence[tuple[int, Reply]] = (),
        key: str | None = None,
        latency_s: float = 0.0,
        per_second: int | None = None,
        port: int = 0,
    ) -> None:
        self._answers = sorted((answers or {}).items(), key=lambda pair: -len(pair[0]))
        self._script = script or self._answer_of
        self._troubles = list(troubles)
        self._every = every
        self._key = key
        self._latency_s = latency_s
        self._per_second = per_second
        self._port = port
        self._asked: Counter[str] = Counter()
        self._granted: list[float] = []
        self._runner: web.AppRunner | None = None
        self.base_url = ""
        self.requests: list[Asked] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self.refused = 0

    async def __aenter__(self) -> ScriptedEndpoint:
        app = web.Application(client_max_size=_MAX_REQUEST_BYTES)
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_post("/v1/completions", self._completion)
        app.router.add_get("/v1/models", self._models)
        self._runner = web.AppRunner(
            app, handle_signals=False, shutdown_timeout=0.2, handler_cancellation=True
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        return await self._served(request, "chat")

    async def _completion(self, request: web.Request) -> web.StreamResponse:
        return await self._served(request, "completion")

    async def _models(self, request: web.Request) -> web.StreamResponse:
        if not self._is_allowed(request):
            return await _send(request, Reply("no key", status=401), b"{}")
        return web.json_response({"object": "list", "data": [{"id": self.model}]})

    async def _served(
        self, request: web.Request, kind: Literal["chat", "completion"]
    ) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            body = json.loads(await request.read())
        except ValueError:
            body = None
        if not isinstance(body, dict):
            return web.json_response({"error": {"message": "no JSON object"}}, status=400)
        asked = Asked(kind, body, headers, time.monotonic())
        self.requests.append(asked)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            reply = self._reply(request, asked)
            return await _send(request, reply, reply.encoded(kind, self.model))
        finally:
            self.in_flight -= 1

    def _reply(self, request: web.Request, asked: Asked) -> Reply:
        if not self._is_allowed(request):
            sent = asked.headers.get("authorization", "no key").removeprefix("Bearer ")
            return Reply(f"Incorrect API key provided: {sent}", status=401)
        if self._troubles:
            return self._troubles.pop(0)
        for count, reply in self._every:
            if len(self.requests) % count == 0:
                return reply
        if self._per_second is not None and not self._is_within(self._per_second):
            self.refused += 1
            return Reply("slow down", status=429, headers={"Retry-After": "1"})
        return self._script(asked)

    def _is_within(self, per_second: int) -> bool:
        now = time.monotonic()
        self._granted = [one for one in self._granted if one > now - 1.0]
        if len(self._granted) >= per_second:
            return False
        self._granted.append(now)
        return True

    def _is_allowed(self, request: web.Request) -> bool:
        return self._key is None or request.headers.get("Authorization") == f"Bearer {self._key}"

    def _answer_of(self, asked: Asked) -> Reply:
        text = asked.text
        found = next(((words, those) for words, those in self._answers if words in text), None)
        if found is None:
            return Reply("this prompt is not in the script", status=400)
        words, answers = found
        seed = asked.body.get("seed")
        place = seed if isinstance(seed, int) else self._asked[words]
        self._asked[words] += 1
        answer = answers[place % len(answers)]
        return answer if isinstance(answer, Reply) else Reply(answer, delay_s=self._latency_s)


async def _send(request: web.Request, reply: Reply, body: bytes) -> web.StreamResponse:
    await asyncio.sleep(reply.delay_s)
    if reply.course == "never":
        await asyncio.Event().wait()
    if reply.course == "reset":
        _hang_up(request)
        return web.Response()
    headers = {"Content-Type": "application/json", **reply.headers}
    response = web.StreamResponse(status=reply.status, headers=headers)
    if not reply.chunked and reply.course != "endless":
        response.content_length = len(body)
    await response.prepare(request)
    if reply.course == "cut":
        await response.write(body[: len(body) // 2])
        _hang_up(request)
        return response
    while reply.course == "endless":  # until the other side has had enough
        await response.write(b" " * 65_536)
    if reply.course == "drip":
        for byte in body:
            await response.write(bytes([byte]))
            await asyncio.sleep(_DRIP_S)
    else:
        await response.write(body)
    await response.write_eof()
    return response


def _hang_up(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


def read_answers(path: Path) -> dict[str, list[str]]:
    """Answers from JSON lines `{"prompt": …, "answers": […]}`; of a prompt, words to know it by.

    Raises:
        SystemExit: a line is not so.
    """
    found: dict[str, list[str]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
            prompt, answers = row["prompt"], row["answers"]
        except (ValueError, LookupError, TypeError):
            prompt = answers = None
        if not isinstance(prompt, str) or not isinstance(answers, list) or not answers:
            sys.exit(f'{path}, line {number} is not as {{"prompt": "…", "answers": ["…"]}}')
        found[prompt] = [str(answer) for answer in answers]
    return found


def _trouble(text: str) -> tuple[int, Reply]:
    name, _, count = text.partition("=")
    if name not in TROUBLES or not count.isdigit() or int(count) < 1:
        raise argparse.ArgumentTypeError(f"NAME=COUNT, and NAME one of {', '.join(TROUBLES)}")
    return int(count), TROUBLES[name]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.endpoint", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: any that is free")
    parser.add_argument("--answers", type=Path, help='JSON lines {"prompt": …, "answers": […]}')
    parser.add_argument("--always", default="pass", help="without answers: this is answered")
    parser.add_argument("--latency-s", type=float, default=0.0)
    parser.add_argument("--per-second", type=int, help="more are refused with 429")
    parser.add_argument("--key-env", help="requests must carry what this variable holds")
    parser.add_argument(
        "--every",
        type=_trouble,
        action="append",
        default=[],
        metavar="TROUBLE=COUNT",
        help=f"each COUNTth request gets it: {', '.join(TROUBLES)}",
    )
    return parser


async def serve(options: argparse.Namespace) -> None:
    """Serve until SIGINT or SIGTERM."""
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    endpoint = ScriptedEndpoint(
        read_answers(options.answers) if options.answers else {"": [options.always]},
        every=options.every,
        key=os.environ[options.key_env] if options.key_env else None,
        latency_s=options.latency_s,
        per_second=options.per_second,
        port=options.port,
    )
    async with endpoint:
        print(endpoint.base_url, flush=True)
        await ended.wait()
    print(
        f"{len(endpoint.requests)} requests, at most {endpoint.most_in_flight} at once",
        file=sys.stderr,
    )


@contextlib.asynccontextmanager
async def raw_endpoint(answer: bytes) -> AsyncIterator[str]:
    """A server that says the same bytes to whoever asks, HTTP or not, and closes the connection;
    gives its base URL."""

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(say, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"


if __name__ == "__main__":
    asyncio.run(serve(_parser().parse_args()))
