"""In the place of LiveCodeBench's checker: the same calls and results, the programs in a sandbox.

`mode="lcb-strict"` gives the numbers that LiveCodeBench's own code gives; `mode="lcb-fixed"` judges
the same tests without its errors.  docs/integrations.md has a table of what differs.  Stand-ins for
LiveCodeBench/LiveCodeBench:lcb_runner/evaluation/compute_code_generation_metrics.py and
lcb_runner/utils/extraction_utils.py.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, get_args

from scalebox.client.aio import AsyncClient
from scalebox.client.sync import Client
from scalebox.errors import BadRequestError
from scalebox.extraction import extract_code as extract_any_code
from scalebox.integrations.inprocess import client_or_shared
from scalebox.integrations.livecodebench import fixed, samples, strict
from scalebox.integrations.livecodebench.samples import Sample, sample_of_row
from scalebox.integrations.livecodebench.strict import Outcome
from scalebox.model import Judge, Limits
from scalebox.passk import estimate_pass_at_k, pass_at_k

Mode = Literal["lcb-strict", "lcb-fixed"]

DEFAULT_TIMEOUT_S = 6
#: Those of `codegen_metrics` there.
DEFAULT_KS = (1, 5, 10, 20, 40, 50, 75, 100, 125, 150, 200, 500, 1000)


def check_correctness(
    sample: Mapping[str, Any],
    generation: str,
    timeout: float = DEFAULT_TIMEOUT_S,
    debug: bool = True,
    *,
    mode: Mode = "lcb-strict",
    client: Client | None = None,
    limits: Limits | None = None,
    judge: Judge | None = None,
) -> Outcome:
    """Run one program on all tests of a sample.

    Parameters:
        sample: `{"input_output": JSON}`, of `sample_of_row`, say.
        generation: the program's text.
        timeout: CPU seconds of each test.
        debug: as there; nothing is printed here.
        mode: whose errors to reproduce.
        client: None: of the host's daemon, or of `inprocess.use`.
        limits: further ones, of a run: of a test in `lcb-fixed`, of all tests in `lcb-strict`.
        judge: in `lcb-fixed`, decides about outputs in place of a comparison.

    Returns:
        One result a test, up to the first that is not True, and metadata.  -2 (False, of a call in
        `lcb-strict`): wrong; -3: too slow; -4: an error.

    Raises:
        IndexError: in `lcb-strict`: the process ended before its end, as there.
        InternalError: we failed; says nothing about the program.
        BadRequestError, RemoteError, ConnectionFailedError: as `scalebox.Client` has it.
    """
    outcome = _outcome(
        samples.read(sample), generation, timeout, mode, client_or_shared(client), limits, judge
    )
    if outcome is None:
        raise IndexError("list index out of range")
    return outcome


async def async_check_correctness(
    sample: Mapping[str, Any],
    generation: str,
    timeout: float = DEFAULT_TIMEOUT_S,
    *,
    client: AsyncClient,
    mode: Mode = "lcb-strict",
    limits: Limits | None = None,
    judge: Judge | None = None,
) -> Outcome:
    """As `check_correctness`, for asyncio programs."""
    outcome = await _async_outcome(
        samples.read(sample), generation, timeout, mode, client, limits, judge
    )
    if outcome is None:
        raise IndexError("list index out of range")
    return outcome


def run_test(
    sample: Mapping[str, Any],
    test: str | None = None,
    debug: bool = False,
    timeout: float = DEFAULT_TIMEOUT_S,
    **options: Any,
) -> Outcome:
    """As `check_correctness`, but of a process that ended before its end the result is what
    `codegen_metrics` records (there it would be the caller's own process).

    Parameters:
        options: `mode`, `client`, `limits` and `judge` of `check_correctness`.
    """
    if test is None:
        raise BadRequestError("there is no program to run", field="test")
    try:
        return check_correctness(sample, test, timeout, debug, **options)
    except IndexError:
        return strict.died()


def codegen_metrics(
    samples_list: Sequence[Mapping[str, Any]],
    generations_list: Sequence[list[str]],
    k_list: Sequence[int] = DEFAULT_KS,
    num_process_evaluate: int = 16,
    timeout: float = DEFAULT_TIMEOUT_S,
    debug: bool = False,
    *,
    mode: Mode = "lcb-strict",
    client: Client | None = None,
    limits: Limits | None = None,
    judge: Judge | None = None,
) -> list[Any]:
    """pass@k of generated programs.

    Parameters:
        samples_list: the problems.
        generations_list: of each, the programs.
        k_list: of those the rates are given of which each problem has as many programs.
        num_process_evaluate: programs at the daemon at once.
        timeout, debug, mode, client, limits, judge: as for `check_correctness`.

    Returns:
        `[metrics, results, metadata]`: `pass@k` with `detail` for each problem; by the problem's
        index the results of its programs; of each problem its programs' metadata as JSON.

    Raises:
        InternalError, BadRequestError, RemoteError, ConnectionFailedError: as `check_correctness`.
    """
    work = _linear(samples_list, generations_list)
    daemon = client_or_shared(client)

    def judged(item: tuple[int, Sample, str]) -> Outcome:
        _, sample, generation = item
        found = _outcome(sample, generation, timeout, mode, daemon, limits, judge)
        return strict.died() if found is None else found

    with ThreadPoolExecutor(max_workers=max(1, num_process_evaluate)) as pool:
        outcomes = list(pool.map(judged, work))
    return _metrics(work, outcomes, k_list)


async def async_codegen_metrics(
    samples_list: Sequence[Mapping[str, Any]],
    generations_list: Sequence[list[str]],
    k_list: Sequence[int] = DEFAULT_KS,
    num_process_evaluate: int = 16,
    timeout: float = DEFAULT_TIMEOUT_S,
    *,
    client: AsyncClient,
    mode: Mode = "lcb-strict",
    limits: Limits | None = None,
    judge: Judge | None = None,
) -> list[Any]:
    """As `codegen_metrics`, for asyncio programs."""
    work = _linear(samples_list, generations_list)
    room = asyncio.Semaphore(max(1, num_process_evaluate))
    outcomes: list[Outcome] = [strict.died()] * len(work)

    async def judged(place: int) -> None:
        _, sample, generation = work[place]
        async with room:
            found = await _async_outcome(sample, generation, timeout, mode, client, limits, judge)
        if found is not None:
            outcomes[place] = found

    try:
        async with asyncio.TaskGroup() as group:
            for place in range(len(work)):
                group.create_task(judged(place))
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return _metrics(work, outcomes, k_list)


def extract_code(model_output: str, lmstyle: object = None, *, mode: Mode = "lcb-strict") -> str:
    """The program in a model's answer; empty: there is none.

    Parameters:
        model_output: the answer.
        lmstyle: a member of their `LMStyle`, or its name: in `lcb-strict` a base model's answer is
            all program, and CodeLLaMa's has marks of its own.
        mode: `lcb-strict`: what stands between the last two lines with ```; `lcb-fixed`: by
            `scalebox.extraction`.
    """
    if _checked(mode) == "lcb-fixed":
        return extract_any_code(model_output, language="python") or ""
    style = str(getattr(lmstyle, "name", lmstyle))
    if style == "GenericBase":
        return model_output.strip()
    lines = model_output.split("\n")
    marks: list[int] = []
    if style == "CodeLLaMaInstruct":
        marks = [number for number, line in enumerate(lines) if "PYTHON]" in line]
    if len(marks) < 2:
        marks = [number for number, line in enumerate(lines) if "```" in line]
    return "" if len(marks) < 2 else "\n".join(lines[marks[-2] + 1 : marks[-1]])


def _checked(mode: Mode) -> Mode:
    if mode not in get_args(Mode):
        raise BadRequestError(
            f"mode is {mode!r}; it can be {' or '.join(get_args(Mode))}", field="mode"
        )
    return mode


def _outcome(
    sample: Sample,
    generation: str,
    timeout_s: float,
    mode: Mode,
    client: Client,
    limits: Limits | None,
    judge: Judge | None,
) -> Outcome | None:
    if _checked(mode) == "lcb-fixed":
        submission = fixed.submission_of(sample, generation, timeout_s, limits, judge)
        return fixed.outcome_of(sample, client.judge(submission))
    request = strict.request_of(sample, generation, timeout_s, limits)
    return strict.outcome_of(sample, client.run(request))


async def _async_outcome(
    sample: Sample,
    generation: str,
    timeout_s: float,
    mode: Mode,
    client: AsyncClient,
    limits: Limits | None,
    judge: Judge | None,
) -> Outcome | None:
    # Megabytes of tests are read, encoded and compared: not on the event loop.
    if _checked(mode) == "lcb-fixed":
        submission = await asyncio.to_thread(
            fixed.submission_of, sample, generation, timeout_s, limits, judge
        )
        report = await client.judge(submission)
        return fixed.outcome_of(sample, report)
    request = await asyncio.to_thread(strict.request_of, sample, generation, timeout_s, limits)
    result = await client.run(request)
    return await asyncio.to_thread(strict.outcome_of, sample, result)


def _linear(
    samples_list: Sequence[Mapping[str, Any]], generations_list: Sequence[list[str]]
) -> list[tuple[int, Sample, str]]:
    """Every program with its problem's index and tests."""
    work = []
    for index, (sample, generations) in enumerate(
        zip(samples_list, generations_list, strict=False)
    ):
        tests = samples.read(sample)
        for generation in generations:
            if not isinstance(generation, str):
                raise BadRequestError(
                    f"problem {index}: a generation is a text, not {type(generation).__name__}",
                    field="generations_list",
                )
            work.append((index, tests, generation))
    return work


def _metrics(
    work: Sequence[tuple[int, Sample, str]], outcomes: Sequence[Outcome], ks: Sequence[int]
) -> list[Any]:
    results: defaultdict[int, list[list[Any]]] = defaultdict(list)
    metadata: defaultdict[int, list[str]] = defaultdict(list)
    for (index, _, _), (codes, about) in zip(work, outcomes, strict=True):
        results[index].append(codes)
        metadata[index].append(json.dumps(about))
    right = {
        index: [all(code > 0 for code in codes) for codes in programs]
        for index, programs in results.items()
    }
    metrics: dict[str, Any] = dict(pass_at_k(right.values(), ks))
    totals, rights = [len(one) for one in right.values()], [sum(one) for one in right.values()]
    metrics["detail"] = {
        f"pass@{k}": dict(zip(right, estimate_pass_at_k(totals, rights, k), strict=True))
        for k in ks
        if f"pass@{k}" in metrics
    }
    return [metrics, results, [metadata[index] for index in sorted(metadata)]]


__all__ = [
    "DEFAULT_KS",
    "DEFAULT_TIMEOUT_S",
    "Mode",
    "async_check_correctness",
    "async_codegen_metrics",
    "check_correctness",
    "codegen_metrics",
    "extract_code",
    "run_test",
    "sample_of_row",
]
