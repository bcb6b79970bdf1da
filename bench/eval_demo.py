"""The evaluation suite on stored and scripted answers, without any model: `make eval-demo`.

The canonical solutions of HumanEval+ and MBPP+ must all be right, hollow ones must not; graded
completions must be judged as they were published (`graded`); a scripted endpoint is sampled, and a
run that is killed again and again must come to the same bytes; verdicts must be the same at every
level of isolation and under load; and judging must be faster than EvalPlus's own (`eval_speed`).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console

from bench import eval_speed, graded, results
from bench.asserted import hollow
from bench.endpoint import ScriptedEndpoint
from bench.hogs import hogs
from bench.labels import data_directory
from bench.results import Promise
from scalebox.client.local import PrivateDaemon
from scalebox.suite import benchmarks, config, verify
from scalebox.suite.config import (
    BenchmarkConfig,
    JudgeConfig,
    ModelConfig,
    OutputConfig,
    RunConfig,
    SamplingConfig,
)
from scalebox.suite.errors import SuiteError
from scalebox.suite.folder import RESULTS, SUMMARY
from scalebox.suite.results import Result
from scalebox.suite.results import read as read_results
from scalebox.suite.summary import Summary
from scalebox.suite.tasks import Task

#: Benchmark → file.
SETS = {"humaneval+": "HumanEvalPlus.jsonl.gz", "mbpp+": "MbppPlus.jsonl.gz"}
KILLS = 10
#: Answers to each task that the scripted endpoint gives; the first is right.
SCRIPTED = 3
_SCRIPTED_TASKS = 60
_LATENCY_S = 0.3
_LOAD = 4
_PARTS = ("canonical", "resume", "verify", "graded", "speed")


@dataclass
class Found:
    """What the parts have found so far."""

    figures: dict[str, float] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    promises: list[Promise] = field(default_factory=list)


@contextlib.contextmanager
def daemon() -> Iterator[str]:
    """The address of one for all parts."""
    with PrivateDaemon({}) as private:
        private.wait_until_ready(60.0)
        yield str(private.socket)


def plan(name: str, model: ModelConfig, folder: Path, address: str, **sampling: Any) -> RunConfig:
    """A run of one of the sets."""
    return RunConfig(
        benchmark=BenchmarkConfig(name=name, path=str(data_directory() / SETS[name])),
        model=model,
        sampling=SamplingConfig(**sampling),
        judge=JudgeConfig(daemon=address),
        output=OutputConfig(directory=str(folder), k=(1,)),
    )


def command(run: RunConfig, folder: Path) -> list[str]:
    """The words that evaluate it, as a user would."""
    path = folder / f"{config.folder_name(run.model.name)}-{run.benchmark.name}.toml"
    path.write_text(config.dump(run), encoding="utf-8")
    return [sys.executable, "-m", "scalebox.cli", "eval", "run", str(path)]


def evaluate(run: RunConfig, folder: Path) -> tuple[Summary, list[Result]]:
    """Run it to its end.

    Raises:
        subprocess.CalledProcessError: it was not complete.
    """
    subprocess.run(command(run, folder), check=True, stdout=subprocess.DEVNULL)
    summary = msgspec.json.decode((run.directory / SUMMARY).read_bytes(), type=Summary)
    return summary, read_results(run.directory / RESULTS)


def canonical(folder: Path, address: str, found: Found) -> dict[str, RunConfig]:
    """The data's own solutions, and the same with nothing in them."""
    runs: dict[str, RunConfig] = {}
    for name in SETS:
        prefix = name.replace("+", "plus")
        run = plan(name, ModelConfig(name="canonical", samples="canonical"), folder, address)
        summary, judged = evaluate(run, folder)
        wrong = [f"{one.task}: {one.verdict}" for one in judged if one.verdict != "accepted"]
        tasks = benchmarks.load(run.benchmark, run.judge).tasks
        samples = folder / f"hollow-{prefix}.jsonl"
        lines = ({"task_id": task.id, "solution": hollow(task.canonical or "")} for task in tasks)
        samples.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        empty = plan(name, ModelConfig(name="hollow", samples=str(samples)), folder, address)
        _, emptied = evaluate(empty, folder)
        fooled = [one.task for one in emptied if one.verdict == "accepted"]
        runs |= {name: run, f"{name} hollow": empty}
        found.figures[f"{prefix}_canonical"] = 1 - len(wrong) / summary.expected
        found.figures[f"{prefix}_tasks"] = summary.expected
        found.figures[f"{prefix}_hollow_accepted"] = len(fooled)
        found.rows += [{"part": "canonical", "what": name, "found": text} for text in wrong]
        found.rows += [{"part": "hollow", "what": name, "found": text} for text in fooled]
        found.promises += [
            results.none_of(f"{name}: every canonical solution is right", wrong),
            results.none_of(f"{name}: no hollow solution is right", fooled),
        ]
    return runs


def answers_of(tasks: Sequence[Task]) -> dict[str, list[str]]:
    """What the scripted model says, by a prompt's words: right, wrong, and without a program."""
    return {
        task.prompt.strip(): [
            f"<think>\nThat is known.\n</think>\n```python\n{task.canonical}\n```",
            f"```python\n{hollow(task.canonical or '')}\n```\nI am not sure.",
            f"I cannot do {task.id}.",
        ]
        for task in tasks
    }


async def resumed(folder: Path, address: str, found: Found) -> RunConfig:
    """A run that is killed `KILLS` times beside one that is left alone."""
    name = next(iter(SETS))
    whole = BenchmarkConfig(name=name, path=str(data_directory() / SETS[name]))
    tasks = benchmarks.load(whole, JudgeConfig()).tasks[:_SCRIPTED_TASKS]
    drawn = random.Random(10)
    async with ScriptedEndpoint(answers_of(tasks), latency_s=_LATENCY_S) as endpoint:
        runs = [
            msgspec.structs.replace(
                plan(name, ModelConfig(name=model, endpoint=endpoint.base_url), folder, address,
                     n=SCRIPTED, seed=0, in_flight=8),
                benchmark=msgspec.structs.replace(whole, first=_SCRIPTED_TASKS),
            )
            for model in ("undisturbed", "killed")
        ]  # fmt: skip
        expected = SCRIPTED * len(tasks)
        await asyncio.to_thread(evaluate, runs[0], folder)
        asked = len(endpoint.requests)
        killed = 0
        for place in range(KILLS):
            process = await asyncio.create_subprocess_exec(
                *command(runs[1], folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            enough = asked + drawn.randrange(expected * (place + 1) // (KILLS + 2))
            while len(endpoint.requests) < enough and process.returncode is None:
                await asyncio.sleep(0.005)
            await asyncio.sleep(drawn.random() / 2)
            if process.returncode is None:
                process.send_signal(signal.SIGKILL)
                killed += 1
            await process.wait()
        await asyncio.to_thread(evaluate, runs[1], folder)
        again = len(endpoint.requests) - 2 * expected
    same = [_identity(run) for run in runs]
    found.figures |= {
        "resume_kills": killed,
        "resume_identical": float(same[0] == same[1]),
        "resume_asked_again": again,
    }
    found.promises += [
        results.at_least("resume_kills", killed, KILLS),
        results.at_least("resume_identical", found.figures["resume_identical"], 1),
        results.at_most("requests in flight when killed", again, KILLS * 8),
    ]
    return runs[0]


def _identity(run: RunConfig) -> list[bytes]:
    """The files that must be the same; the model's name is not, on purpose."""
    texts = [(run.directory / name).read_bytes() for name in (RESULTS, SUMMARY)]
    return [text.replace(run.model.name.encode(), b"MODEL") for text in texts]


def verified(runs: dict[str, RunConfig], found: Found) -> None:
    """All of it judged anew: at other levels of isolation, and beside processes that spin."""
    flips = 0
    levels = ("minimal", "user") if os.geteuid() else ("full", "user", "minimal")
    for name, run in runs.items():
        for level in levels:
            with hogs(_LOAD if level == levels[-1] else 0):
                one = asyncio.run(verify.verify(run.directory, daemon="private", isolation=level))
            flips += len(one.flips) + len(one.undecided)
            found.rows += [
                {"part": "verify", "what": f"{name} at {level}", "found": msgspec.to_builtins(flip)}
                for flip in [*one.flips, *one.undecided]
            ]
    found.figures["verify_flips"] = flips
    found.promises.append(results.at_most("verify_flips", flips, 0))


def compared(found: Found) -> None:
    """Beside EvalPlus's own evaluator."""
    speed = eval_speed.measure()
    found.figures |= eval_speed.figures(speed)
    found.rows += [{"part": "speed", "what": "differs", "found": one} for one in speed.different]
    found.rows += [
        {"part": "speed", "what": task, "found": f"EvalPlus fails every program: {why}"}
        for task, why in speed.explained.items()
    ]
    found.promises += eval_speed.promises(speed)


def agreed(found: Found, write_docs: bool) -> None:
    """Beside the published results of graded completions, by a daemon whose Python has pandas …"""
    agreement = asyncio.run(graded.measure())
    if write_docs:
        graded.write_page(agreement)
    found.figures |= agreement.figures()
    found.rows += [{"part": "graded", **one.row()} for one in agreement.differing()]
    found.promises += agreement.promises()


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of `python -m bench.eval_demo`."""
    parser = argparse.ArgumentParser(prog="python -m bench.eval_demo", description=__doc__)
    parser.add_argument(
        "--only", action="append", choices=_PARTS, metavar="PART",
        help=f"only this part ({', '.join(_PARTS)}); may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--write-docs", action="store_true", help=f"write docs/{graded.DOCUMENT.name} (of graded)"
    )
    options = parser.parse_args(arguments)
    wanted = options.only or _PARTS
    if options.write_docs and "graded" not in wanted:
        parser.error("--write-docs is of the part graded, which --only leaves out: name it, too")
    for name in SETS.values():
        if not (data_directory() / name).exists():
            parser.error(f"there is no {name} in the data directory; name it in $SCALEBOX_DATA")
    if "graded" in wanted:
        try:
            graded.python_path()
        except SuiteError as error:
            parser.error(str(error))
    found = Found()
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="eval-demo-") as directory, daemon() as address:
        folder = Path(directory)
        runs: dict[str, RunConfig] = {}
        if {"canonical", "verify"} & set(wanted):
            console.print("canonical and hollow solutions of HumanEval+ and MBPP+")
            runs |= canonical(folder, address, found)
        if {"resume", "verify"} & set(wanted):
            console.print(f"a scripted endpoint, and a run that is killed {KILLS} times")
            runs["scripted"] = asyncio.run(resumed(folder, address, found))
        if "verify" in wanted:
            console.print("judging all of it anew at every level of isolation, and under load")
            verified(runs, found)
    if "graded" in wanted:
        console.print("graded completions of BigCodeBench-Hard")
        agreed(found, options.write_docs)
    if "speed" in wanted:
        console.print("EvalPlus's own evaluator, and ours, on the same samples")
        compared(found)
    if set(wanted) == set(_PARTS):
        path = results.write("eval-demo", found.figures, found.rows, promises=found.promises)
        print(f"wrote {path.name}")
    results.show(
        "Figures", [{"figure": name, "value": value} for name, value in found.figures.items()]
    )
    return results.conclude(found.promises)


if __name__ == "__main__":
    sys.exit(main())
