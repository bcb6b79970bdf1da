"""Judges written by a model: several, independent of each other, repaired with counter-examples.

Theory of operation.  Each candidate is a conversation of its own that knows nothing of the others:
another wording, seed and temperature.  A turn asks for a judge, takes the code out of the answer,
and has the caller check it; what the check says against it is told to the model in the next turn,
at most `repairs` times.  Nothing here runs or believes what a model wrote: `check` lets a daemon
run it, and who promotes a candidate proves it.

Nothing that was paid for is lost: where a budget ends, an endpoint fails, or the caller cancels,
each conversation still gives the best source that it has, and says how it ended.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import Literal

from msgspec import Struct

from scalebox.errors import ScaleboxError
from scalebox.model import FunctionJudge
from scalebox.specialjudges.endpoint import Endpoint
from scalebox.specialjudges.exchange import (
    Answer,
    BudgetExhaustedError,
    EndpointError,
    RequestRecord,
    UnusableAnswerError,
    printable,
)
from scalebox.specialjudges.extract import extract_judge
from scalebox.specialjudges.prompts import (
    Counterexample,
    GenerationTask,
    generation_prompt,
    repair_prompt,
)

__all__ = ["Candidate", "Check", "Counterexample", "GenerationTask", "generate"]

#: Finds what speaks against a judge; empty: nothing.
Check = Callable[[FunctionJudge], Awaitable[Sequence[Counterexample]]]
#: Called with each candidate as it ends.
OnCandidate = Callable[["Candidate"], None]

#: What its source is worth, as far as the check goes.
State = Literal["clean", "flawed", "no_code"]
#: How a conversation ended: by itself; the budget was used up; the endpoint cannot be used; the
#: check failed; the caller cancelled.  All but the first are worth another try.
Ended = Literal["done", "budget", "endpoint", "check", "cancelled"]

_WARMER = 0.15
_WARMEST = 1.2
_SEEDS = 1 << 31
#: Of the counter-examples to one source, so many are among the candidate's problems.
_TOLD = 5


class Candidate(Struct, frozen=True, kw_only=True):
    """A judge that a model wrote, or what became of the attempt.

    Attributes:
        source: the best that came: of the clean one, or the one with the least against it; empty:
            none did.
        sha256: of the source, UTF-8; empty like it.
        model: that was asked.
        prompt_sha256: of the prompt that the source answers; without one, of the last prompt.
        repairs: how often it was asked again.
        state: `clean`: the check has nothing against it; `flawed`: it has, or was not made;
            `no_code`: no answer held a judge.
        number: which of a problem's candidates: tells its wording, seed and temperature.
        ended: how the conversation ended.
        problems: what went wrong on the way, in its order; of a clean one, all is mended.
        requests: all that were sent, failed ones too.
        tokens_in, tokens_out, cost_usd: of these; the last is None where prices are unknown.
        date: when it ended, UTC.
    """

    source: str
    sha256: str
    model: str
    prompt_sha256: str
    repairs: int
    state: State
    problems: list[str]
    requests: list[RequestRecord]
    tokens_in: int
    tokens_out: int
    cost_usd: float | None
    date: str
    number: int = 0
    ended: Ended = "done"


async def generate(
    endpoint: Endpoint,
    task: GenerationTask,
    check: Check,
    *,
    candidates: int = 3,
    repairs: int = 2,
    done: Collection[int] = (),
    on_candidate: OnCandidate | None = None,
) -> list[Candidate]:
    """Let a model write judges for a problem.

    A failure of the endpoint or of the daemon behind `check` is no exception: each candidate says
    how it `ended`.

    Parameters:
        endpoint: the model, open.
        task: the problem.
        check: finds what speaks against a source.  It may raise a `ScaleboxError`.
        candidates: how many conversations, all at once as far as the endpoint's settings allow.
        repairs: how often each may be asked again.
        done: the numbers of those that an earlier run has brought to their end: they are not asked
            for again, and the others stay independent of them.
        on_candidate: gets each as it ends, also when this is cancelled.

    Returns:
        The others, in the order of their numbers, from 0.
    """
    async with asyncio.TaskGroup() as group:
        conversations = [
            group.create_task(
                _Conversation(endpoint, task, check, number, repairs).hold(on_candidate)
            )
            for number in range(candidates)
            if number not in done
        ]
    return [conversation.result() for conversation in conversations]


class _Source:
    """A source that was taken out of an answer, and what the check says against it."""

    __slots__ = ("checked", "counterexamples", "prompt_sha256", "text")

    def __init__(self, text: str, prompt_sha256: str) -> None:
        self.text = text
        self.prompt_sha256 = prompt_sha256
        self.checked = False
        self.counterexamples: Sequence[Counterexample] = ()

    @property
    def is_clean(self) -> bool:
        return self.checked and not self.counterexamples

    @property
    def rank(self) -> tuple[bool, int]:
        """Smaller is better."""
        return (not self.checked, len(self.counterexamples))


class _Conversation:
    """One candidate on its way."""

    def __init__(
        self,
        endpoint: Endpoint,
        task: GenerationTask,
        check: Check,
        number: int,
        repairs: int,
    ) -> None:
        self._endpoint = endpoint
        self._task = task
        self._check = check
        self._number = number
        self._repairs = repairs
        self._turn = 1
        self._asked = 0
        self._is_over = False
        self._best: _Source | None = None
        self._latest: _Source | None = None
        self._note = ""
        self._problems: list[str] = []
        self._requests: list[RequestRecord] = []
        self._ended: Ended = "done"

    async def hold(self, on_candidate: OnCandidate | None) -> Candidate:
        """Talk to the end, whatever that is."""
        try:
            await self._talk()
        except asyncio.CancelledError:
            self._end("cancelled", "cancelled")
            raise
        except Exception as error:
            self._end("check", f"{type(error).__name__}: {error}")
            raise
        finally:
            candidate = self._candidate()
            if on_candidate is not None:
                on_candidate(candidate)
        return candidate

    async def _talk(self) -> None:
        for turn in range(1, self._repairs + 2):
            self._turn = turn
            answer = await self._ask()
            if answer is not None:
                source = self._take(answer)
                if source is not None:
                    await self._try_out(source)
            if self._is_over:
                return

    async def _ask(self) -> Answer | None:
        """The next answer; None: there is none this time."""
        if self._latest is None:
            purpose = "generate"
            messages = generation_prompt(self._task, self._number, self._note)
        else:
            purpose = "repair"
            messages = repair_prompt(
                self._task,
                self._latest.text,
                self._latest.counterexamples,
                self._number,
                self._note,
            )
        sent = len(self._requests)
        try:
            return await self._endpoint.ask(
                messages,
                purpose,
                temperature=self._temperature(),
                seed=self._seed(),
                records=self._requests,
            )
        except BudgetExhaustedError as error:
            self._end("budget", error.message)
        except EndpointError as error:
            if not error.is_about_the_prompt:
                self._end("endpoint", error.message)
            elif error.outcome == "refused":
                # The same prompt would be refused again.
                self._end("done", error.message)
            else:
                self._problem(error.message)
        finally:
            self._asked += len(self._requests) > sent
        return None

    def _take(self, answer: Answer) -> _Source | None:
        """The source in an answer; None: there is none, or the one that was found wanting."""
        try:
            found = extract_judge(answer.text)
        except UnusableAnswerError as error:
            words = error.message
            if answer.finish_reason == "length":
                words += "; the answer came to the bound on its tokens"
            self._problem(words)
            self._note = words
            return None
        if found.note:
            self._problem(found.note)
        if self._latest is not None and found.source == self._latest.text:
            self._note = "it was the same module again"
            self._problem(self._note)
            return None
        self._note = ""
        return _Source(found.source, answer.prompt_sha256)

    async def _try_out(self, source: _Source) -> None:
        self._latest = source
        if self._best is None:
            self._best = source
        try:
            counterexamples = await self._check(FunctionJudge(source=source.text))
        except ScaleboxError as error:
            self._end("check", f"could not be checked: {error.message}")
            return
        source.checked, source.counterexamples = True, counterexamples
        for one in counterexamples[:_TOLD]:
            right = "accepted" if one.accepted else "rejected"
            self._problem(f"{one.why}: to be {right}, but {one.decided}")
        if len(counterexamples) > _TOLD:
            self._problem(f"and {len(counterexamples) - _TOLD:,} more")
        # Of equals the later one: it has been repaired.
        if source.rank <= self._best.rank:
            self._best = source
        self._is_over = source.is_clean

    def _temperature(self) -> float | None:
        own = self._endpoint.settings.temperature
        if own is None:
            return None
        return min(own + _WARMER * self._number, max(own, _WARMEST))

    def _seed(self) -> int | None:
        """Another one for each problem, candidate and turn, and the same in the next run."""
        own = self._endpoint.settings.seed
        if own is None:
            return None
        words = f"{self._task.problem_id}\0{self._number}\0{self._turn}".encode()
        return (own + int.from_bytes(hashlib.sha256(words).digest()[:4], "big")) % _SEEDS

    def _problem(self, words: str) -> None:
        self._problems.append(f"answer {self._turn}: {printable(words)}")

    def _end(self, how: Ended, words: str) -> None:
        self._ended = how
        self._is_over = True
        self._problem(words)

    def _candidate(self) -> Candidate:
        requests = self._requests
        best = self._best
        costs = [one.cost_usd for one in requests if one.cost_usd is not None]
        last_prompt = requests[-1].prompt_sha256 if requests else ""
        state: State = "no_code"
        if best is not None:
            state = "clean" if best.is_clean else "flawed"
        return Candidate(
            source="" if best is None else best.text,
            sha256="" if best is None else hashlib.sha256(best.text.encode()).hexdigest(),
            model=self._endpoint.settings.model,
            prompt_sha256=last_prompt if best is None else best.prompt_sha256,
            repairs=max(0, self._asked - 1),
            state=state,
            number=self._number,
            ended=self._ended,
            problems=self._problems,
            requests=requests,
            tokens_in=sum(one.tokens_in for one in requests),
            tokens_out=sum(one.tokens_out for one in requests),
            cost_usd=sum(costs) if len(costs) == len(requests) and costs else None,
            date=datetime.now(UTC).isoformat(timespec="seconds"),
        )
