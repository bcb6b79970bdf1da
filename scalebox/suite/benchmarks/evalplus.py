"""HumanEval+ and MBPP+: many inputs a task; what a reference solution returns is expected.

Rows are those of EvalPlus's releases (evalplus/humanevalplus_release, evalplus/mbppplus_release):
inputs, and no outputs.  These come of running the reference solutions once (`prepare`).  Oracles,
limits of time and what is taken away from a program are EvalPlus's (`integrations/evalplus_sets`);
prompts and stop texts are those of evalplus/evalplus:evalplus/provider/utility.py and codegen.py.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, ClassVar

from scalebox.client.aio import AsyncClient
from scalebox.errors import BadRequestError
from scalebox.extraction import extract_code
from scalebox.integrations import values
from scalebox.integrations.evalplus_sets import NAMES, Failing, Judged, TaskSets, reference
from scalebox.integrations.inprocess import sendable
from scalebox.model import Limits, RunResult, RunStatus, Verdict
from scalebox.suite import rows
from scalebox.suite.benchmarks.joining import joined, text_field, until_stop
from scalebox.suite.benchmarks.mbpp_inputs import turned_back
from scalebox.suite.errors import SuiteError
from scalebox.suite.rows import Row
from scalebox.suite.tasks import (
    MAX_EVIDENCE_CHARS,
    Benchmark,
    FailingCase,
    Grade,
    Sample,
    Task,
    cut,
    limits_of,
)

EOS = ("<|endoftext|>", "<|endofmask|>", "</s>", "\nif __name__", "\ndef main(", "\nprint(")
INSTRUCTION = (
    "Please provide a self-contained Python script that solves the following problem in a markdown "
    "code block:\n"
)
_TEXTS = ("prompt", "entry_point", "canonical_solution")
#: As EvalPlus gives (eval/utils.py: `reliability_guard`); Mbpp/255 takes more than 1 GiB of it.
_LIMITS = Limits(memory_bytes=4 << 30)
_AT_ONCE = 16
_ENDED = {
    RunStatus.TIME_LIMIT_EXCEEDED: Verdict.TIME_LIMIT_EXCEEDED,
    RunStatus.MEMORY_LIMIT_EXCEEDED: Verdict.MEMORY_LIMIT_EXCEEDED,
    RunStatus.OUTPUT_LIMIT_EXCEEDED: Verdict.OUTPUT_LIMIT_EXCEEDED,
}
_HOW = {
    "value": Verdict.WRONG_ANSWER,
    "over": Verdict.TIME_LIMIT_EXCEEDED,
    "source": Verdict.COMPILE_ERROR,
}
_TIMED_OUT = "TimeoutException("


class EvalPlus(Benchmark):
    """What the two have in common.

    A grade's parts are `base` and, as EvalPlus counts it, `plus`: both sets are passed.
    """

    #: As EvalPlus calls the data set.
    dataset: ClassVar[str]
    stop: ClassVar[tuple[str, ...]]

    def load(self) -> None:
        found = rows.read(self.config, None, self.source)
        self.data_sha256 = found.sha256
        #: Task → what samples are judged by; filled by `prepare`.
        self.sets: dict[str, TaskSets] = {}
        for place, row in found.rows:
            texts = {name: text_field(row, name, place) for name in ("task_id", *_TEXTS)}
            prompt = texts["prompt"]
            self.tasks.append(
                Task(
                    id=texts["task_id"],
                    prompt=prompt,
                    instruction=f"{INSTRUCTION}```\n{prompt.strip()}\n```\n",
                    stop=(*EOS, *self.stop),
                    canonical=prompt + texts["canonical_solution"],
                    row=self._checked(place, row),
                )
            )

    def _checked(self, place: str, row: Row) -> Row:
        inputs = {name: self._inputs(place, row, f"{name}_input") for name in NAMES}
        if not any(inputs.values()):
            raise SuiteError(f"{place}: there is no input to test with")
        atol = row.get("atol", 0)
        if isinstance(atol, bool) or not isinstance(atol, int | float):
            raise SuiteError(f"{place}: field 'atol' is {type(atol).__name__}, not a number")
        texts = {name: row[name] for name in ("task_id", *_TEXTS)}
        return {**texts, "atol": atol, **{f"{name}_input": one for name, one in inputs.items()}}

    def _inputs(self, place: str, row: Row, name: str) -> list[Any]:
        if name not in row:
            raise SuiteError(
                f"{place}: field {name!r} is missing: these are no rows of an EvalPlus release. "
                f"{self.source}"
            )
        given = row[name]
        if given == {}:  # of Mbpp/793, which has none
            return []
        if not isinstance(given, list) or not all(isinstance(one, list) for one in given):
            raise SuiteError(f"{place}: field {name!r} is no list of lists of arguments")
        try:
            return self.turned_back(row["task_id"], given)
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            raise SuiteError(
                f"{place}: field {name!r} is not of the task's form: {error}"
            ) from None

    def turned_back(self, task_id: str, inputs: list[Any]) -> list[Any]:
        """What JSON made of inputs, as it was before."""
        return inputs

    def program(self, task: Task, sample: Sample) -> str | None:
        if sample.kind == "solution":
            return sample.text
        if sample.kind == "completion":
            return task.prompt + until_stop(sample.text, task.stop)
        code = extract_code(sample.text, language="python")
        return None if code is None else joined(task.prompt, code, task.row["entry_point"])

    @property
    def _stop_early(self) -> bool:
        return self.judge.stop == "first_failure"

    async def prepare(self, client: AsyncClient) -> None:
        room = asyncio.Semaphore(_AT_ONCE)
        limits = limits_of(self.judge.limits, _LIMITS)

        async def prepare_one(task: Task) -> None:
            async with room:
                try:
                    expected = await reference(client, self.dataset, task.row)
                    self.sets[task.id] = await asyncio.to_thread(
                        partial(TaskSets, stop_early=self._stop_early),
                        *(self.dataset, task.row, expected, limits),
                    )
                except BadRequestError as error:
                    raise SuiteError(f"benchmark {self.name}: {error}") from error

        try:
            async with asyncio.TaskGroup() as group:
                for task in self.tasks:
                    group.create_task(prepare_one(task))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None

    async def grade(self, client: AsyncClient, task: Task, program: str) -> Grade:
        sets = self.sets[task.id]
        return _grade(await sets.judge(client, sendable(program)), sets, self._stop_early)


class HumanEvalPlus(EvalPlus):
    name: ClassVar[str] = "humaneval+"
    title: ClassVar[str] = "HumanEval+"
    source: ClassVar[str] = (
        "HumanEvalPlus.jsonl.gz is in the releases of evalplus/humanevalplus_release on GitHub"
    )
    dataset: ClassVar[str] = "humaneval"
    stop: ClassVar[tuple[str, ...]] = ("\ndef ", "\nclass ", "\nimport ", "\nfrom ", "\nassert ")


class MbppPlus(EvalPlus):
    name: ClassVar[str] = "mbpp+"
    title: ClassVar[str] = "MBPP+"
    source: ClassVar[str] = (
        "MbppPlus.jsonl.gz is in the releases of evalplus/mbppplus_release on GitHub"
    )
    dataset: ClassVar[str] = "mbpp"
    stop: ClassVar[tuple[str, ...]] = ('\n"""', "\nassert")

    def turned_back(self, task_id: str, inputs: list[Any]) -> list[Any]:
        return turned_back(task_id, inputs)


def _grade(judged: Judged, sets: TaskSets, stop_early: bool) -> Grade:
    outcomes, result = judged.outcomes, judged.runs[-1]
    place, failing = next(
        ((at, one.failing) for at, one in enumerate(outcomes) if one.failing), (0, None)
    )
    counted = outcomes[: place + 1] if failing and stop_early else outcomes
    case = None if failing is None else _case(result, place, failing, sets)
    base = outcomes[0].failing is None
    return Grade(
        verdict=Verdict.ACCEPTED if case is None else case.verdict,
        passed=sum(one.passed for one in counted),
        total=sum(one.total for one in outcomes),
        parts={"base": base, "plus": failing is None},
        isolation=result.isolation,
        enforcement=result.enforcement,
        toolchain=result.toolchain,
        failing=case,
        message="" if case is None else case.message,
        cpu_time_s=sum(one.cpu_time_s for one in judged.runs),
        wall_time_s=sum(one.wall_time_s for one in judged.runs),
    )


def _case(result: RunResult, place: int, failing: Failing, sets: TaskSets) -> FailingCase:
    loaded = failing.how not in ("source", "broken")
    given = sets.inputs[place][failing.number : failing.number + 1] if loaded else []
    answer = sets.expected[place].sent[failing.number : failing.number + 1] if loaded else []
    got = values.shown(failing.value, MAX_EVIDENCE_CHARS) if failing.how == "value" else None
    return FailingCase(
        name=f"{NAMES[place]} {failing.number}" if loaded else "loading",
        verdict=_verdict(result, failing),
        message=cut(_words(result, failing)) or "",
        input=cut("\n".join(f"{one!r}" for one in given[0])) if given else None,
        expected=values.shown(answer[0], MAX_EVIDENCE_CHARS) if answer else None,
        got=cut(got),
    )


def _verdict(result: RunResult, failing: Failing) -> Verdict:
    if failing.how == "ended":
        return _ENDED.get(result.status, Verdict.RUNTIME_ERROR)
    if failing.how == "error" and failing.words.startswith(_TIMED_OUT):
        return Verdict.TIME_LIMIT_EXCEEDED
    return _HOW.get(failing.how, Verdict.RUNTIME_ERROR)


def _words(result: RunResult, failing: Failing) -> str:
    if failing.how == "ended":
        return result.message or "the program ended before its last call"
    if failing.how == "over":
        return "the calls took too long together"
    return failing.words
