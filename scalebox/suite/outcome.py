"""Samples and grades → the files that numbers and pages are made from.

The one place that decides what of a grade is a result (the same whenever the sample is judged) and
what is evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from scalebox.suite import folder, results
from scalebox.suite.config import RunConfig
from scalebox.suite.folder import GradeLine
from scalebox.suite.results import Evidence, Missing, Result
from scalebox.suite.summary import Summary, summarise, timings_of
from scalebox.suite.tasks import Benchmark, Sample, Task


def write_outcome(
    path: Path,
    config: RunConfig,
    benchmark: Benchmark,
    judged: Sequence[tuple[Sample, GradeLine]],
    missing: Sequence[Missing],
) -> Summary:
    """Write all files that are made from grades.

    Parameters:
        path: the run's folder.
        config: of the run.
        benchmark: whose tasks were answered.
        judged: in the order of tasks, then by index.
        missing: what is not there.

    Raises:
        SuiteError: a file cannot be written.
    """
    tasks = {task.id: task for task in benchmark.tasks}
    found = [_result(tasks[sample.task], sample, line) for sample, line in judged]
    evidence = [_evidence(sample, line) for sample, line in judged]
    summary = summarise(_asked(config), found, missing)
    results.write(path / folder.RESULTS, found)
    results.write_lines(path / folder.EVIDENCE, evidence)
    results.write_lines(path / folder.TASKS, _lines(benchmark.tasks))
    results.write_json(path / folder.SUMMARY, summary)
    results.write_json(path / folder.TIMINGS, timings_of(found, evidence))
    return summary


def _asked(config: RunConfig) -> RunConfig:
    """The configuration without those k that no task can have so many answers for."""
    k = tuple(k for k in config.output.k if k <= config.sampling.n)
    return msgspec.structs.replace(config, output=msgspec.structs.replace(config.output, k=k))


def _result(task: Task, sample: Sample, line: GradeLine) -> Result:
    grade = line.grade
    return Result(
        task=task.id,
        index=sample.index,
        verdict=grade.verdict,
        passed=grade.passed,
        total=grade.total,
        parts=grade.parts,
        integrity=grade.integrity,
        finish=sample.finish,
        prompt_tokens=sample.prompt_tokens,
        completion_tokens=sample.completion_tokens,
        program_sha256=line.program_sha256,
        groups=task.groups,
    )


def _evidence(sample: Sample, line: GradeLine) -> Evidence:
    grade = line.grade
    return Evidence(
        task=sample.task,
        index=sample.index,
        failing=grade.failing,
        message=grade.message,
        cpu_time_s=grade.cpu_time_s,
        wall_time_s=grade.wall_time_s,
        seconds=sample.seconds,
    )


def _lines(tasks: Iterable[Task]) -> list[results.TaskLine]:
    return [results.line_of(task) for task in tasks]
