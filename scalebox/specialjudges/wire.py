"""The `openai` client as it is used here: one request, bounded in time and size, asked once.

The only module that imports `openai`, and imported by `endpoint` when one is opened: the package
is an extra.  When to ask again, what it costs and what is recorded are `endpoint`'s.

Bodies are read here, by pieces, so that an endpoint cannot fill the memory: that of an answer from
the stream, that of an error in a hook, before the client would read it whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Annotated, Any, NoReturn

import msgspec
import openai

from scalebox.client.retry import parse_retry_after
from scalebox.specialjudges.exchange import Failure, Message, Outcome

_CONNECT_TIMEOUT_S = 10.0
#: So much of an endpoint's own words about an error is read.
_ERROR_BYTES = 16 << 10


_Tokens = Annotated[int, msgspec.Meta(ge=0, le=1 << 40)]


class Usage(msgspec.Struct):
    """How many tokens the endpoint counted."""

    prompt_tokens: _Tokens
    completion_tokens: _Tokens


class _Said(msgspec.Struct):
    # Null where a model was cut before it said anything, or refuses.
    content: str | None = None


class _Choice(msgspec.Struct):
    message: _Said
    finish_reason: str | None = None


class Completion(msgspec.Struct):
    """What is read of an answer."""

    choices: list[_Choice]
    model: str | None = None
    usage: Any = None

    @property
    def text(self) -> str:
        """The first choice's words."""
        return (self.choices[0].message.content or "") if self.choices else ""

    @property
    def finish_reason(self) -> str:
        """Why it ends."""
        return (self.choices[0].finish_reason or "") if self.choices else ""

    def counted(self) -> Usage | None:
        """The endpoint's count; None: it gives none, or one that cannot be."""
        try:
            return msgspec.convert(self.usage, Usage)
        except msgspec.ValidationError:
            return None


class _ErrorText(msgspec.Struct):
    message: str = ""


class _ErrorAnswer(msgspec.Struct):
    """How most endpoints put an error; vLLM's has the message at the top."""

    error: _ErrorText | str | None = None
    message: str = ""


class Wire:
    """A session with an endpoint.

    Parameters:
        base_url: up to and without `/chat/completions`.
        api_key: sent with each request.
        timeout_s: of a whole request.
        max_answer_bytes: of an answer's body.
        hide: takes the key out of the endpoint's words.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        timeout_s: float,
        max_answer_bytes: int,
        hide: Callable[[str], str],
    ) -> None:
        self._hide = hide
        self._timeout_s = timeout_s
        self._max_answer_bytes = max_answer_bytes
        self._client = openai.AsyncOpenAI(
            api_key=api_key,
            base_url=base_url,
            # Asked again by the caller, who records each request.
            max_retries=0,
            timeout=openai.Timeout(timeout_s, connect=min(timeout_s, _CONNECT_TIMEOUT_S)),
            # What is not compressed is not larger than what was received.
            default_headers={"Accept-Encoding": "identity"},
            # Where a redirect leads nobody has said that prompts may go.
            http_client=openai.DefaultAsyncHttpxClient(
                event_hooks={"response": [self._look_at_the_head]}, follow_redirects=False
            ),
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._client.close()

    async def complete(self, messages: Sequence[Message], parameters: dict[str, Any]) -> Completion:
        """Ask once.

        Parameters:
            messages: the conversation.
            parameters: further ones of the request, `model` among them.

        Raises:
            Failure: there is no answer, or none that can be read.
        """
        arguments: dict[str, Any] = {**parameters, "messages": msgspec.to_builtins(list(messages))}
        try:
            async with asyncio.timeout(self._timeout_s):
                raw = await self._send(arguments)
        except TimeoutError:
            raise self._too_slow() from None
        try:
            completion = msgspec.json.decode(raw, type=Completion)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Failure(
                "nonsense", f"its answer is no chat completion: {error}", may_be_charged=True
            ) from None
        if not completion.choices:
            raise Failure("nonsense", "its answer holds no choice", may_be_charged=True)
        return completion

    async def _send(self, arguments: dict[str, Any]) -> bytes:
        """The body of the answer.  Causes are left out: they hold the request and its headers."""
        try:
            create = self._client.chat.completions.with_streaming_response.create
            async with create(**arguments) as response:
                return await self._read(response.iter_bytes())
        except openai.APITimeoutError as error:
            if type(error.__cause__).__name__ == "ConnectTimeout":
                raise Failure("connection", "it takes no connection") from None
            raise self._too_slow() from None
        except openai.OpenAIError as error:
            _raise_failure(error)

    async def _read(self, pieces: AsyncIterator[bytes]) -> bytes:
        body = bytearray()
        try:
            async for piece in pieces:
                body += piece
                if len(body) > self._max_answer_bytes:
                    break
        except Exception as error:  # whatever the client's transport calls it
            raise Failure(
                "connection", f"the connection broke: {_told(error)}", may_be_charged=True
            ) from None
        if len(body) > self._max_answer_bytes:
            raise Failure(
                "too_large",
                f"its answer is over {self._max_answer_bytes:,} bytes",
                may_be_charged=True,
            )
        return bytes(body)

    async def _look_at_the_head(self, response: Any) -> None:
        """Called by the client before it reads a body; raises what is no answer.

        `response` is the client's own kind, which differs between its versions.

        Raises:
            Failure: an error, or something that was not asked for.
        """
        status = int(response.status_code)
        if status >= 300:
            body = b""
            async for piece in response.aiter_raw():
                body += piece[: _ERROR_BYTES - len(body)]
                if len(body) >= _ERROR_BYTES:
                    break
            # Some versions of the client log this error as it is raised here.
            words = self._hide(_words_of(body))
            raise Failure(
                _outcome_of(status),
                f"HTTP {status}{': ' if words else ''}{words}",
                status=status,
                retry_after_s=parse_retry_after(response.headers.get("Retry-After")),
            )
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise Failure("nonsense", "its answer is compressed, which was not asked for")

    def _too_slow(self) -> Failure:
        return Failure("timeout", f"no answer in {self._timeout_s:g} s", may_be_charged=True)


def _outcome_of(status: int) -> Outcome:
    if status == 429:
        return "rate_limited"
    # 408 and 409 are what gateways say of a moment's trouble.
    return "server_error" if status >= 500 or status in (408, 409) else "refused"


def _words_of(body: bytes) -> str:
    try:
        found = msgspec.json.decode(body, type=_ErrorAnswer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body.decode("utf-8", "replace")
    error = found.error
    words = error.message if isinstance(error, _ErrorText) else error
    return words or found.message or body.decode("utf-8", "replace")


def _raise_failure(error: BaseException) -> NoReturn:
    """Find what the client wrapped.

    Raises:
        Failure: always.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, Failure):
            raise cause from None
        cause = cause.__cause__
    if isinstance(error, openai.APIConnectionError):
        innermost = error.__cause__ or error
        # `ConnectError`: it never came so far that a model could have worked.
        began = not type(innermost).__name__.startswith("Connect")
        raise Failure("connection", _told(innermost), may_be_charged=began) from None
    raise Failure("nonsense", _told(error)) from None


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
