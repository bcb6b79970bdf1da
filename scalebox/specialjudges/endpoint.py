"""`Endpoint`: a model behind an OpenAI-compatible API, asked within bounds.

Answers for: how many requests are under way, when one is sent again, what may be spent, that each
is recorded, and that the API key is in nothing that leaves this module but the request itself.
What is said is `prompts`'; how a request travels is `wire`'s, which alone needs the package
`openai`.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn, TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from scalebox.client.retry import Patience, RetryPolicy
from scalebox.errors import ConfigError, ScaleboxError
from scalebox.model import Seconds
from scalebox.specialjudges.budget import Budget, Ledger, Prices, Spent
from scalebox.specialjudges.exchange import (
    Answer,
    BudgetExhaustedError,
    EndpointError,
    Failure,
    Message,
    MissingExtraError,
    OnExchange,
    Outcome,
    RequestRecord,
    printable,
    prompt_sha256,
)

if TYPE_CHECKING:
    from scalebox.specialjudges.wire import Completion, Wire

__all__ = [
    "Answer",
    "Budget",
    "BudgetExhaustedError",
    "Endpoint",
    "EndpointError",
    "EndpointSettings",
    "Message",
    "MissingExtraError",
    "Prices",
    "RequestRecord",
    "Spent",
]

T = TypeVar("T", bound=Struct)

#: What another try may mend.
_PASSING: frozenset[Outcome] = frozenset({"rate_limited", "server_error", "connection"})
#: What another prompt may mend.
_OF_THE_PROMPT: frozenset[Outcome] = frozenset({"timeout", "too_large", "nonsense"})
#: Refusals of one prompt: a bad request (too long, say), too large, cannot be processed.  Others
#: are of the key, the address or the model.
_PROMPT_STATUSES = frozenset({400, 413, 422})
_FIRST_DELAY_S = 0.5
_MAX_DELAY_S = 30.0
#: Characters of a text to a token: about four in English and in programs, two where it is worst.
_BYTES_PER_TOKEN = 2
#: An API key is not looked for where it would be found in every other word.
_SHORTEST_KEY = 6
_HIDDEN = "[API key]"
# No key looks like this, should somebody put one where its variable's name belongs.
_VARIABLE = r"^([A-Z_][A-Z0-9_]*)?(?!\n)$"
_NAME = 200


class EndpointSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which model, and how it is asked.

    Attributes:
        base_url: of the API, such as `http://127.0.0.1:8000/v1`.
        model: its name there.
        api_key_variable: the environment variable that holds the key, in capitals; empty: none
            is needed.
        temperature: None: the endpoint's own.  Some models take no other.
        seed: None: none is sent.
        max_output_tokens: of an answer, a model's thinking included.
        output_limit: the parameter that says so: newer models of OpenAI take the second only.
        timeout_s: of one request.
        concurrency: requests under way at once.
        retries: how often a request is sent again after 429, 5xx, or a failed connection.
        max_wait_s: an endpoint that asks for more patience at once (`Retry-After`) is given up.
        max_answer_bytes: of an answer's body; a larger one is refused.
        prices: for costs in money.
    """

    base_url: Annotated[str, Meta(pattern="^https?://[^/]")]
    model: Annotated[str, Meta(min_length=1, max_length=_NAME)]
    api_key_variable: Annotated[str, Meta(pattern=_VARIABLE)] = ""
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    seed: Annotated[int, Meta(ge=0, le=1 << 31)] | None = None
    max_output_tokens: Annotated[int, Meta(gt=0)] = 16_384
    output_limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    timeout_s: Seconds = 300.0
    concurrency: Annotated[int, Meta(gt=0, le=1024)] = 8
    retries: Annotated[int, Meta(ge=0, le=100)] = 5
    max_wait_s: Seconds = 120.0
    max_answer_bytes: Annotated[int, Meta(gt=0)] = 1 << 20
    prices: Prices = Prices()


class Endpoint:
    """A model to be asked.  Use it as an async context manager.

    Parameters:
        settings: which, and how.
        budget: what may be spent.
        spent: by an earlier run that this one goes on with.
        on_exchange: called after each request; for logs and stores.

    Raises:
        ConfigError: the settings cannot be, or the key's environment variable is not set.
        MissingExtraError: the package `openai` is not installed (when it is entered).
    """

    def __init__(
        self,
        settings: EndpointSettings,
        *,
        budget: Budget | None = None,
        spent: Spent | None = None,
        on_exchange: OnExchange | None = None,
    ) -> None:
        self.settings = _checked(settings)
        budget = _checked(budget or Budget())
        self._ledger = Ledger(budget, settings.prices, spent or Spent())
        self._on_exchange = on_exchange
        self._places = asyncio.Semaphore(settings.concurrency)
        self._key = _key_of(settings)
        self._wire: Wire | None = None

    def __repr__(self) -> str:
        return f"Endpoint({self.settings!r})"

    @property
    def spent(self) -> Spent:
        """What has been spent, of requests that have ended."""
        return self._ledger.spent

    async def __aenter__(self) -> Endpoint:
        try:
            from scalebox.specialjudges.wire import Wire
        except ImportError as error:
            raise MissingExtraError(
                f"asking a model needs the package openai: pip install 'scalebox[llm]' ({error})"
            ) from error
        self._wire = Wire(
            self.settings.base_url,
            # The client insists on one; servers that need none ignore it.
            self._key or "none",
            timeout_s=self.settings.timeout_s,
            max_answer_bytes=self.settings.max_answer_bytes,
            hide=self._without_key,
        )
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        wire, self._wire = self._wire, None
        if wire is not None:
            await wire.close()

    async def ask(
        self,
        messages: Sequence[Message],
        purpose: str,
        *,
        temperature: float | None = None,
        seed: int | None = None,
        records: list[RequestRecord] | None = None,
    ) -> Answer:
        """Let the model answer; ask again where that may help, a bounded number of times.

        Parameters:
            messages: the conversation.
            purpose: for the record.
            temperature, seed: in the place of the settings', which must have one.
            records: gets a record of each request, also where this raises or is cancelled.

        Raises:
            BudgetExhaustedError: it may cost more than is left.  Nothing was sent.
            EndpointError: no answer; `outcome` says why.
        """
        prompt = prompt_sha256(messages)
        parameters = self._parameters(temperature, seed)
        patience = Patience(
            RetryPolicy(
                retries=self.settings.retries,
                first_delay_s=_FIRST_DELAY_S,
                max_delay_s=_MAX_DELAY_S,
            )
        )
        request = _Request(messages, parameters, purpose, prompt, records)
        began = time.monotonic()
        async with self._places:
            while True:
                found = await self._attempt(request)
                if isinstance(found, Answer):
                    return replace(found, seconds=time.monotonic() - began)
                delay = patience.failed() if found.outcome in _PASSING else None
                if delay is None or (found.retry_after_s or 0.0) > self.settings.max_wait_s:
                    self._give_up(found, patience.failures)
                if found.retry_after_s:
                    # All were told the same number: never before it, and spread out after it.
                    delay = max(delay, found.retry_after_s * random.uniform(1.0, 1.25))
                await asyncio.sleep(delay)

    def _parameters(self, temperature: float | None, seed: int | None) -> dict[str, Any]:
        settings = self.settings
        found: dict[str, Any] = {
            "model": settings.model,
            settings.output_limit: settings.max_output_tokens,
        }
        if settings.temperature is not None:
            found["temperature"] = settings.temperature if temperature is None else temperature
        if settings.seed is not None:
            found["seed"] = settings.seed if seed is None else seed
        return found

    async def _attempt(self, request: _Request) -> Answer | Failure:
        """Send it once, within the budget; settle and record what it was."""
        if self._wire is None:
            raise ScaleboxError("the endpoint is not open; use `async with Endpoint(…)`")
        size = sum(len(message.content.encode()) for message in request.messages)
        tokens_in, tokens_out = -(-size // _BYTES_PER_TOKEN), self.settings.max_output_tokens
        most = self._ledger.most(tokens_in, tokens_out)
        await self._ledger.reserve(most)
        began = time.monotonic()
        # What holds where it is cancelled.
        ended = _Ended("cancelled", tokens_in, tokens_out)
        text: str | None = None
        try:
            completion = await self._wire.complete(request.messages, request.parameters)
            ended = _answered(completion, ended)
            text = self._without_key(completion.text)
            return Answer(
                text=text,
                tokens_in=ended.tokens_in,
                tokens_out=ended.tokens_out,
                seconds=time.monotonic() - began,
                finish_reason=completion.finish_reason,
                prompt_sha256=request.prompt_sha256,
            )
        except Failure as failure:
            counts = (tokens_in, tokens_out) if failure.may_be_charged else (0, 0)
            ended = _Ended(failure.outcome, *counts, status=failure.status)
            return failure
        finally:
            actual = self._ledger.most(ended.tokens_in, ended.tokens_out)
            self._ledger.settle(most, actual)
            self._record(request, ended, time.monotonic() - began, text)

    def _record(self, request: _Request, ended: _Ended, seconds: float, text: str | None) -> None:
        prices = self.settings.prices
        record = RequestRecord(
            purpose=request.purpose,
            prompt_sha256=request.prompt_sha256,
            model=self.settings.model,
            answered_by=self._without_key(ended.answered_by)[:_NAME],
            outcome=ended.outcome,
            status=ended.status,
            tokens_in=ended.tokens_in,
            tokens_out=ended.tokens_out,
            measured=ended.measured,
            cost_usd=prices.cost_usd(ended.tokens_in, ended.tokens_out),
            seconds=seconds,
            date=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        if request.records is not None:
            request.records.append(record)
        if self._on_exchange is not None:
            self._on_exchange(record, request.messages, text)

    def _give_up(self, failure: Failure, failures: int) -> NoReturn:
        """Say what became of a request.

        Raises:
            EndpointError: always.
        """
        settings, status = self.settings, failure.status
        where = f"{settings.model} at {settings.base_url}"
        # Cut last: half of a key is no longer found.
        words = printable(self._without_key(str(failure)))
        if status in (401, 403):
            # Their own words may show a part of the key.
            held = settings.api_key_variable
            key = f"the key in ${held}" if held else "requests without a key (api_key_variable)"
            words = f"it refuses {key}: HTTP {status}"
        elif failure.outcome == "refused" and status in (404, 405):
            words += "; check base_url and model"
        elif failure.outcome == "refused" and status is not None and status < 400:
            words += "; give the address that it leads to"
        elif failure.outcome in _PASSING:
            words += f"; tried {failures} time(s)"
            if (failure.retry_after_s or 0.0) > settings.max_wait_s:
                words += f", and it asks to wait {failure.retry_after_s:,.0f} s"
                words += f" (max_wait_s is {settings.max_wait_s:g})"
        raise EndpointError(
            f"{where}: {words}",
            outcome=failure.outcome,
            is_about_the_prompt=failure.outcome in _OF_THE_PROMPT or status in _PROMPT_STATUSES,
        ) from None

    def _without_key(self, text: str) -> str:
        """A stranger's words, should they repeat what they were sent."""
        return text.replace(self._key, _HIDDEN) if len(self._key) >= _SHORTEST_KEY else text


@dataclass(frozen=True, slots=True)
class _Request:
    """What `ask` was given, on its way through its attempts."""

    messages: Sequence[Message]
    parameters: dict[str, Any]
    purpose: str
    prompt_sha256: str
    records: list[RequestRecord] | None


@dataclass(frozen=True, slots=True)
class _Ended:
    """How one attempt ended, and what it is taken to have cost."""

    outcome: Outcome
    tokens_in: int
    tokens_out: int
    measured: bool = False
    status: int | None = None
    answered_by: str = ""


def _answered(completion: Completion, expected: _Ended) -> _Ended:
    counted = completion.counted()
    return _Ended(
        "cut" if completion.finish_reason == "length" else "answered",
        expected.tokens_in if counted is None else counted.prompt_tokens,
        expected.tokens_out if counted is None else counted.completion_tokens,
        measured=counted is not None,
        status=200,
        answered_by=completion.model or "",
    )


def _checked(value: T) -> T:
    """Structures made by hand are not checked when they are made.

    Raises:
        ConfigError: a field cannot be so; the message names it.
    """
    try:
        return msgspec.convert(msgspec.to_builtins(value), type(value))
    except msgspec.ValidationError as error:
        raise ConfigError(f"the model's endpoint: {error}") from None


def _key_of(settings: EndpointSettings) -> str:
    """The API key; empty: none is configured.

    Raises:
        ConfigError: it is not where it should be, or where it should not be.
    """
    address = urlsplit(settings.base_url)
    if "@" in address.netloc or address.query or address.fragment:
        raise ConfigError(
            "base_url holds more than an address; put the key into an environment variable, and "
            "its name into api_key_variable"
        )
    name = settings.api_key_variable
    if not name:
        return ""
    key = os.environ.get(name, "").strip()
    if not key:
        raise ConfigError(
            f"the environment variable {name} (api_key_variable) is not set: it holds the "
            "endpoint's key; leave api_key_variable empty where none is needed"
        )
    if not (key.isascii() and key.isprintable()):
        raise ConfigError(f"what the environment variable {name} holds is no API key")
    return key
