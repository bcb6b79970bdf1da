"""A task of EvalPlus's, made ready once for many solutions, which are judged by it.

What is the same for every solution (encoded inputs, limits, what the reference solution returned)
is worked out once.  A solution's module is loaded anew for each set, as EvalPlus has a process for
each; both sets are one run, which is cheapest, but where the second is long and the first may spare
it.  Most of what right solutions return is as the reference solution's to the letter, and needs no
oracle.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import marshal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from scalebox.client.aio import AsyncClient
from scalebox.errors import BadRequestError
from scalebox.integrations.evalplus import (
    DEFAULT_GT_TIME_LIMIT_FACTOR,
    DEFAULT_MIN_TIME_LIMIT,
    JOIN_EXTRA_S,
    calls_of,
    encoded_inputs,
    task_s,
)
from scalebox.integrations.evalplus_oracles import NOT_NONE_TASKS, OTHER_TASKS, SET_TASKS, Oracle
from scalebox.integrations.inprocess import raise_if_not_done, records_of, run_request
from scalebox.integrations.inside.values import decode
from scalebox.integrations.values import tag_of
from scalebox.model import Limits, RunRequest, RunResult

NAMES = ("base", "plus")
_REFERENCE_S = 300.0
_REFERENCE_BYTES = 4 << 30
#: Of the reference solution's second set: from here on, whoever stops at the first failure runs the
#: first one alone before it.  A run costs a hundredth of a second; which it is decides no verdict.
_LONG_S = 0.1
_TOGETHER, _APART = (range(2),), (range(1), range(1, 2))
#: What is shorter is compared without a thread.
_SHORT_BYTES = 1 << 14
#: What digests may take beside the calls.
_DIGESTS_S = 60.0
_DIGEST = "digest"
_EXPECTED_CHARS = 30_000_000
#: Records take so many times the length of what is expected, as wrong ones may be longer.
_LONGER = 8
_PLAIN = (type(None), bool, int, float, complex, str, bytes)
_ITEMS = (list, tuple, set, frozenset)
_MAX_DEPTH = 100

#: How a call ended: `value`, `error`, or not at all: `ended` with the process, or `over` with the
#: time of its set.  `source` and `broken`: there was none, as the program does not compile or load.
How = Literal["value", "error", "ended", "over", "source", "broken"]


@dataclass(frozen=True, slots=True)
class Expected:
    """What the reference solution says of a set of inputs.

    Attributes:
        returned: by each call.
        sent: the same as it came.
        spent_s: CPU time of each.
        certain: of each, whether the same again is accepted.
    """

    returned: list[Any]
    sent: list[Any]
    spent_s: list[float]
    certain: list[bool]


@dataclass(frozen=True, slots=True)
class Failing:
    """The first call that is not right.

    Attributes:
        number: of the call in its set.
        how: it ended.
        value: what it returned, as it came.
        words: the error's.
    """

    number: int
    how: How
    value: Any = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a set.

    Attributes:
        passed: calls that are right; those before the first that is not, if that was asked.
        total: calls.
        failing: the first that is not right; None: all are.
    """

    passed: int
    total: int
    failing: Failing | None


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of a solution.

    Attributes:
        runs: that were needed.  If a call is not right, it was in the last.
        outcomes: of each set.
    """

    runs: list[RunResult]
    outcomes: list[Outcome]


@dataclass(frozen=True, slots=True)
class _Stage:
    """One run of a solution.

    Attributes:
        places: of its sets among the task's.
        encoded, packed: the sets as `_packed` has them.
        cpu_time_s: that it may take.
        expected_chars: that right calls may return, and some more.
    """

    places: range
    encoded: list[Any] | None
    packed: bytes
    cpu_time_s: float
    expected_chars: int


class TaskSets:
    """A task with what is expected.

    Parameters:
        dataset: `humaneval` or `mbpp`: whose special rules hold.
        problem: a row of HumanEval+ or MBPP+ as EvalPlus loads it.
        expected: of each set, by `reference`.
        limits: of all calls together; what is open there is chosen here.
        stop_early: a solution is judged to its first call that is not right.

    Attributes:
        inputs: of each set.
        expected: of each set.
    """

    def __init__(
        self,
        dataset: str,
        problem: Mapping[str, Any],
        expected: Sequence[Expected],
        limits: Limits | None = None,
        *,
        stop_early: bool = False,
    ) -> None:
        self._dataset = dataset
        self._entry_point = str(problem["entry_point"])
        self._atol = problem["atol"]
        self._limits = limits
        self.inputs = [list(problem[f"{name}_input"]) for name in NAMES]
        self.expected = list(expected)
        self._stop_early = stop_early
        sets: list[tuple[list[Any], list[float], float]] = []
        for inputs, one in zip(self.inputs, self.expected, strict=True):
            limits_s = [
                max(DEFAULT_MIN_TIME_LIMIT, DEFAULT_GT_TIME_LIMIT_FACTOR * spent_s)
                for spent_s in one.spent_s
            ]
            together_s = min(task_s(), sum(limits_s)) + JOIN_EXTRA_S
            sets.append((inputs, limits_s, together_s))
        first, second = self.expected
        apart = stop_early and first.sent and sum(second.spent_s) >= _LONG_S
        self._digests = _digests(problem)
        self._stages = [self._stage(one, sets) for one in (_APART if apart else _TOGETHER)]
        #: Digests of what right solutions have written: most write the very same.
        self._right: set[tuple[range, bytes]] = set()

    def _stage(self, places: range, sets: list[tuple[list[Any], list[float], float]]) -> _Stage:
        chosen = sets[places.start : places.stop]
        chars = sum(len(json.dumps(self.expected[place].sent)) for place in places)
        return _Stage(
            places,
            *_packed(chosen),
            cpu_time_s=(
                JOIN_EXTRA_S
                + sum(together_s for *_, together_s in chosen)
                + (_DIGESTS_S if self._digests else 0.0)
            ),
            expected_chars=min(_LONGER * chars, _EXPECTED_CHARS),
        )

    async def judge(self, client: AsyncClient, code: str) -> Judged:
        """Run a solution, and compare what it returns.

        Raises:
            InternalError, RemoteError, ConnectionFailedError: as `scalebox.AsyncClient` has it.
        """
        found = Judged([], [])
        for stage in self._stages:
            result = await client.run(self._request(code, stage))
            if len(result.stdout) <= _SHORT_BYTES:
                outcomes, ended = self._outcomes(result, stage)
            else:
                outcomes, ended = await asyncio.to_thread(self._outcomes, result, stage)
            found.runs.append(result)
            found.outcomes.extend(outcomes)
            if ended or any(one.failing for one in outcomes):
                break
        for expected in self.expected[len(found.outcomes) :]:
            # As with both sets in one run, which ended before the second.
            found.outcomes.append(Outcome(0, len(expected.sent), Failing(0, "ended")))
        return found

    def _request(self, code: str, stage: _Stage) -> RunRequest:
        job = {
            "code": code,
            "entry_point": self._entry_point,
            "guarded": True,
            "timed": False,
            "stop_early": self._stop_early,
            "digests": self._digests,
            "sets": stage.encoded,
        }
        return run_request(
            "evalplus.py",
            job,
            cpu_time_s=stage.cpu_time_s,
            limits=self._limits,
            expected_chars=stage.expected_chars,
            attached=stage.packed,
        )

    def _outcomes(self, result: RunResult, stage: _Stage) -> tuple[list[Outcome], bool]:
        """What came of the sets of a run, and whether its process ended before its own end.

        Raises:
            InternalError: we failed.
        """
        raise_if_not_done(result)
        places = stage.places
        written = places, hashlib.sha256(result.stdout).digest()
        expected = self.expected[places.start : places.stop]
        if written in self._right:
            return [Outcome(len(one.sent), len(one.sent), None) for one in expected], False
        found = []
        parts = _parts(result, len(expected))
        for inputs, one, part in zip(
            self.inputs[places.start : places.stop], expected, parts, strict=True
        ):
            oracle = Oracle(self._dataset, self._entry_point, self._atol)
            found.append(_outcome(part, oracle, inputs, one, self._stop_early))
        ended = not parts[-1].closed
        if not ended and all(one.failing is None for one in found):
            self._right.add(written)
        return found, ended


async def reference(
    client: AsyncClient, dataset: str, problem: Mapping[str, Any]
) -> list[Expected]:
    """What a task's reference solution returns for each set of inputs, and how long it takes.

    Parameters:
        dataset: `humaneval` or `mbpp`.
        problem: a row of HumanEval+ or MBPP+ as EvalPlus loads it.

    Raises:
        BadRequestError: it fails, or an input cannot be sent.
        InternalError, RemoteError, ConnectionFailedError: as `scalebox.AsyncClient` has it.
    """
    inputs = [list(problem[f"{name}_input"]) for name in NAMES]
    sets = [(one, [_REFERENCE_S] * len(one), None) for one in inputs]
    encoded, packed = _packed(sets)
    job = {
        "code": problem["prompt"] + problem["canonical_solution"],
        "entry_point": problem["entry_point"],
        "guarded": False,
        "timed": True,
        "stop_early": True,
        "digests": _digests(problem),
        "sets": encoded,
    }
    request = run_request(
        "evalplus.py",
        job,
        cpu_time_s=2 * _REFERENCE_S,
        limits=Limits(memory_bytes=_REFERENCE_BYTES),
        expected_chars=_EXPECTED_CHARS,
        attached=packed,
    )
    result = await client.run(request)
    return [
        _expected(dataset, problem, one, part.records)
        for one, part in zip(inputs, _parts(result, len(inputs)), strict=True)
    ]


def _expected(
    dataset: str,
    problem: Mapping[str, Any],
    inputs: list[Any],
    records: Sequence[Mapping[str, Any]],
) -> Expected:
    calls = list(calls_of(map(dict, records)))
    sent = [one["value"] for one in calls if "value" in one]
    if len(sent) != len(inputs):
        last = calls[-1] if calls else {}
        words = last.get("error") or last.get("broken") or "it ends before its last call"
        raise BadRequestError(
            f"the reference solution of {problem.get('task_id')} fails: {words:.300}"
        )
    returned = [None if tag_of(value) == _DIGEST else decode(value) for value in sent]
    if problem["entry_point"] in NOT_NONE_TASKS:
        returned = [value is not None for value in returned]
    oracle = Oracle(dataset, problem["entry_point"], problem["atol"])
    certain = [
        _is_right(oracle, value, value, answer, arguments)
        for value, answer, arguments in zip(sent, returned, inputs, strict=True)
    ]
    return Expected(returned, sent, [one["spent_s"] for one in calls], certain)


def _is_right(oracle: Oracle, sent: Any, own: Any, answer: Any, arguments: Any) -> bool:
    """Whether a value is accepted; of a long one the digest decides."""
    if tag_of(own) == _DIGEST or tag_of(sent) == _DIGEST:
        same = isinstance(own, dict) and isinstance(sent, dict)
        return same and isinstance(own[_DIGEST], str) and own[_DIGEST] == sent.get(_DIGEST)
    return oracle.accepts(sent, answer, arguments)


def _digests(problem: Mapping[str, Any]) -> bool:
    """Whether nothing but equality counts in a task."""
    return problem["atol"] == 0 and problem["entry_point"] not in (
        *SET_TASKS,
        *NOT_NONE_TASKS,
        *OTHER_TASKS,
    )


def _packed(sets: list[tuple[Any, ...]]) -> tuple[list[Any] | None, bytes]:
    """Sets as a job has them: marshalled, which is fastest to read, if nothing in them needs more.

    Raises:
        BadRequestError: an input cannot be sent.
    """
    if all(_is_plain(one[0]) for one in sets):
        # Of this version on, nothing is shared that was not, and every Python can read it.
        return None, marshal.dumps(sets, 2)
    return [(encoded_inputs(inputs), *limits) for inputs, *limits in sets], b""


def _is_plain(value: Any, depth: int = 0) -> bool:
    kind = type(value)
    if kind in _PLAIN:
        return True
    if depth > _MAX_DEPTH:
        return False
    if kind is dict:
        return all(_is_plain(part, depth + 1) for pair in value.items() for part in pair)
    return kind in _ITEMS and all(_is_plain(item, depth + 1) for item in value)


@dataclass(slots=True)
class _Part:
    """The records of a set, and whether another one, or the end, came after it."""

    records: list[dict[str, Any]] = field(default_factory=list)
    closed: bool = False


def _parts(result: RunResult, number: int) -> list[_Part]:
    """The records of each set; of those that were not begun, none.

    Raises:
        InternalError: we failed.
    """
    parts = [_Part() for _ in range(number)]
    place = 0
    for record in records_of(result):
        if record.get("set") == place + 1 < number:
            parts[place].closed = True
            place += 1
        elif "done" in record:
            parts[place].closed = True
            break
        else:
            parts[place].records.append(record)
    return parts


def _outcome(
    part: _Part,
    oracle: Oracle,
    inputs: Sequence[Any],
    expected: Expected,
    stop_early: bool,
) -> Outcome:
    total = len(inputs)
    if _is_as_expected(part.records, expected):
        return Outcome(total, total, None)
    passed = 0
    failing: Failing | None = None
    calls = calls_of(part.records)
    for number, (arguments, answer) in enumerate(zip(inputs, expected.returned, strict=True)):
        record = next(calls, {})
        if not number and "broken" in record:
            how: How = "source" if record.get("source") is True else "broken"
            return Outcome(0, total, Failing(0, how, words=str(record["broken"])))
        if record.get("test") != number:
            ended: How = "over" if part.closed else "ended"
            return Outcome(passed, total, failing or Failing(number, ended))
        if "value" in record:
            own = expected.sent[number]
            if _is_right(oracle, record["value"], own, answer, arguments):
                passed += 1
                continue
        failing = failing or _wrong(number, record)
        if stop_early:
            break
    return Outcome(passed, total, failing)


def _wrong(number: int, record: Mapping[str, Any]) -> Failing:
    if "value" in record:
        return Failing(number, "value", value=record["value"])
    return Failing(number, "error", words=str(record.get("error", "")))


def _is_as_expected(records: Sequence[Mapping[str, Any]], expected: Expected) -> bool:
    """Whether every call returned the very same, which is accepted."""
    place = 0
    for record in records:
        values = record.get("values")
        if not isinstance(values, list) or record.get("test") != place:
            return False
        end = place + len(values)
        if values != expected.sent[place:end]:
            return False
        place = end
    return place == len(expected.sent) and all(expected.certain)
