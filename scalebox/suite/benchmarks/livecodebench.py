"""LiveCodeBench: problems of contests by their dates; whole programs, and methods that are called.

Rows are those of livecodebench/code_generation_lite, in whose script (code_generation_lite.py) a
release is the files test.jsonl, test2.jsonl, … up to its number, and `v3` and `v2_v4` are parts of
that.  Rows of SandboxFusion's sample of it (bytedance/SandboxFusion:sandbox/tests/datasets/samples/
code_eval_live_code_bench_v1.jsonl) are read too.  Dates are `contest_date`.

`mode = "fixed"` judges as the tests are meant, a case a test.  `strict` gives the results of
LiveCodeBench's own checker, errors and all, and so ends at the first test that fails: what is
passed are those before it.  docs/integrations.md has what differs.  A test has 6 seconds there
(lcb_runner/runner/parser.py, `--timeout`), and has them here; another limit is the configuration's,
in whole seconds if it is strict.

Prompts say what LiveCodeBench's say (lcb_runner/prompts/code_generation.py: the question, the
starter code or that standard input is read, one code block), in words of our own and without the
example that it gives base models.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from scalebox.client.aio import AsyncClient
from scalebox.errors import BadRequestError
from scalebox.formats import packed
from scalebox.integrations import livecodebench
from scalebox.integrations.inprocess import sendable
from scalebox.integrations.livecodebench import fixed, samples, strict
from scalebox.model import CallTests, Judge, Limits, RunResult, Submission, Tests, Verdict
from scalebox.suite import rows
from scalebox.suite.benchmarks.contests import Contest, Material
from scalebox.suite.benchmarks.joining import text_field
from scalebox.suite.errors import SuiteError
from scalebox.suite.rows import Hub, Row
from scalebox.suite.spool import value_of
from scalebox.suite.tasks import FailingCase, Grade, Sample, Task, cut

FILES = ("test.jsonl", *(f"test{number}.jsonl" for number in range(2, 7)))
DEFAULT_VERSION = "release_v6"
_VERSION = re.compile(r"release_v([1-6])|v([1-6])(?:_v([1-6]))?")
_TEST_S = 6.0
#: `error_code` of the checker → verdict; -5: the process ended before its end.
_VERDICTS = {
    -1: Verdict.TIME_LIMIT_EXCEEDED,
    -2: Verdict.WRONG_ANSWER,
    -3: Verdict.TIME_LIMIT_EXCEEDED,
    -4: Verdict.RUNTIME_ERROR,
    -5: Verdict.RUNTIME_ERROR,
}


class LiveCodeBench(Contest):
    name: ClassVar[str] = "livecodebench"
    options = Contest.options | {"version", "mode"}
    title: ClassVar[str] = "LiveCodeBench"
    source: ClassVar[str] = (
        "hf download livecodebench/code_generation_lite --repo-type dataset gets its files"
    )
    hub: ClassVar[Hub | None] = Hub(
        "livecodebench/code_generation_lite", "0fe84c3912ea0c4d4a78037083943e8f0c4dd505", FILES
    )
    aside: ClassVar[tuple[str, ...]] = ("public_test_cases", "private_test_cases", "test")
    default_limits: ClassVar[Limits] = Limits(cpu_time_s=_TEST_S)

    def load(self) -> None:
        if self.config.mode == "strict":
            if self.language != "python":
                raise SuiteError(f"livecodebench: strict is Python's alone, not {self.language}'s")
            if self.judge.comparison is not None or self.config.judges == "store":
                raise SuiteError(
                    "livecodebench: strict compares as LiveCodeBench's own checker does; say "
                    'mode = "fixed" for another comparison or for judges of the store'
                )
        super().load()

    def rows(self) -> Iterable[tuple[str, Row]]:
        config, hub = self.config, self.hub
        assert hub is not None
        names = files_of(config.version or DEFAULT_VERSION)
        if config.path and not config.version:
            names = ()  # whatever is there
        elif config.path and Path(config.path).is_file() and [Path(config.path).name] != [*names]:
            raise SuiteError(
                f"livecodebench: version {config.version} is {', '.join(names)}, and path is one "
                "file: give the folder that has them, or leave the version out"
            )
        own = not config.hub or config.hub == hub.id
        return rows.stream(
            config,
            Hub(config.hub or hub.id, hub.revision if own else "main", names or FILES),
            self.source,
            self.data_sha256,
            only=names,
            aside=self.aside,
        )

    def task(self, row: Row, place: str) -> Task:
        return self._sample_task(row, place) if "content" in row else self._own_task(row, place)

    def _own_task(self, row: Row, place: str) -> Task:
        date = text_field(row, "contest_date", place)[:10]
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", date):
            raise SuiteError(f"{place}: contest_date {date!r} is no date like 2024-05-31")
        tests = {name: row.get(name) for name in ("public_test_cases", "private_test_cases")}
        if not all(tests.values()):
            raise SuiteError(f"{place}: there are no {next(k for k, v in tests.items() if not v)}")
        groups = {name: text_field(row, name, place) for name in ("difficulty", "platform")}
        return Task(
            id=text_field(row, "question_id", place),
            groups={**groups, "month": date[:7]},
            date=date,
            row=Material(tests=tests, function=_function(row.get("metadata"), place)),
            **self.ask(
                text_field(row, "question_content", place), starter=row.get("starter_code") or ""
            ),
        )

    def _sample_task(self, row: Row, place: str) -> Task:
        """Of SandboxFusion's rows, whose content is the whole prompt."""
        try:
            labels = json.loads(text_field(row, "labels", place))
            groups = {"difficulty": labels["difficulty"], "platform": labels["category"]}
            name = labels["task_id"]
        except (KeyError, TypeError, ValueError) as error:
            raise SuiteError(f"{place}: its labels are not as they should be: {error!r}") from None
        content = text_field(row, "content", place)
        if not row.get("test") or not all(isinstance(one, str) for one in (*groups.values(), name)):
            raise SuiteError(f"{place}: it has no tests, or its labels are no texts")
        # What such rows call their canonical solution exits at once.
        return Task(
            id=name,
            prompt=f"{content.rstrip()}\n\n```python\n",
            instruction=content,
            stop=("```",),
            groups=groups,
            row=Material(tests={"test": row["test"]}),
        )

    def program(self, task: Task, sample: Sample) -> str | None:
        if self.config.mode == "strict" and sample.kind == "answer":
            return livecodebench.extract_code(sample.text, mode="lcb-strict") or None
        return super().program(task, sample)

    def sample(self, task: Task) -> samples.Sample:
        """The tests of a task, as the checker takes them; slow.

        Raises:
            BadRequestError, SuiteError: they are not as they should be.
        """
        given = {name: value_of(part) for name, part in task.row.tests.items()}
        if "test" in given:
            found = packed.unpack(given["test"], samples.MAX_TESTS_BYTES)
            if not isinstance(found, dict):
                raise BadRequestError("the tests are packed in a way of their own", field="test")
            return samples.read(found)
        private = samples.private_tests(given["private_test_cases"])
        try:
            tests = [*json.loads(given["public_test_cases"]), *private]
            inputs = [one["input"] for one in tests]
            outputs = [one["output"] for one in tests]
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise BadRequestError(
                f"its tests are no list of inputs and outputs: {error!r:.200}", field="tests"
            ) from None
        if not inputs:
            raise BadRequestError("it has no tests", field="tests")
        return samples.Sample(inputs, outputs, task.row.function or None)

    def tests(self, task: Task) -> Tests:
        judge: Judge | None = self.judge_of_task(task)
        tests = fixed.submission_of(self.sample(task), "", _TEST_S, None, judge).tests
        assert tests is not None
        return tests

    def submission(self, task: Task, program: str, tests: Tests) -> Submission:
        submission = super().submission(task, program, tests)
        if isinstance(tests, CallTests) and self.language == "python":
            source = fixed.with_imports(sendable(program))
            submission = msgspec.structs.replace(submission, source=source)
        return submission

    async def grade(self, client: AsyncClient, task: Task, program: str) -> Grade:
        if self.config.mode == "fixed":
            return await super().grade(client, task, program)
        limits = self.judge.limits
        test_s = limits.cpu_time_s or _TEST_S
        further = msgspec.structs.replace(limits, cpu_time_s=None)
        async with self.open(task, self.sample) as sample:
            request = await asyncio.to_thread(
                strict.request_of, sample, program, int(test_s) or 1, further
            )
            result = await client.run(request)
            outcome = await asyncio.to_thread(strict.outcome_of, sample, result)
        return _grade(sample, outcome or strict.died(), result)


def files_of(version: str) -> tuple[str, ...]:
    """The files of a release, or of a part.

    Raises:
        SuiteError: there is no such version.
    """
    match = _VERSION.fullmatch(version)
    if match is None:
        raise SuiteError(
            f"livecodebench: there is no version {version!r}; there are release_v1 to release_v6, "
            "and parts of them like v3 and v2_v4"
        )
    release, first, last = (int(number) if number else 0 for number in match.groups())
    return FILES[:release] if release else FILES[first - 1 : last or first]


def _function(metadata: Any, place: str) -> str:
    try:
        name = json.loads(metadata or "{}").get("func_name") or ""
    except (TypeError, ValueError, AttributeError, RecursionError):
        name = None
    if not isinstance(name, str):
        raise SuiteError(f"{place}: its metadata are no JSON with a func_name")
    return name


def _grade(sample: samples.Sample, outcome: strict.Outcome, result: RunResult) -> Grade:
    """What the checker says, as a grade; its results end at the first that is not True."""
    results, metadata = outcome
    passed = sum(one is True for one in results)
    total = len(sample.inputs)
    right = passed == len(results) == min(total, len(sample.outputs)) and passed > 0
    code = metadata.get("error_code", -2)
    verdict = Verdict.ACCEPTED if right else _VERDICTS.get(code, Verdict.WRONG_ANSWER)
    message = "" if right else f"{metadata.get('error_message', '')}"
    failing = None
    if not right:
        failing = FailingCase(
            name=str(passed),
            verdict=verdict,
            message=cut(message) or "",
            input=_at(sample.inputs, passed),
            expected=_at(sample.outputs, passed),
            got=cut(metadata.get("output")),
            error_output=cut(metadata.get("error")),
        )
    return Grade(
        verdict=verdict,
        passed=passed,
        total=total,
        isolation=result.isolation,
        enforcement=result.enforcement,
        toolchain=result.toolchain,
        failing=failing,
        message=cut(message) or "",
        cpu_time_s=result.cpu_time_s,
        wall_time_s=result.wall_time_s,
    )


def _at(texts: Sequence[Any], place: int) -> str | None:
    return cut(str(texts[place])) if place < len(texts) else None
