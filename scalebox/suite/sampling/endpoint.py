"""`Endpoint`: a model behind an API as OpenAI's, asked for samples within bounds.

Answers for: what is in a request, when one is sent again and when not, and that nothing becomes a
sample but what the model wrote.  Each request asks for one answer and has a seed of its own (the
configuration's and the answer's index), so a run that was cut off asks for the rest alone.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Iterable
from http import HTTPStatus
from types import TracebackType
from typing import Any

import msgspec

from scalebox.client.retry import Patience, RetryPolicy
from scalebox.suite.config import ModelConfig, SamplingConfig
from scalebox.suite.errors import EndpointError, SuiteError
from scalebox.suite.sampling.answers import NonsenseError, Words, printable, words_of
from scalebox.suite.sampling.keys import ApiKey
from scalebox.suite.sampling.pace import Pace
from scalebox.suite.sampling.prompts import Prompt, request_text
from scalebox.suite.sampling.wire import Failure, Wire
from scalebox.suite.tasks import Sample, Task

#: An endpoint that asks for more patience gets no more at once, so that a wrong clock or a proxy's
#: default cannot stop a run for an hour.
MAX_RETRY_AFTER_S = 120.0
_FIRST_DELAY_S = 0.5
_MAX_DELAY_S = 30.0
_MODELS_SHOWN = 8
#: So many more prompts may be refused than are answered before the rest is not tried either: some
#: are too long for a model, and all of them where a setting is not to the endpoint's taste.
_REFUSED_MORE = 16
#: Fields of a request that are said elsewhere, or that make the answer another one.
_OURS = {
    "model": "[model] model",
    "messages": "[model] template and system",
    "prompt": "[model] template",
    "n": "[sampling] n; each request asks for one answer",
    "stream": "nothing: answers are read whole",
    "temperature": "[sampling] temperature",
    "top_p": "[sampling] top_p",
    "top_k": "[sampling] top_k",
    "min_p": "[sampling] min_p",
    "max_tokens": "[sampling] max_tokens",
    "seed": "[sampling] seed",
    "stop": "[sampling] stop",
}
#: Refusals of one request: a bad one (too long, say), too large, cannot be processed.
_OF_THE_PROMPT = frozenset({400, 413, 422})
_PATHS = {"chat": "chat/completions", "completion": "completions"}
_SENT = ("temperature", "top_p", "top_k", "min_p", "max_tokens")


class PromptRefusedError(EndpointError):
    """The endpoint refused one request for what is in it; others may be answered."""


class Endpoint:
    """A model to be asked.  Use it as an async context manager.

    Parameters:
        model: where it is, and how it is asked.
        sampling: how answers are drawn, and how patient one is.
        first_delay_s, max_delay_s: before a request is sent again; doubles from the first to the
            second, with jitter.

    Raises:
        SuiteError: the configuration names no endpoint, or one that cannot be asked so; or the
            environment variable of the key holds no key.
    """

    def __init__(
        self,
        model: ModelConfig,
        sampling: SamplingConfig,
        *,
        first_delay_s: float = _FIRST_DELAY_S,
        max_delay_s: float = _MAX_DELAY_S,
    ) -> None:
        if not model.endpoint:
            raise SuiteError(f"model {model.name!r} has no endpoint to be asked")
        for name in sampling.extra:
            if name in _OURS:
                raise SuiteError(f"[sampling] extra has {name!r}, which is said by {_OURS[name]}")
        self.model = model
        self.sampling = sampling
        self._policy = RetryPolicy(
            retries=sampling.retries, first_delay_s=first_delay_s, max_delay_s=max_delay_s
        )
        self._key = ApiKey(model.api_key_env)
        self._wire = Wire(model.endpoint, self._key, sampling.timeout_s)
        self._pace = Pace()
        self._tasks: asyncio.TaskGroup | None = None
        self._running: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        return f"Endpoint({self.model.name!r} at {self._wire.base_url})"

    async def __aenter__(self) -> Endpoint:
        await self._wire.__aenter__()
        self._tasks = asyncio.TaskGroup()
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        tasks, self._tasks = self._tasks, None
        try:
            for running in self._running:
                running.cancel()
            if tasks is not None and exc_type is asyncio.CancelledError:
                await tasks.__aexit__(exc_type, exc, traceback)
            elif tasks is not None:  # a group would put the block's own error into a group
                await tasks.__aexit__(None, None, None)
        finally:
            await self._wire.__aexit__(exc_type, exc, traceback)

    async def sample(self, task: Task, index: int) -> Sample:
        """Let the model answer; ask again where that may help, `sampling.retries` times.

        Parameters:
            task: what is asked.
            index: of the answer, from 0; its seed is the configuration's and this.

        Returns:
            What the model wrote: an `answer` to a conversation or the `completion` of a prompt.
            Its text is empty only where the endpoint says that the model ended so.

        Raises:
            EndpointError: the endpoint refused, or went on failing.
            SuiteError: the task cannot be asked.
        """
        body = self._body(request_text(task, self.model), task, index)
        patience = Patience(self._policy)
        while True:
            sent_at = await self._pace.turn()
            try:
                answer = await self._asked(body)
            except Failure as error:
                failure = error
            else:
                self._pace.answered()
                return self._sample(task, index, answer, time.monotonic() - sent_at)
            delay_s = patience.failed() if failure.passes else None
            if delay_s is None:
                words = await self._last_words(failure, task, patience.failures)
                raise (PromptRefusedError if failure.status in _OF_THE_PROMPT else EndpointError)(
                    words
                ) from None
            await self._hold(failure, delay_s, sent_at)

    async def sample_all(self, wanted: Iterable[tuple[Task, int]]) -> AsyncGenerator[Sample, None]:
        """Ask for many samples, `sampling.in_flight` at once; yields each as it is ready.

        Leaving the loop early (with `contextlib.aclosing`, to be prompt) breaks off what is under
        way, and so does an endpoint that fails: what was ready by then is yielded before that is
        raised.  Where single tasks are refused, the others are asked first, unless nearly all are
        refused.

        Parameters:
            wanted: tasks and indexes; read as room appears.

        Raises:
            EndpointError: the endpoint refused one for good, or went on failing.
            SuiteError: a task cannot be asked.
        """
        if self._tasks is None:
            raise SuiteError("the endpoint is not open; use `async with Endpoint(…)`")
        source = iter(wanted)
        ready: asyncio.Queue[Sample | SuiteError] = asyncio.Queue()
        own: set[asyncio.Task[None]] = set()
        course = _Course()
        waiting = 0
        try:
            while True:
                while not course.ended and waiting < self.sampling.in_flight:
                    if (pair := next(source, None)) is None:
                        break
                    running = self._tasks.create_task(self._into(ready, *pair))
                    waiting += 1
                    for held in (own, self._running):
                        held.add(running)
                        running.add_done_callback(held.discard)
                if not waiting or (course.ended and ready.empty()):
                    break
                outcome = await ready.get()
                waiting -= 1
                course.count(outcome)
                if isinstance(outcome, Sample):
                    yield outcome
            course.check()
        finally:
            for running in own:
                running.cancel()
            if own:
                await asyncio.wait(own)

    async def _into(
        self, ready: asyncio.Queue[Sample | SuiteError], task: Task, index: int
    ) -> None:
        try:
            ready.put_nowait(await self.sample(task, index))
        except SuiteError as error:
            ready.put_nowait(error)
        except asyncio.CancelledError:
            ready.put_nowait(SuiteError("the endpoint was closed before the answer"))
            raise

    def _body(self, prompt: Prompt, task: Task, index: int) -> bytes:
        """A request, with those fields alone that are set."""
        model, sampling = self.model, self.sampling
        stop = sampling.stop + (list(task.stop) if model.kind == "completion" else [])
        fields: dict[str, Any] = {"model": model.model or model.name, **prompt.fields, "n": 1}
        for name in _SENT:
            if (value := getattr(sampling, name)) is not None:
                fields[name] = value
        if sampling.seed is not None:
            fields["seed"] = sampling.seed + index
        if stop := [text for text in dict.fromkeys(stop) if text]:
            fields["stop"] = stop
        try:
            return msgspec.json.encode(fields | sampling.extra)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            raise SuiteError(f"task {task.id!r}: its request cannot be JSON: {error}") from None

    async def _asked(self, body: bytes) -> Words:
        try:
            return words_of(await self._wire.post(_PATHS[self.model.kind], body), self.model.kind)
        except NonsenseError as error:
            raise Failure(self._key.redacted(f"it sent {error}")) from None

    def _sample(self, task: Task, index: int, words: Words, seconds: float) -> Sample:
        return Sample(
            task=task.id,
            index=index,
            text=self._key.without(words.text),
            kind="answer" if self.model.kind == "chat" else "completion",
            reasoning=self._key.without(words.reasoning),
            finish=self._key.without(words.finish),
            prompt_tokens=words.prompt_tokens,
            completion_tokens=words.completion_tokens,
            seconds=seconds,
        )

    async def _hold(self, failure: Failure, delay_s: float, sent_at: float) -> None:
        """Wait until the request may be sent again, or let all of them wait."""
        asked_for = failure.retry_after_s
        if asked_for is not None:
            # Other programs were told the same number: never before it, and spread out after it.
            asked_for = min(asked_for, MAX_RETRY_AFTER_S) * random.uniform(1.0, 1.25)
            delay_s = max(delay_s, asked_for)
        if asked_for is not None or failure.status == HTTPStatus.TOO_MANY_REQUESTS:
            self._pace.refused(sent_at, delay_s)
        else:
            await asyncio.sleep(delay_s)

    async def _last_words(self, failure: Failure, task: Task, tries: int) -> str:
        """What became of a request, where, and what to do."""
        url = self._wire.url(_PATHS[self.model.kind])
        words = f"model {self.model.name!r}, task {task.id!r}: {url}: {failure.words}"
        if failure.passes:
            return (
                f"{words}; tried {tries} times.  Is it up?  Run again then: what there is already "
                "is kept"
            )
        match failure.status:
            case 401 | 403:
                return f"{words}; {self._where_the_key_is()}"
            case 404 | 405:
                return f"{words}; {await self._what_there_is()}"
            case 400 | 422:
                return (
                    f"{words}; look at [sampling] (extra, stop, max_tokens), and whether the "
                    "prompt is too long"
                )
            case 413:
                return f"{words}; the prompt is larger than the endpoint takes"
        return words

    def _where_the_key_is(self) -> str:
        held = f"${self._key.variable} (api_key_env)"
        if self._key.is_set:
            return f"is the key in {held} the right one for it?"
        if self._key.variable:
            return f"there is no key in {held}: put the endpoint's there"
        return "no key is sent: say in api_key_env which environment variable holds one"

    async def _what_there_is(self) -> str:
        """For those whose model or address is not there."""
        asked = self.model.model or self.model.name
        names = await self._wire.models()
        if not names:
            return (
                f"is there a model {asked!r} (model), and does the endpoint's address end in /v1?"
            )
        if asked in names:
            kinds = "kind = 'completion'" if self.model.kind == "chat" else "kind = 'chat'"
            return f"there is a model {asked!r}, so it may not answer such requests: try {kinds}"
        shown = ", ".join(repr(printable(name, 80)) for name in names[:_MODELS_SHOWN])
        more = f" and {len(names) - _MODELS_SHOWN:,} more" if len(names) > _MODELS_SHOWN else ""
        return f"its models are {self._key.redacted(shown)}{more}"


class _Course:
    """How one call of `sample_all` goes.

    Attributes:
        ended: nothing more is asked.
    """

    def __init__(self) -> None:
        self.ended = False
        self._failure: SuiteError | None = None
        self._answered = 0
        self._refused = 0

    def count(self, outcome: Sample | SuiteError) -> None:
        """Take note of what came of one request."""
        if isinstance(outcome, Sample):
            self._answered += 1
            return
        is_of_one_task = isinstance(outcome, PromptRefusedError) or not isinstance(
            outcome, EndpointError
        )
        self._refused += is_of_one_task
        if not is_of_one_task and not self.ended:
            self._failure = outcome  # says more than a refusal before it
        self._failure = self._failure or outcome
        self.ended |= not is_of_one_task or self._refused >= self._answered + _REFUSED_MORE

    def check(self) -> None:
        """At the end.

        Raises:
            SuiteError: the first failure, if there was one.
        """
        if self._failure is None:
            return
        if self._refused > 1:
            words = f"{self._failure.message} ({self._refused:,} requests are refused in all)"
            raise type(self._failure)(words) from None
        raise self._failure
