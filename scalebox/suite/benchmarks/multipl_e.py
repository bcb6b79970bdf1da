"""MultiPL-E: HumanEval and MBPP in the other languages, tested by a program in the task's own.

Rows are those of nuprl/MultiPL-E: on its hub a folder `humaneval-rs` a source set and language, in
other evaluations' repositories a file of that name.  Joining is nuprl/MultiPL-E's too (prompt,
completion up to a stop token, tests); for chat models see `multipl_e_answers`.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from msgspec.structs import replace

from scalebox.client.aio import AsyncClient
from scalebox.model import AssertCase, AssertTests, Limits
from scalebox.suite import rows
from scalebox.suite.benchmarks.joining import lines_field, text_field, until_stop
from scalebox.suite.benchmarks.multipl_e_answers import SHAPES, Shape, joined_answer
from scalebox.suite.config import BenchmarkConfig
from scalebox.suite.errors import SuiteError
from scalebox.suite.rows import ENDINGS, Hub
from scalebox.suite.tasks import Benchmark, Grade, Sample, Task

SETS = ("humaneval", "mbpp")
_LIMITS = Limits(cpu_time_s=15.0, memory_bytes=1 << 30)


class MultiplE(Benchmark):
    """`language` is one of ours or MultiPL-E's name of it; `subset` is `humaneval` (the default)
    or `mbpp`.
    """

    name: ClassVar[str] = "multipl-e"
    options = frozenset({"language"})
    title: ClassVar[str] = "MultiPL-E"
    source: ClassVar[str] = (
        "The data set is nuprl/MultiPL-E on the hub, a folder a source set and language"
    )
    hub: ClassVar[Hub] = Hub(
        "nuprl/MultiPL-E",
        "28441b6024e71d4a1c1c0f6bf171c935cd5a43f2",
        ("{name}/*.parquet",),
    )

    def load(self) -> None:
        ending, self.shape = self._language()
        subset = self.config.subset or SETS[0]
        if subset not in SETS:
            raise SuiteError(
                f"benchmark {self.name} has no subset {subset!r} (there are {', '.join(SETS)})"
            )
        name = f"{subset}-{ending}"
        files = tuple(pattern.format(name=name) for pattern in self.hub.files)
        hub = Hub(self.hub.id, self.hub.revision, files)
        found = rows.read(self._file(name), hub, self.source)
        self.data_sha256 = found.sha256
        for place, row in found.rows:
            self._add(place, row)

    def _language(self) -> tuple[str, Shape]:
        asked = self.config.language
        for ending, shape in SHAPES.items():
            if asked in (ending, shape.language):
                return ending, shape
        known = ", ".join(shape.language for shape in SHAPES.values())
        words = f"has no language {asked!r}" if asked else "needs a `language`"
        raise SuiteError(f"benchmark {self.name} {words} (there are {known})")

    def _file(self, name: str) -> BenchmarkConfig:
        """The configuration with the path of the file, where that is one of many in a folder."""
        config = replace(self.config, subset="")
        folder = Path(config.path)
        if not config.path or not folder.is_dir():
            return config
        for ending in ENDINGS:
            if (folder / f"{name}{ending}").is_file():
                return replace(config, path=str(folder / f"{name}{ending}"))
        if (folder / name).is_dir():
            return replace(config, path=str(folder / name))
        raise SuiteError(
            f"benchmark {self.name}: {folder} has neither a folder {name} nor a file of that name "
            f"that ends in {', '.join(ENDINGS)}"
        )

    def _add(self, place: str, row: rows.Row) -> None:
        prompt = text_field(row, "prompt", place)
        if not text_field(row, "tests", place).strip():
            raise SuiteError(f"{place}: there is no test")
        stop = lines_field(row, "stop_tokens", place)
        self.tasks.append(
            Task(
                id=text_field(row, "name", place),
                prompt=prompt,
                instruction=(
                    f"Complete this function in {self.shape.language}. Answer with the whole "
                    f"function in one code block.\n\n```\n{prompt.rstrip()}\n```"
                ),
                language=self.shape.language,
                groups={"language": self.shape.language},
                stop=tuple(stop),
                row={"tests": row["tests"]},
            )
        )

    def program(self, task: Task, sample: Sample) -> str | None:
        if sample.kind == "solution":
            return sample.text
        if sample.kind == "completion":
            return task.prompt + until_stop(sample.text, task.stop)
        if not sample.text.strip():
            return None
        return joined_answer(sample.text, task.prompt, task.row["tests"], self.shape)

    async def grade(self, client: AsyncClient, task: Task, program: str) -> Grade:
        tests = AssertTests(cases=[AssertCase(program=task.row["tests"], name=task.id)])
        return await self.judged(client, task, program, tests, _LIMITS)
