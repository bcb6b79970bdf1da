"""HumanEval: 164 Python functions, tested by asserts.

Rows and joining are those of openai/human-eval (data/HumanEval.jsonl.gz; execution.py): the program
is prompt and continuation, and `check(entry_point)` of the test is called.  The continuation ends
at the stop tokens of the paper (arXiv 2107.03374, section 2.2).
"""

from __future__ import annotations

from typing import ClassVar

from scalebox.client.aio import AsyncClient
from scalebox.errors import BadRequestError
from scalebox.extraction import extract_code
from scalebox.formats.truths import truth_of
from scalebox.model import AssertCase, AssertTests, Limits
from scalebox.suite import rows
from scalebox.suite.benchmarks.joining import joined, text_field, until_stop
from scalebox.suite.errors import SuiteError
from scalebox.suite.rows import Hub
from scalebox.suite.tasks import Benchmark, Grade, Sample, Task

STOP = ("\nclass", "\ndef", "\n#", "\nif", "\nprint")
INSTRUCTION = "Complete this Python function. Answer with the whole function in one code block.\n\n"
_LIMITS = Limits(cpu_time_s=3.0)


class HumanEval(Benchmark):
    name: ClassVar[str] = "humaneval"
    title: ClassVar[str] = "HumanEval"
    source: ClassVar[str] = "HumanEval.jsonl.gz is in the repository openai/human-eval, under data/"
    hub: ClassVar[Hub] = Hub(
        "openai/openai_humaneval",
        "7dce6050a7d6d172f3cc5c32aa97f52fa1a2e544",
        ("openai_humaneval/test-*.parquet",),
    )

    def load(self) -> None:
        found = rows.read(self.config, self.hub, self.source)
        self.data_sha256 = found.sha256
        for place, row in found.rows:
            prompt = text_field(row, "prompt", place)
            for name in ("test", "entry_point", "canonical_solution"):
                text_field(row, name, place)
            tests = {name: row[name] for name in ("test", "entry_point")}
            try:
                truth_of(tests)
            except BadRequestError as error:
                raise SuiteError(f"{place}: {error}") from error
            self.tasks.append(
                Task(
                    id=text_field(row, "task_id", place),
                    prompt=prompt,
                    instruction=f"{INSTRUCTION}```python\n{prompt.rstrip()}\n```",
                    stop=STOP,
                    canonical=prompt + row["canonical_solution"],
                    row=row,
                )
            )

    def program(self, task: Task, sample: Sample) -> str | None:
        if sample.kind == "solution":
            return sample.text
        if sample.kind == "completion":
            return task.prompt + until_stop(sample.text, task.stop)
        code = extract_code(sample.text, language="python")
        return None if code is None else joined(task.prompt, code, task.row["entry_point"])

    async def grade(self, client: AsyncClient, task: Task, program: str) -> Grade:
        case = AssertCase(program=task.row["test"], name=task.id)
        tests = AssertTests(cases=[case], entry_point=task.row["entry_point"])
        return await self.judged(client, task, program, tests, _LIMITS)
