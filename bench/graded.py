"""Do our verdicts agree with those that BigCodeBench's own harness gave to two models' samples?

Judges the graded completions of BigCodeBench-Hard as `scalebox eval` does, with the libraries of
`bigcodebench-requirements.txt` in the judge's Python, and the tasks' canonical solutions besides.
Passed or not must be the same for 97 % of the samples, and each that differs must have a cause in
`graded_differences.toml` that is not ours; so must each canonical solution that fails.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.progress import Progress

from bench import graded_outside, graded_page, results
from bench.graded_samples import (
    CANONICAL,
    DIFFERENCES,
    Agreement,
    Difference,
    Graded,
    Judged,
    canonical_of,
    changed,
    read_differences,
    read_published,
)
from bench.labels import data_directory
from scalebox.client.aio import AsyncClient
from scalebox.client.local import async_local
from scalebox.errors import ScaleboxError
from scalebox.model import Limits, RunRequest, RunStatus
from scalebox.suite.benchmarks import load
from scalebox.suite.config import BenchmarkConfig, JudgeConfig
from scalebox.suite.errors import SuiteError
from scalebox.suite.tasks import Benchmark

TASKS = "bigcodebench_hard.json.gz"
#: Model → the results that were published for it (QwenLM/Qwen3-Coder: qwencoder-eval/base/).
PUBLISHED = {
    "qwen2.5-coder-1.5b": "bigcodebench_hard_qwen2.5-coder-1.5b-base_eval_results.json.gz",
    "qwen2.5-coder-7b": "bigcodebench_hard_qwen2.5-coder-7b-base_eval_results.json.gz",
}
REQUIREMENTS = Path(__file__).with_name("bigcodebench-requirements.txt")
DOCUMENT = results.ROOT / "docs" / "evaluation-bigcodebench.md"
#: Names the Python that has the libraries.
VARIABLE = "SCALEBOX_BCB_PYTHON"
ENVIRONMENT = results.ROOT / ".venv-eval"
_REMEDY = "`make eval-env` makes an environment with them in .venv-eval"
_WORDS_SHOWN = 200
_ASKED = (
    "import json; from importlib import metadata; "
    "print(json.dumps({one.metadata['Name']: one.version for one in metadata.distributions()}))"
)


def pinned(text: str) -> dict[str, str]:
    """Of a file of requirements: normal name → version."""
    found = re.findall(r"(?m)^([A-Za-z0-9._-]+)==([^\s;]+)", text)
    return {_normal(name): version for name, version in found}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def lacking(wanted: Mapping[str, str], there: Mapping[str, str]) -> list[str]:
    """What of the pinned versions is not there, in words."""
    here = {_normal(name): version for name, version in there.items()}
    return [
        f"{name} {version}" + (f" (it has {here[name]})" if name in here else "")
        for name, version in wanted.items()
        if here.get(name) != version
    ]


async def require_libraries(client: AsyncClient) -> None:
    """See that the judge's Python has the libraries, in the versions that are pinned.

    Raises:
        SuiteError: it has not; how to get them.
    """
    done = await client.run(
        RunRequest(language="python", source=_ASKED, limits=Limits(cpu_time_s=60.0))
    )
    if done.status is not RunStatus.FINISHED or done.exit_code:
        words = done.stderr.decode("utf-8", "replace").strip() or done.message
        raise SuiteError(f"the judge's Python does not say what it has: {words[:_WORDS_SHOWN]}")
    missing = lacking(pinned(REQUIREMENTS.read_text(encoding="utf-8")), json.loads(done.stdout))
    if missing:
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        raise SuiteError(
            f"the judge's Python lacks {', '.join(missing[:5])}{more}. {_REMEDY}; name its Python "
            f"in ${VARIABLE}, or a daemon's in languages.python.interpreter"
        )


def python_path(named: str | None = None) -> Path:
    """The Python with the libraries: the one named, else $SCALEBOX_BCB_PYTHON's, else .venv-eval's.

    Raises:
        SuiteError: there is none; how to get one.
    """
    path = Path(named or os.environ.get(VARIABLE) or ENVIRONMENT / "bin" / "python")
    if not os.access(path, os.X_OK):
        raise SuiteError(f"there is no Python with BigCodeBench's libraries at {path}: {_REMEDY}")
    return path.absolute()


@contextlib.asynccontextmanager
async def daemon(python: str | None = None, **tables: Any) -> AsyncIterator[AsyncClient]:
    """A private daemon whose Python has the libraries.

    Parameters:
        python: path; None: as `python_path` finds it.
        tables: further options of the daemon's configuration.

    Raises:
        SuiteError: there is no such Python.
    """
    language = {"python": {"interpreter": str(python_path(python))}}
    async with async_local({"languages": language}, **tables) as client:
        yield client


def benchmark(path: Path) -> Benchmark:
    """The tasks, for programs that are taken as they stand.

    Raises:
        SuiteError: they are not there, or not as documented.
    """
    # What was published is `code_prompt`, `pass` and the sample already.
    config = BenchmarkConfig(
        name="bigcodebench-hard", path=str(path), variant="complete-uncalibrated"
    )
    return load(config, JudgeConfig())


async def agreement(
    client: AsyncClient, directory: Path | None = None, *, only: str | None = None
) -> Agreement:
    """Judge all samples and compare.

    Parameters:
        client: of a daemon whose Python has the libraries.
        directory: of the data; None: `$SCALEBOX_DATA`.
        only: tasks whose id ends so; None: all.

    Raises:
        SuiteError: data or libraries are missing, or a file is not as documented.
        ScaleboxError: a sample could not be judged.
    """
    directory = directory or data_directory()
    published = [
        one
        for model, name in PUBLISHED.items()
        for one in await asyncio.to_thread(read_published, directory / name, model)
    ]
    if not (directory / TASKS).is_file():
        raise SuiteError(f"there is no {TASKS} in the data directory; name it in $SCALEBOX_DATA")
    tasks = await asyncio.to_thread(benchmark, directory / TASKS)
    await require_libraries(client)
    given = [
        one
        for one in (*published, *canonical_of(tasks.tasks))
        if only is None or one.task.endswith(only)
    ]
    if not given:
        raise SuiteError(f"there is no task whose id ends in {only!r}")
    judged = await judge(client, tasks, given, read_differences())
    status = await client.status()
    python = next(one.toolchain for one in await client.languages() if one.name == "python")
    return Agreement(
        samples=[one for one in judged if one.graded.model != CANONICAL],
        canonical=[one for one in judged if one.graded.model == CANONICAL],
        host={
            "isolation": status.isolation.value,
            "enforcement": status.enforcement.value,
            "judge_python": python,
        },
    )


async def measure(python: str | None = None) -> Agreement:
    """As `agreement`, of all samples, by a private daemon with the libraries."""
    async with daemon(python) as client:
        return await agreement(client)


async def judge(
    client: AsyncClient,
    tasks: Benchmark,
    given: Sequence[Graded],
    known: Mapping[str, Difference],
) -> list[Judged]:
    """Judge samples, as many at once as there are slots, with a progress bar; in the order given.

    Raises:
        SuiteError: a sample's task is not there.
        ScaleboxError: a sample could not be judged.
    """
    by_id = {task.id: task for task in tasks.tasks}
    for one in given:
        if one.task not in by_id:
            raise SuiteError(f"{one.key}: the data has no such task")
    # One more than runs, so that no slot waits for this process.
    at_once = asyncio.Semaphore(len((await client.status()).slots) + 1)
    with Progress(console=results.new_console(), transient=True) as bar:
        shown = bar.add_task("judging", total=len(given))

        async def judge_one(graded: Graded) -> Judged:
            async with at_once:
                task = by_id[graded.task]
                grade = await tasks.grade(client, task, graded.program)
            bar.advance(shown)
            return Judged(graded, task, grade, known.get(graded.key))

        try:
            async with asyncio.TaskGroup() as group:
                started = [group.create_task(judge_one(graded)) for graded in given]
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from errors
    return [task.result() for task in started]


async def run(options: argparse.Namespace) -> int:
    """Judge, print, write; returns the exit status.

    Parameters:
        options: as `main` reads them.

    Raises:
        ScaleboxError: as for `agreement`.
    """
    async with daemon(options.python, sandbox={"isolation": options.isolation}) as client:
        found = await agreement(client, only=options.only)
        again = await agreement(client, only=options.only) if options.twice else None
    figures, promises = found.figures(), found.promises()
    if again is not None:
        flips = changed(found, again)
        figures["graded_flips"] = len(flips)
        promises.append(results.none_of("judged twice, no verdict differs", flips))
    differing = [one.row() for one in found.differing()]
    if options.outside:
        python = python_path(options.python)
        for row, one in zip(differing, found.differing(), strict=True):
            row["outside"] = graded_outside.run(python, one.graded.program, one.task.row["test"])
    if options.only is None:
        path = results.write("graded", figures, found.rows(), promises=promises, host=found.host)
        print(f"wrote {path.name}")
        if old := found.stale(read_differences()):
            print(f"{DIFFERENCES.name}: not needed by this run: {', '.join(old)}")
    if differing:
        results.show("Verdicts that are not the published ones", differing)
    results.show("Graded", [{"figure": name, "value": value} for name, value in figures.items()])
    if options.write_docs:
        write_page(found)
    return results.conclude(promises)


def write_page(found: Agreement) -> None:
    """Write the page of docs/ that shows what came of a run."""
    DOCUMENT.write_text(graded_page.document(found, read_differences()), encoding="utf-8")
    print(f"wrote docs/{DOCUMENT.name}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of `python -m bench.graded`."""
    parser = argparse.ArgumentParser(prog="python -m bench.graded", description=__doc__)
    parser.add_argument(
        "--python", metavar="FILE", help=f"with BigCodeBench's libraries (${VARIABLE})"
    )
    parser.add_argument("--only", metavar="ID", help="tasks whose id ends so, such as /13")
    parser.add_argument("--isolation", default="auto", help="of the daemon, as in scalebox.toml")
    parser.add_argument("--twice", action="store_true", help="judge all twice, and compare")
    parser.add_argument(
        "--outside",
        action="store_true",
        help="run what differs once more without a sandbox; only where nothing can be harmed",
    )
    parser.add_argument("--write-docs", action="store_true", help=f"write docs/{DOCUMENT.name}")
    try:
        return asyncio.run(run(parser.parse_args(arguments)))
    except ScaleboxError as error:
        print(f"graded: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
