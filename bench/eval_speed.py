"""HumanEval+ x 10 samples: our suite beside EvalPlus's own evaluator, on the same samples.

Part of `make eval-demo`.  The samples are the canonical solutions, all of them different texts, and
small flaws in them (`python_mutations`); what both say of each must be the same.  Both stop at a
program's first failure, which is EvalPlus's default, and run programs with the same interpreter, on
as many cores, in turns, each with a part of the tasks.  Expected outputs are made first and timed
apart on both sides: both keep them for the next time.  Beside both stands what our runs take inside
their sandboxes, our harness there included, and what the programs' loading and calls take by
themselves (`eval_native`), which is the least for anybody who runs them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import operator
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import islice
from pathlib import Path
from typing import Any

from bench import results
from bench.clients import Client, Environment
from bench.edits import spread
from bench.labels import data_directory
from bench.python_mutations import edits
from bench.results import ROOT
from scalebox.client.local import async_local
from scalebox.suite import benchmarks
from scalebox.suite.config import BenchmarkConfig, JudgeConfig
from scalebox.suite.judging import Judging
from scalebox.suite.rows import rows_of
from scalebox.suite.tasks import Sample

CLIENT = Client(
    "evalplus",
    requirement="evalplus==0.3.1",
    requirements=(
        *("numpy<2.3", "psutil", "tqdm", "termcolor", "appdirs", "tempdir", "wget"),
        *("multipledispatch", "datasets", "rich", "tree-sitter", "tree-sitter-python"),
    ),
    alone="transformers and the clients of five model services, which its evaluator never touches",
)
SAMPLES_A_TASK = 10
#: Of the tasks.  More would leave a core idle at the end of more turns.
PARTS = 4
#: Of them, with a small flaw.
FLAWED_A_TASK = 4
_SEED = 20_260
_ENVIRONMENT = ROOT / ".venv-compat"
_TIMEOUT_S = 3600.0
_SHOWN_CHARS = 4000

#: Tasks of which EvalPlus 0.3.1 says that every program fails, the canonical one too.  Why is read
#: in evalplus/eval/__init__.py.
FAILED_BY_THEM = {
    "HumanEval/32": "inputs whose output its special oracle (`find_zero`) finds right are not "
    "counted as done, and a program with inputs that are not done fails",
}

#: Whether the base inputs are passed, and whether all are; of each sample of a task.
Verdicts = dict[str, list[list[bool]]]


@dataclass(frozen=True, slots=True)
class Speed:
    """What both took, in seconds, and where they disagree.

    Attributes:
        samples: judged by each.
        ours_s, theirs_s: of judging.
        programs_s: the CPU time of all our runs, the calls and what our harness does beside them
            in the same process, divided among the cores.
        native_s: the CPU time of loading and calls alone, without a sandbox, divided likewise.
        native_different: samples that are right there and not here, or the other way round: as
            many may have been stopped too late or too soon there.
        ours_prepared_s, theirs_prepared_s: of expected outputs.
        different: samples that are judged otherwise, named.
        accepted: share of the samples that are right.
        explained: tasks that are left out of `different` → why.
    """

    samples: int
    ours_s: float
    theirs_s: float
    programs_s: float
    native_s: float
    native_different: int
    ours_prepared_s: float
    theirs_prepared_s: float
    different: list[str]
    accepted: float
    explained: dict[str, str] = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        """How many times faster we are at judging."""
        return self.theirs_s / self.ours_s

    @property
    def limit(self) -> float:
        """How many times faster than theirs anybody could be who runs the programs."""
        return self.theirs_s / self.native_s

    @property
    def beyond(self) -> float:
        """Theirs over ours, of what is spent beyond the programs."""
        return (self.theirs_s - self.native_s) / (self.ours_s - self.native_s)


def cores() -> int:
    """What both may use."""
    return len(os.sched_getaffinity(0))


def rows_file() -> Path:
    """HumanEval+ as it was published."""
    return data_directory() / "HumanEvalPlus.jsonl.gz"


def samples_of(row: dict[str, Any]) -> list[str]:
    """The programs for one task: right ones, and flawed ones as far as there are any."""
    whole = row["prompt"] + row["canonical_solution"]
    found = spread(edits(whole), _SEED)
    flawed = []
    for _, edit in islice(found, FLAWED_A_TASK):
        flawed.append(whole[: edit.start] + edit.text + whole[edit.end :])
    right = SAMPLES_A_TASK - len(flawed)
    return [*(f"{whole}\n# Sample {number}.\n" for number in range(right)), *flawed]


def write_samples(rows: Path, path: Path) -> list[tuple[str, str]]:
    """Write the samples in EvalPlus's form; returns them in that order."""
    pairs = [(row["task_id"], solution) for _, row in rows_of(rows) for solution in samples_of(row)]
    lines = (json.dumps({"task_id": task, "solution": text}) for task, text in pairs)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return pairs


@dataclass(frozen=True, slots=True)
class Ours:
    """What our suite took, in seconds as in `Speed`, and says."""

    prepared_s: float
    judged_s: float
    programs_s: float
    verdicts: Verdicts


async def ours(rows: Path, pairs: Sequence[tuple[str, str]]) -> Ours:
    """Judge with a daemon of our own, and the interpreter that theirs runs programs with."""
    config = BenchmarkConfig(name="humaneval+", path=str(rows))
    benchmark = benchmarks.load(config, JudgeConfig(in_flight=16, stop="first_failure"))
    tasks = {task.id: task for task in benchmark.tasks}
    interpreter = os.path.realpath(sys.executable)
    async with async_local(languages={"python": {"interpreter": interpreter}}) as client:
        began = time.perf_counter()
        await benchmark.prepare(client)
        prepared = time.perf_counter()
        judging = Judging(benchmark, client)
        samples = [
            Sample(task=task, index=place, text=text, kind="solution")
            for place, (task, text) in enumerate(pairs)
        ]
        lines = await asyncio.gather(*(judging.line(tasks[one.task], one) for one in samples))
        ended = time.perf_counter()
    verdicts: Verdicts = {}
    for line in lines:
        parts = line.grade.parts
        if not line.grade.verdict.is_about_the_program:
            raise RuntimeError(f"{line.task}: {line.grade.verdict}: {line.grade.message}")
        verdicts.setdefault(line.task, []).append(
            [parts.get("base", False), parts.get("plus", False)]
        )
    spent_s = sum(line.grade.cpu_time_s for line in lines)
    return Ours(prepared - began, ended - prepared, spent_s / cores(), verdicts)


def theirs(rows: Path, samples: Path) -> dict[str, Any]:
    """Judge with EvalPlus as it is on PyPI; installs it if it is not there.

    Raises:
        NotInstalledError: it cannot be installed.
        subprocess.CalledProcessError: it failed.
    """
    command = [sys.executable, str(ROOT / "scripts" / "bootstrap.py")]
    subprocess.run(command, env={**os.environ, "VENV": str(_ENVIRONMENT)}, check=True)
    environment = Environment(_ENVIRONMENT)
    environment.install("bench.eval_speed", CLIENT)
    return _asked(
        str(_ENVIRONMENT / "bin" / "python"), "bench.evalplus_theirs", rows, samples,
        {
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(environment.folder("bench.eval_speed"))]),
            "XDG_CACHE_HOME": str(samples.parent / "cache"),
            "HF_HUB_OFFLINE": "1",
        },
    )  # fmt: skip


def native(rows: Path, samples: Path) -> dict[str, Any]:
    """What the programs take by themselves.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    return _asked(sys.executable, "bench.eval_native", rows, samples, {"PYTHONPATH": str(ROOT)})


def _asked(
    python: str, module: str, rows: Path, samples: Path, environment: dict[str, str]
) -> dict[str, Any]:
    """What a module wrote that is run with these files, on as many cores as ours; what it says goes
    to standard error if it fails."""
    out = samples.with_name(f"{module}.json")
    words = [str(rows), str(samples), str(out), "--parallel", str(cores())]
    done = subprocess.run(
        [python, "-m", module, *words],
        env=os.environ | environment,
        cwd=samples.parent,
        timeout=_TIMEOUT_S,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    if done.returncode:
        sys.stderr.write(done.stderr.decode("utf-8", "replace")[-_SHOWN_CHARS:])
    done.check_returncode()
    found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return found


def explained(theirs: Verdicts) -> dict[str, str]:
    """What of `FAILED_BY_THEM` they were asked, and failed every program for: task → why."""
    return {
        task: why
        for task, why in FAILED_BY_THEM.items()
        if task in theirs and not any(map(any, theirs[task]))
    }


def differences(ours: Verdicts, theirs: Verdicts) -> list[str]:
    """Samples of which both say something else, in words; without the tasks of `explained`."""
    left_out = explained(theirs)
    return [
        f"{task} ({place}): ours {mine}, theirs {their}"
        for task, all_theirs in theirs.items()
        for place, (mine, their) in enumerate(zip(ours[task], all_theirs, strict=True))
        if mine != their and task not in left_out
    ]


def measure(first: int | None = None) -> Speed:
    """Both, in turns, with a part of the tasks in each, now in this order and now in the other:
    what a machine does meanwhile for minutes meets both alike.

    Parameters:
        first: so many tasks, at least 2; None: all.
    """
    rows = [row for _, row in islice(rows_of(rows_file()), first)]
    number = min(PARTS, len(rows))
    return reduce(
        together,
        (_measured(rows[place::number], place % 2 == 0) for place in range(number)),
    )


def _measured(rows: Sequence[dict[str, Any]], theirs_first: bool) -> Speed:
    with tempfile.TemporaryDirectory(prefix="eval-speed-") as folder:
        samples, path = Path(folder, "samples.jsonl"), Path(folder, "rows.jsonl")
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
        pairs = write_samples(path, samples)
        other = theirs(path, samples) if theirs_first else None
        own = asyncio.run(ours(path, pairs))
        alone = native(path, samples)
        other = other or theirs(path, samples)
    all_right = [all(one) for ones in own.verdicts.values() for one in ones]
    return Speed(
        samples=len(pairs),
        ours_s=own.judged_s,
        theirs_s=other["judged_s"],
        programs_s=own.programs_s,
        native_s=alone["judged_s"],
        native_different=sum(map(operator.ne, alone["right"], all_right)),
        ours_prepared_s=own.prepared_s,
        theirs_prepared_s=other["prepared_s"],
        different=differences(own.verdicts, other["verdicts"]),
        explained=explained(other["verdicts"]),
        accepted=sum(all_right) / len(pairs),
    )


def together(one: Speed, other: Speed) -> Speed:
    """Of two parts, as if it had been one."""
    samples = one.samples + other.samples
    return Speed(
        samples=samples,
        ours_s=one.ours_s + other.ours_s,
        theirs_s=one.theirs_s + other.theirs_s,
        programs_s=one.programs_s + other.programs_s,
        native_s=one.native_s + other.native_s,
        native_different=one.native_different + other.native_different,
        ours_prepared_s=one.ours_prepared_s + other.ours_prepared_s,
        theirs_prepared_s=one.theirs_prepared_s + other.theirs_prepared_s,
        different=one.different + other.different,
        explained=one.explained | other.explained,
        accepted=(one.accepted * one.samples + other.accepted * other.samples) / samples,
    )


def table(speed: Speed) -> list[dict[str, Any]]:
    """What a user looks at."""
    return [
        {
            "evaluator": name,
            "outputs s": prepared_s,
            "judging s": judged_s,
            "beyond the programs s": judged_s - speed.native_s,
        }
        for name, prepared_s, judged_s in (
            ("scalebox", speed.ours_prepared_s, speed.ours_s),
            ("evalplus", speed.theirs_prepared_s, speed.theirs_s),
            ("scalebox's runs alone", 0.0, speed.programs_s),
            ("the programs alone", 0.0, speed.native_s),
        )
    ]


def figures(speed: Speed) -> dict[str, float]:
    """By the names that they have in results."""
    return {
        "speed_over_evalplus": speed.ratio,
        "speed_limit_over_evalplus": speed.limit,
        "speed_beyond_over_evalplus": speed.beyond,
        "speed_samples": speed.samples,
        "speed_ours_s": speed.ours_s,
        "speed_theirs_s": speed.theirs_s,
        "speed_programs_s": speed.programs_s,
        "speed_native_s": speed.native_s,
        "speed_native_different": speed.native_different,
    }


def promises(speed: Speed) -> list[results.Promise]:
    """What must hold."""
    return [
        results.at_least("speed_over_evalplus", speed.ratio, 2.0),
        results.none_of("EvalPlus says the same of every sample", speed.different),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of `python -m bench.eval_speed`."""
    parser = argparse.ArgumentParser(prog="python -m bench.eval_speed", description=__doc__)
    parser.add_argument("--first", type=int, metavar="N", help="so many tasks alone, from 2 on")
    first = parser.parse_args(arguments).first
    if first is not None and first < 2:
        parser.error(f"--first {first}: both orders need a task, so at least 2")
    found = measure(first)
    results.show(
        f"HumanEval+, {found.samples:,} samples ({found.accepted:.0%} right)", table(found)
    )
    results.show("", [{"figure": name, "value": one} for name, one in figures(found).items()])
    return results.conclude(promises(found))


if __name__ == "__main__":
    sys.exit(main())
