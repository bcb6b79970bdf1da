"""BigCodeBench: Python functions that use many libraries, tested by a class of unittest's.

Prompts, stop texts, calibration and the tests' surroundings are those of
bigcode-project/bigcodebench (bigcodebench/provider/utility.py, evaluate.py, eval/__init__.py,
0.2): a program stands behind the task's `code_prompt` and `pass` (calibrated), so that one that
leaves out the imports, as chat models do, still has them.  Libraries are those of the judge's
Python; bigcodebench's Requirements/requirements-eval.txt names the versions that numbers were
published with.  The sandbox has no network, and the data that tests download is not there.
"""

from __future__ import annotations

from typing import ClassVar

from scalebox.client.aio import AsyncClient
from scalebox.extraction import extract_code
from scalebox.model import Limits
from scalebox.suite import rows
from scalebox.suite.benchmarks import unittests
from scalebox.suite.benchmarks.joining import joined, text_field, until_stop
from scalebox.suite.errors import SuiteError
from scalebox.suite.rows import Hub
from scalebox.suite.tasks import Benchmark, Grade, Sample, Task, limits_of

#: bigcodebench/provider/utility.py: `EOS`, and `extra_eos_for_direct_completion`.
STOP = (
    *("<|endoftext|>", "<|endofmask|>", "</s>", "\nif __name__", "\ndef main(", "\nprint("),
    *("\ndef ", "\nclass ", "\nimport ", "\nfrom ", "\nassert "),
)
#: bigcodebench/generate.py: `instruction_prefix`.
INSTRUCTION = (
    "Please provide a self-contained Python script that solves the following problem in a markdown "
    "code block:\n"
)
_VARIANTS = ("complete", "instruct", "complete-uncalibrated", "instruct-uncalibrated")
_CLASS = "TestCases"
_TEXTS = ("complete_prompt", "instruct_prompt", "code_prompt", "canonical_solution", "test")
#: Theirs waits 240 s for a task's tests (bigcodebench/eval/utils.py: `TIMEOUT`).  TensorFlow's
#: threads wait for each other, more so beside other load, so the clock allows twice that.
_LIMITS = Limits(
    cpu_time_s=240.0,
    wall_time_s=480.0,
    memory_bytes=4 << 30,
    file_bytes=256 << 20,
    processes=256,
    open_files=4096,
)


class BigCodeBench(Benchmark):
    """All 1,140 tasks.

    `variant` is `complete` (the default: a docstring to complete) or `instruct` (words), either of
    them with `-uncalibrated` behind it; `split` is the version of the data.
    """

    name: ClassVar[str] = "bigcodebench"
    options = frozenset({"variant"})
    title: ClassVar[str] = "BigCodeBench"
    source: ClassVar[str] = (
        "The data set is bigcode/bigcodebench on the hub, a Parquet file a version, under data/"
    )
    hub: ClassVar[Hub] = Hub(
        "bigcode/bigcodebench",
        "b74c0d0bf70d2c0bc459be537895cca163007f1a",
        ("data/{split}-*.parquet",),
    )
    #: Which has a split a version, this being the last (bigcode/bigcodebench on the hub, data/).
    split: ClassVar[str] = "v0.1.4"

    def load(self) -> None:
        variant = self.config.variant or _VARIANTS[0]
        if variant not in _VARIANTS:
            raise SuiteError(
                f"benchmark {self.name} has no variant {variant!r} (there are "
                f"{', '.join(_VARIANTS)})"
            )
        split = self.config.split or self.split
        files = tuple(pattern.format(split=split) for pattern in self.hub.files)
        hub = Hub(self.hub.id, self.hub.revision, files)
        found = rows.read(self.config, hub, self.source)
        self.data_sha256 = found.sha256
        #: Task → its tests.
        self.tests: dict[str, unittests.TestClass] = {}
        for place, row in found.rows:
            self._add(place, row, instruct=variant.startswith("instruct"))
        self._calibrated = not variant.endswith("uncalibrated")

    def _add(self, place: str, row: rows.Row, *, instruct: bool) -> None:
        task_id = text_field(row, "task_id", place)
        texts = {name: text_field(row, name, place) for name in _TEXTS}
        text_field(row, "entry_point", place)
        complete = texts["complete_prompt"]
        asked = texts["instruct_prompt"].strip() if instruct else f"```\n{complete.strip()}\n```"
        self.tests[task_id] = unittests.read_tests(texts["test"], _CLASS, place)
        self.tasks.append(
            Task(
                id=task_id,
                prompt=complete,
                instruction=f"{INSTRUCTION}{asked}\n",
                stop=STOP,
                canonical=complete + texts["canonical_solution"],
                row=row,
            )
        )

    def program(self, task: Task, sample: Sample) -> str | None:
        if sample.kind == "completion":
            code: str | None = task.prompt + until_stop(sample.text, task.stop)
        elif sample.kind == "answer":
            code = extract_code(sample.text, language="python")
            if code is not None:
                code = joined(task.prompt, code, task.row["entry_point"])
        else:
            code = sample.text
        if code is None or not self._calibrated:
            return code
        return f"{task.row['code_prompt']}\n    pass\n{code}"

    async def prepare(self, client: AsyncClient) -> None:
        """See that the judge's Python has what the chosen tasks import.

        Raises:
            SuiteError: it has not: every answer to those tasks would be called wrong.
        """
        programs = [
            program
            for task in self.tasks
            for program in (f"{task.row['code_prompt']}\n    pass\n", task.row["test"])
        ]
        missing = await unittests.missing_modules(client, programs)
        if missing:
            raise SuiteError(
                f"benchmark {self.name}: the judge's Python has no {', '.join(missing)}, which its "
                "tasks import. Install them for it, or name another Python in the daemon's "
                "languages.python.interpreter; `make eval-env` makes one with those of "
                "BigCodeBench-Hard (docs/evaluation-bigcodebench.md)"
            )

    async def grade(self, client: AsyncClient, task: Task, program: str) -> Grade:
        return await unittests.judge(
            client,
            self.tests[task.id],
            program,
            limits_of(self.judge.limits, _LIMITS),
            stop_early=self.judge.stop == "first_failure",
        )


class BigCodeBenchHard(BigCodeBench):
    """The 148 tasks of BigCodeBench-Hard."""

    name: ClassVar[str] = "bigcodebench-hard"
    title: ClassVar[str] = "BigCodeBench-Hard"
    source: ClassVar[str] = (
        "The data set is bigcode/bigcodebench-hard on the hub, a Parquet file a version, under "
        "data/; bigcodebench_hard.json of other evaluations' repositories is read, too"
    )
    hub: ClassVar[Hub] = Hub(
        "bigcode/bigcodebench-hard",
        "298d2cc7b96612e15e47313c3603ee124cee0c1f",
        BigCodeBench.hub.files,
    )
