"""In the place of Hugging Face `evaluate`'s metric `code_eval`: the same `compute`, in a sandbox.

`metric()` is that metric for programs that want an `evaluate.Metric`.  A stand-in for
huggingface/evaluate:metrics/code_eval/code_eval.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from scalebox.client.aio import AsyncClient
from scalebox.client.sync import Client
from scalebox.integrations.human_eval import asserted, result_of
from scalebox.integrations.inprocess import WeakRule, client_or_shared
from scalebox.model import AssertCase, AssertTests, Submission
from scalebox.passk import pass_at_k

Results = dict[int, list[tuple[int, dict[str, Any]]]]


def compute(
    predictions: Sequence[Sequence[str]],
    references: Sequence[str],
    k: Sequence[int] = (1, 10, 100),
    num_workers: int = 4,
    timeout: float = 3.0,
    *,
    client: Client | None = None,
    weak: WeakRule = "accept",
) -> tuple[dict[str, float], Results]:
    """pass@k of programs.

    Parameters:
        predictions: of each task, the programs.
        references: of each task, a test program that follows the program: asserts.
        k: of those the rates are given of which each task has as many programs.
        num_workers: programs at the daemon at once.
        timeout: CPU seconds of a program with its test.
        client: None: of the host's daemon, or of `inprocess.use`.
        weak: what a pass is worth that a hostile program could have forged (docs/judging.md).

    Returns:
        `pass@k`; and by the task's index its programs' numbers, each with `task_id`, `passed`,
        `result` (`passed`, `timed out` or `failed: …`), `completion_id`, and `integrity`.

    Raises:
        InternalError: we failed; says nothing about a program.
        BadRequestError: a test program is at fault.
        RemoteError, ConnectionFailedError: as `scalebox.Client` has it.
    """
    daemon = client_or_shared(client)
    work = [
        (task, number, program)
        for task, (programs, _) in enumerate(zip(predictions, references, strict=True))
        for number, program in enumerate(programs)
    ]

    def judged(item: tuple[int, int, str]) -> dict[str, Any]:
        task, number, program = item
        report = daemon.judge(submission_of(program, references[task], timeout))
        return result_of(report, task, number, weak)

    with ThreadPoolExecutor(max_workers=max(1, num_workers)) as pool:
        return _rates(list(pool.map(judged, work)), k)


async def async_check_correctness(
    program: str,
    reference: str,
    timeout: float = 3.0,
    *,
    client: AsyncClient,
    weak: WeakRule = "accept",
) -> dict[str, Any]:
    """One program with its test, for asyncio programs; a result as in `compute`'s."""
    report = await client.judge(submission_of(program, reference, timeout))
    return result_of(report, 0, 0, weak)


def submission_of(program: str, reference: str, timeout_s: float) -> Submission:
    """The submission of one program."""
    return asserted(program, AssertTests(cases=[AssertCase(program=reference)]), timeout_s)


def metric(*, client: Client | None = None, weak: WeakRule = "accept") -> Any:
    """An `evaluate.Metric` that does the same: for `evaluate.combine`, or in the place of
    `evaluate.load("code_eval")`.

    Raises:
        ImportError: `evaluate` is not installed.
    """
    import datasets
    import evaluate

    class ScaleboxCodeEval(evaluate.Metric):  # type: ignore[misc]
        """`code_eval`, judged by a daemon."""

        def _info(self) -> Any:
            features = datasets.Features(
                {
                    "predictions": datasets.Sequence(datasets.Value("string")),
                    "references": datasets.Value("string"),
                }
            )
            return evaluate.MetricInfo(
                description="pass@k of programs by their tests, run by ScaleBox",
                citation="",
                inputs_description="predictions: lists of programs; references: test programs",
                features=features,
            )

        def _compute(self, predictions: Any, references: Any, **options: Any) -> Any:
            return compute(predictions, references, client=client, weak=weak, **options)

    return ScaleboxCodeEval()


def _rates(results: list[dict[str, Any]], ks: Sequence[int]) -> tuple[dict[str, float], Results]:
    by_task: defaultdict[int, list[tuple[int, dict[str, Any]]]] = defaultdict(list)
    for result in results:
        by_task[result["task_id"]].append((result["completion_id"], result))
    passed = [[result["passed"] for _, result in task] for task in by_task.values()]
    return pass_at_k(passed, ks), by_task
