"""In the place of EvalPlus's checker: the same calls and results, the programs in a sandbox.

`evalplus.evaluate.untrusted_check = scalebox.integrations.evalplus.untrusted_check` (and
`get_groundtruth` likewise) is all that EvalPlus needs.  A solution is called in the sandbox with
its inputs; what it returns is compared here, so expected outputs are never in its process.
Stand-ins for evalplus/evalplus:evalplus/{eval/__init__,evaluate,gen/util/__init__}.py (0.3.1).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from scalebox.client.aio import AsyncClient
from scalebox.client.sync import Client
from scalebox.errors import BadRequestError
from scalebox.integrations.evalplus_oracles import Oracle
from scalebox.integrations.inprocess import client_or_shared, records_of, run_request
from scalebox.integrations.inside.values import decode, encode
from scalebox.integrations.values import tag_of
from scalebox.model import Limits, RunRequest, RunResult

PASS, FAIL, TIMEOUT = "pass", "fail", "timeout"
DEFAULT_MIN_TIME_LIMIT = 1.0
DEFAULT_GT_TIME_LIMIT_FACTOR = 4.0
#: Of all inputs together, seconds; $EVALPLUS_TIMEOUT_PER_TASK says another.
_TASK_S = 60.0
#: They wait so much longer.
JOIN_EXTRA_S = 2.0
_REFERENCE_S = 600.0
#: What is expected is not known yet where reference solutions run; ample for all tasks there are.
_EXPECTED_CHARS = 10_000_000

Result = tuple[str, list[bool]]


def untrusted_check(
    dataset: str,
    code: str,
    inputs: Sequence[Any],
    entry_point: str,
    expected: Sequence[Any],
    atol: float,
    ref_time: Sequence[float],
    fast_check: bool = False,
    min_time_limit: float = DEFAULT_MIN_TIME_LIMIT,
    gt_time_limit_factor: float = DEFAULT_GT_TIME_LIMIT_FACTOR,
    *,
    client: Client | None = None,
    limits: Limits | None = None,
) -> Result:
    """Call a solution with inputs, and compare what it returns.

    Parameters:
        dataset: `humaneval` or `mbpp`: whose special rules hold.
        code: the whole program.
        inputs: the arguments of each call.
        entry_point: the function.
        expected: what each call must return.
        atol: absolute tolerance; 0: none, but 1e-6 from the first expected floats on.
        ref_time: what each call took the reference solution, seconds.
        fast_check: stop at the first call that fails.
        min_time_limit, gt_time_limit_factor: a call may take so many CPU seconds, or so many times
            the reference's.
        client: None: of the host's daemon, or of `inprocess.use`.
        limits: further ones, of all calls together.

    Returns:
        `pass`, `fail` or `timeout`, and for each call that was looked at whether it was right.
        `timeout` is a process that ended, or was ended, before the last call; a single call that
        is too slow is a `fail`, as there.

    Raises:
        InternalError: we failed; says nothing about the program.
        BadRequestError: an input cannot be sent.
        RemoteError, ConnectionFailedError: as `scalebox.Client` has it.
    """
    slow = [max(min_time_limit, gt_time_limit_factor * spent_s) for spent_s in ref_time]
    request = request_of(code, inputs, entry_point, slow, limits)
    result = client_or_shared(client).run(request)
    return compared(result, Oracle(dataset, entry_point, atol), inputs, expected, fast_check)


async def async_untrusted_check(
    dataset: str,
    code: str,
    inputs: Sequence[Any],
    entry_point: str,
    expected: Sequence[Any],
    atol: float,
    ref_time: Sequence[float],
    fast_check: bool = False,
    min_time_limit: float = DEFAULT_MIN_TIME_LIMIT,
    gt_time_limit_factor: float = DEFAULT_GT_TIME_LIMIT_FACTOR,
    *,
    client: AsyncClient,
    limits: Limits | None = None,
) -> Result:
    """As `untrusted_check`, for asyncio programs."""
    slow = [max(min_time_limit, gt_time_limit_factor * spent_s) for spent_s in ref_time]
    request = await asyncio.to_thread(request_of, code, inputs, entry_point, slow, limits)
    result = await client.run(request)
    oracle = Oracle(dataset, entry_point, atol)
    return await asyncio.to_thread(compared, result, oracle, inputs, expected, fast_check)


def check_correctness(
    dataset: str,
    completion_id: int,
    problem: Mapping[str, Any],
    solution: str,
    expected_output: Mapping[str, Any],
    base_only: bool = False,
    fast_check: bool = False,
    identifier: str | None = None,
    min_time_limit: float = DEFAULT_MIN_TIME_LIMIT,
    gt_time_limit_factor: float = DEFAULT_GT_TIME_LIMIT_FACTOR,
    *,
    client: Client | None = None,
    limits: Limits | None = None,
) -> dict[str, Any]:
    """A solution on a problem's base inputs, and on its further ones unless `base_only`.

    Parameters:
        completion_id, identifier: given back.
        problem: a row of HumanEval+ or MBPP+ as EvalPlus loads it.
        expected_output: the problem's, of `get_groundtruth`.
        dataset, solution, fast_check, min_time_limit, gt_time_limit_factor, client, limits: as for
            `untrusted_check`.

    Returns:
        `completion_id`, `task_id`, `_identifier`, `solution`, and as `base` and `plus` what
        `untrusted_check` returns.

    Raises:
        InternalError, BadRequestError, RemoteError, ConnectionFailedError: as `untrusted_check`.
    """
    checked: dict[str, Any] = {
        "completion_id": completion_id,
        "task_id": problem["task_id"],
        "_identifier": identifier,
        "solution": solution,
    }
    for name in ("base",) if base_only else ("base", "plus"):
        checked[name] = untrusted_check(
            dataset,
            solution,
            problem[f"{name}_input"],
            problem["entry_point"],
            expected_output[name],
            problem["atol"],
            expected_output[f"{name}_time"],
            fast_check,
            min_time_limit,
            gt_time_limit_factor,
            client=client,
            limits=limits,
        )
    return checked


def get_groundtruth(
    problems: Mapping[str, Mapping[str, Any]],
    hashcode: str,
    tasks_only_output_not_none: Collection[str],
    *,
    client: Client | None = None,
) -> dict[str, dict[str, Any]]:
    """What the reference solutions return, and how long that takes them.

    Parameters:
        problems: rows of HumanEval+ or MBPP+ as EvalPlus loads them, by their ids.
        hashcode: names their cache there; nothing is kept here.
        tasks_only_output_not_none: functions of which only counts whether they return None.
        client: as for `untrusted_check`.

    Returns:
        By task: `base`, `base_time`, `plus`, `plus_time`.

    Raises:
        BadRequestError: a reference solution fails.
        InternalError, RemoteError, ConnectionFailedError: as `untrusted_check`.
    """
    daemon = client_or_shared(client)
    found = {}
    for task_id, problem in problems.items():
        only_whether = problem["entry_point"] in tasks_only_output_not_none
        outputs: dict[str, Any] = {}
        for name in ("base", "plus"):
            returned, spent_s = _reference(problem, problem[f"{name}_input"], daemon)
            outputs[name] = [one is not None for one in returned] if only_whether else returned
            outputs[f"{name}_time"] = spent_s
        found[task_id] = outputs
    return found


def request_of(
    code: str,
    inputs: Sequence[Any],
    entry_point: str,
    time_limits_s: Sequence[float],
    limits: Limits | None,
    *,
    trusted: bool = False,
) -> RunRequest:
    """The run of one program with all inputs.

    Raises:
        BadRequestError: an input cannot be sent.
    """
    job = {
        "code": code,
        "entry_point": entry_point,
        "sets": [(encoded_inputs(inputs), list(time_limits_s), None)],
        "guarded": not trusted,
        "timed": trusted,
        "stop_early": False,
        "digests": False,
    }
    together_s = sum(time_limits_s)
    if not trusted:
        together_s = min(task_s(), together_s)
    return run_request(
        "evalplus.py",
        job,
        cpu_time_s=together_s + JOIN_EXTRA_S,
        limits=limits,
        expected_chars=_EXPECTED_CHARS,
    )


def task_s() -> float:
    """What a task's calls of one set may take together, CPU seconds."""
    return float(os.environ.get("EVALPLUS_TIMEOUT_PER_TASK", _TASK_S))


def encoded_inputs(inputs: Sequence[Any]) -> list[list[Any]]:
    """Inputs as they travel.

    Raises:
        BadRequestError: one cannot be sent.
    """
    encoded = []
    for number, arguments in enumerate(inputs):
        one = [encode(argument) for argument in arguments]
        if any(tag_of(item) == "opaque" for item in one):
            raise BadRequestError(f"input {number} is no plain data: {arguments!r:.200}")
        encoded.append(one)
    return encoded


def calls_of(records: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Records with those that speak of many calls taken apart: `test` with `value` or `error`."""
    for record in records:
        values, first = record.get("values"), record.get("test")
        if not isinstance(values, list) or not isinstance(first, int):
            yield record
            continue
        times_s = record.get("times_s")
        for number, value in enumerate(values):
            one = {"test": first + number, "value": value}
            if isinstance(times_s, list) and number < len(times_s):
                one["spent_s"] = times_s[number]
            yield one


def compared(
    result: RunResult,
    oracle: Oracle,
    inputs: Sequence[Any],
    expected: Sequence[Any],
    fast_check: bool,
) -> Result:
    """What came of a run.

    Raises:
        InternalError: we failed.
    """
    records = calls_of(records_of(result))
    details: list[bool] = []
    if not inputs:
        record = next(records, {})
        return (FAIL if "broken" in record else PASS if "done" in record else TIMEOUT), details
    for number, (arguments, answer) in enumerate(zip(inputs, expected, strict=False)):
        record = next(records, {})
        if not number and "broken" in record:
            return FAIL, []
        if record.get("test") != number:
            return TIMEOUT, details
        right = "value" in record and oracle.accepts(record["value"], answer, arguments)
        details.append(right)
        if fast_check and not right:
            return FAIL, details
    return PASS if len(details) == len(inputs) and all(details) else FAIL, details


def _reference(
    problem: Mapping[str, Any], inputs: Sequence[Any], client: Client
) -> tuple[list[Any], list[float]]:
    code = problem["prompt"] + problem["canonical_solution"]
    limits_s = [_REFERENCE_S / max(1, len(inputs))] * len(inputs)
    request = request_of(code, inputs, problem["entry_point"], limits_s, None, trusted=True)
    *records, last = [*calls_of(records_of(client.run(request))), {}][: len(inputs) + 1]
    if "done" not in last or not all("value" in record for record in records):
        words = next((one["error"] for one in records if "error" in one), last.get("broken", ""))
        raise BadRequestError(
            f"the reference solution of {problem.get('task_id')} fails: {words:.300}"
        )
    return [decode(one["value"]) for one in records], [one["spent_s"] for one in records]
