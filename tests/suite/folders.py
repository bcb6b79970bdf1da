"""Folders of runs, as judging leaves them, without the judging: for tests of numbers and pages."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scalebox.model import Verdict
from scalebox.suite import folder as names
from scalebox.suite import results as files
from scalebox.suite.config import (
    BenchmarkConfig,
    JudgeConfig,
    ModelConfig,
    OutputConfig,
    RunConfig,
)
from scalebox.suite.results import Evidence, Missing, Result, TaskLine
from scalebox.suite.summary import summarise, timings_of
from scalebox.suite.tasks import FailingCase, Sample

WRONG = (
    Verdict.WRONG_ANSWER,
    Verdict.WRONG_ANSWER,
    Verdict.WRONG_ANSWER,
    Verdict.RUNTIME_ERROR,
    Verdict.TIME_LIMIT_EXCEEDED,
    Verdict.MEMORY_LIMIT_EXCEEDED,
    Verdict.COMPILE_ERROR,
)


def config(model: str = "model-a", benchmark: str = "sums", **output: Any) -> RunConfig:
    """Of a run whose intervals cost little."""
    return RunConfig(
        benchmark=BenchmarkConfig(name=benchmark),
        model=ModelConfig(name=model, samples="samples.jsonl"),
        judge=JudgeConfig(),
        output=OutputConfig(**{"resamples": 200, **output}),
    )


def result(task: str, index: int = 0, verdict: Verdict = Verdict.ACCEPTED, **more: Any) -> Result:
    """One with a program and ten cases."""
    passed = 10 if verdict is Verdict.ACCEPTED else 4
    return Result(
        **{
            "task": task,
            "index": index,
            "verdict": verdict,
            "passed": passed,
            "total": 10,
            "program_sha256": hashlib.sha256(f"{task}/{index}".encode()).hexdigest(),
            **more,
        }
    )


def write_run(
    folder: Path,
    run: RunConfig,
    results: Sequence[Result],
    *,
    evidence: Sequence[Evidence] = (),
    tasks: Sequence[TaskLine] = (),
    samples: Sequence[Sample] = (),
    missing: Sequence[Missing] = (),
    manifest: Mapping[str, Any] | None = None,
) -> Path:
    """All files of a run."""
    folder.mkdir(parents=True, exist_ok=True)
    files.write(folder / names.RESULTS, results)
    files.write_lines(folder / names.EVIDENCE, evidence)
    files.write_lines(folder / names.TASKS, tasks)
    files.write_lines(folder / names.SAMPLES, samples)
    files.write_json(folder / names.SUMMARY, summarise(run, results, missing))
    files.write_json(folder / names.TIMINGS, timings_of(results, evidence))
    content = _MANIFEST if manifest is None else dict(manifest)
    files.write_json(folder / names.MANIFEST, content)
    return folder


def make_run(
    folder: Path,
    *,
    seed: int = 1,
    tasks: int = 60,
    n: int = 1,
    skill: float = 0.7,
    model: str = "model-a",
    missing: Sequence[Missing] = (),
) -> Path:
    """A run on problems of three difficulties that are all sums, with every kind of verdict.

    Parameters:
        skill: how often a sample is right, about.
    """
    chance = random.Random(seed)
    hard = random.Random(7)
    results: list[Result] = []
    evidence: list[Evidence] = []
    samples: list[Sample] = []
    lines: list[TaskLine] = []
    for number in range(tasks):
        difficulty = hard.choice(("easy", "easy", "medium", "hard"))
        groups = {"difficulty": difficulty, "date": f"2024-{1 + hard.randrange(9):02}"}
        own = skill + {"easy": 0.2, "medium": 0.0, "hard": -0.3}[difficulty] + hard.gauss(0, 0.2)
        task = f"Sums/{number}"
        lines.append(TaskLine(id=task, prompt=_PROMPT.format(number=number), groups=groups))
        for index in range(n):
            right = chance.random() < own
            verdict = Verdict.ACCEPTED if right else chance.choice(WRONG)
            tokens = int(chance.lognormvariate(6, 0.5))
            made = result(
                task,
                index,
                verdict,
                groups=groups,
                parts={"base": right or chance.random() < 0.2, "plus": right},
                finish="stop" if chance.random() < 0.95 else "length",
                prompt_tokens=180,
                completion_tokens=tokens,
            )
            results.append(made)
            evidence.append(
                Evidence(
                    task=task,
                    index=index,
                    failing=None if right else failing(number, verdict),
                    message="" if right else "case 3 of 10 failed",
                    cpu_time_s=chance.lognormvariate(-2, 1.1),
                    wall_time_s=0.3,
                    seconds=tokens / 60,
                )
            )
            samples.append(Sample(task=task, index=index, text=_ANSWER.format(number=number)))
    return write_run(
        folder,
        config(model),
        results,
        evidence=evidence,
        tasks=lines,
        samples=samples,
        missing=missing,
        manifest=_MANIFEST | {"model": {"name": model}},
    )


def failing(number: int, verdict: Verdict) -> FailingCase:
    """The case that a wrong sample of `make_run` fails."""
    crashed = verdict is Verdict.RUNTIME_ERROR
    return FailingCase(
        name="3",
        verdict=verdict,
        message="IndexError: list index out of range" if crashed else "token 5 differs",
        input=f"4\n{number} 2 3 4\n",
        expected=f"{number}\n{number + 2}\n{number + 5}\n{number + 9}\n",
        got=f"{number}\n{number + 2}\n" if crashed else f"{number}\n{number + 2}\n0\n0\n",
        error_output=_TRACEBACK if crashed else None,
    )


_PROMPT = """Given n and n numbers (the first is {number}), print all sums of the first k of them.

Input: n on the first line, the numbers on the second.
Output: n lines.
"""
_ANSWER = """We keep a running sum.

```python
import itertools

n = int(input())  # of problem {number}
numbers = list(map(int, input().split()))
for total in itertools.accumulate(numbers[:n]):
    print(total)
```
"""
_TRACEBACK = """Traceback (most recent call last):
  File "solution.py", line 6, in <module>
    print(numbers[n])
IndexError: list index out of range
"""
_MANIFEST: dict[str, Any] = {
    "scalebox": "0.1.0",
    "python": "3.11.2",
    "benchmark": {"name": "sums", "data_sha256": {"sums.jsonl": "0" * 64}},
    "daemon": {"isolation": "full", "enforcement": "cgroup2"},
    "sampling": {"n": 1, "temperature": 0.2, "top_p": 0.95},
    "limits": {"cpu_time_s": 10.0, "memory_bytes": 536870912},
}
