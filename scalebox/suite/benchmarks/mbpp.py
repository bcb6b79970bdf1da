"""MBPP: 974 small Python functions, described in a sentence, tested by three asserts.

Rows are those of google-research/google-research (mbpp/mbpp.jsonl: `text`, `test_setup_code`), of
its sanitized part (mbpp/sanitized-mbpp.json: `prompt`, `test_imports`), and of
google-research-datasets/mbpp on the hub, which has both.  Prompts are the paper's (arXiv
2108.07732, section 2.1 and figure 1), without examples: they show the asserts.
"""

from __future__ import annotations

import re
from typing import ClassVar

from msgspec.structs import replace

from scalebox.client.aio import AsyncClient
from scalebox.errors import BadRequestError
from scalebox.extraction import extract_code
from scalebox.formats.truths import truth_of
from scalebox.model import AssertTests, Limits
from scalebox.suite import rows
from scalebox.suite.benchmarks.joining import lines_field, text_field, until_stop
from scalebox.suite.config import BenchmarkConfig
from scalebox.suite.errors import SuiteError
from scalebox.suite.rows import Hub, Row
from scalebox.suite.tasks import Benchmark, Grade, Sample, Task

#: What a base model ends its answer with, as the paper's prompts do, and what begins another task.
STOP = ("[DONE]", '\n"""', "\nassert", "\nif __name__", "\nprint(", "<|endoftext|>", "</s>")
#: Tasks by their ids, as the paper divides them (section 2.1).
_PARTS = ((10, "prompt"), (510, "test"), (600, "validation"), (974, "train"))
_LIMITS = Limits(cpu_time_s=10.0)


class Mbpp(Benchmark):
    """`split` chooses one of `prompt`, `test`, `validation` and `train`; empty: all tasks."""

    name: ClassVar[str] = "mbpp"
    title: ClassVar[str] = "MBPP"
    source: ClassVar[str] = (
        "mbpp.jsonl and sanitized-mbpp.json are in the repository google-research/google-research, "
        "under mbpp/"
    )
    hub: ClassVar[Hub] = Hub(
        "google-research-datasets/mbpp",
        "4bb6404fdc6cacfda99d4ac4205087b89d32030c",
        ("full/*.parquet",),
    )

    def load(self) -> None:
        split = self.config.split
        names = [name for _, name in _PARTS]
        if split and split not in names:
            raise SuiteError(
                f"benchmark {self.name} has no split {split!r} (there are {', '.join(names)})"
            )
        found = rows.read(self._whole(), self.hub, self.source)
        self.data_sha256 = found.sha256
        #: Task → its tests.
        self.tests: dict[str, AssertTests] = {}
        for place, row in found.rows:
            number = row.get("task_id")
            if isinstance(number, bool) or not isinstance(number, int):
                raise SuiteError(f"{place}: field 'task_id' is no number, but {number!r:.80}")
            part = next((name for last, name in _PARTS if number <= last), names[-1])
            if split in ("", part):
                self._add(place, row, f"MBPP/{number}", part)
        self.tasks.sort(key=lambda task: int(task.row["task_id"]))

    def _whole(self) -> BenchmarkConfig:
        """The configuration without the split: which task is in which is told by its id."""
        return replace(self.config, split="")

    def _add(self, place: str, row: Row, task_id: str, part: str) -> None:
        words = text_field(row, "text" if "text" in row else "prompt", place)
        code = text_field(row, "code", place)
        asserts = lines_field(row, "test_list", place)
        if "test_imports" in row:
            lines_field(row, "test_imports", place)
        if row.get("test_setup_code") is not None:
            text_field(row, "test_setup_code", place)
        try:
            tests = truth_of(
                {
                    name: row[name]
                    for name in ("test_list", "test_imports", "test_setup_code")
                    if row.get(name) is not None
                }
            ).tests
        except BadRequestError as error:
            raise SuiteError(f"{place}: {error}") from error
        assert isinstance(tests, AssertTests)  # of a `test_list`
        self.tests[task_id] = tests
        asked = f"{words.strip()}\nYour code should pass these tests:\n\n" + "\n".join(asserts)
        self.tasks.append(
            Task(
                id=task_id,
                prompt=f'"""\n{asked}\n"""\n',
                instruction=(
                    "You are an expert Python programmer, and here is your task: "
                    f"{asked}\n\nAnswer with the program in one code block."
                ),
                groups={"part": part},
                stop=STOP,
                canonical=code.replace("\r\n", "\n"),
                row=row,
            )
        )

    def program(self, task: Task, sample: Sample) -> str | None:
        if sample.kind == "solution":
            return sample.text
        if sample.kind == "completion":
            return until_stop(re.sub(r"^\s*\[BEGIN\]\n?", "", sample.text), task.stop)
        return extract_code(sample.text, language="python")

    async def grade(self, client: AsyncClient, task: Task, program: str) -> Grade:
        return await self.judged(client, task, program, self.tests[task.id], _LIMITS)
