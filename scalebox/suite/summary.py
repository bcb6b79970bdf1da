"""`summary.json`: what a run comes to, the same whenever it is made; `timings.json`: the rest.

What says nothing about a program (it was not sampled, or not judged, or a judge failed) is missing
and never a failure: it is in no number, and with anything missing the run is not complete and its
headline says so.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from msgspec import Struct

from scalebox.model import Integrity, Verdict
from scalebox.suite.config import RunConfig
from scalebox.suite.estimate import Bootstrap, Numbers, Tally, numbers, quantile
from scalebox.suite.results import Evidence, Missing, Result

#: Of the list in the summary; the count is of all.
MAX_MISSING = 100
#: Values of one group that numbers are given for; those with the most tasks.
MAX_VALUES = 200
#: As endpoints call an answer that was cut off at the limit of tokens.
TRUNCATED = "length"
_MAX_NAME_CHARS, _MAX_KS = 200, 20


class Tokens(Struct, frozen=True, kw_only=True):
    """What endpoints counted; of samples with no count nothing is said.

    Attributes:
        samples: that have a count.
        total: of all of these together.
        mean: of one sample; None: none has a count.
    """

    samples: int
    total: int
    mean: float | None


class Summary(Struct, frozen=True, kw_only=True):
    """What a run comes to; `summary.json`.

    Attributes:
        benchmark, model: what was run, by their titles.
        headline: pass@1 with its interval, in words; that the run is not complete, where it is not.
        complete: whether every sample that should be there is, and was judged.
        expected: samples that should be there.
        missing: the first of those that are not; `missing_count` is of all.
        confidence, resamples, seed: of the intervals (`estimate.Bootstrap`).
        weak_rule: whether a pass counts that a hostile program could have forged.
        overall: the numbers over all tasks.
        parts: of sets of cases that are counted apart, the numbers of each (no fraction).
        groups: group → its value → the numbers over those tasks.
        verdicts: how many samples have each; those that occur.
        integrity: how many samples have each.
        prompt_tokens, completion_tokens: as endpoints count them.
        truncated: answers that were cut off at the limit of tokens.
        without_program: samples in which there is none.
        notes: what a reader should know of these numbers.
    """

    benchmark: str
    model: str
    headline: str
    complete: bool
    expected: int
    missing: list[Missing]
    missing_count: int
    confidence: float
    resamples: int
    seed: int
    weak_rule: Literal["accept", "reject"]
    overall: Numbers
    parts: dict[str, Numbers]
    groups: dict[str, dict[str, Numbers]]
    verdicts: dict[str, int]
    integrity: dict[str, int]
    prompt_tokens: Tokens
    completion_tokens: Tokens
    truncated: int
    without_program: int
    notes: list[str]


class Times(Struct, frozen=True, kw_only=True):
    """Of samples that have one, in seconds; None: none has."""

    samples: int
    total_s: float
    mean_s: float | None
    median_s: float | None
    p90_s: float | None
    max_s: float | None


class Timings(Struct, frozen=True, kw_only=True):
    """`timings.json`: what may differ from run to run.

    Attributes:
        cpu_time, wall_time: of judging a sample, all its cases together.
        sampling: from request to the last byte of an answer.
        tokens_per_s: of one answer: those of all answers with a count and a time, over their
            seconds; None: there is none.
    """

    cpu_time: Times
    wall_time: Times
    sampling: Times
    tokens_per_s: float | None


def summarise(
    config: RunConfig, results: Sequence[Result], missing: Sequence[Missing] = ()
) -> Summary:
    """What a run comes to.

    Parameters:
        config: what was run, and which numbers are wanted.
        results: of the samples that are there.
        missing: those that should be there and are not, or that could not be judged.  A result
            whose verdict says nothing about its program is taken for missing, listed or not.
    """
    undecided = [one for one in results if not one.verdict.is_about_the_program]
    decided = [one for one in results if one.verdict.is_about_the_program]
    known = {one.key for one in decided}
    absent = {(one.task, one.index): one for one in missing if (one.task, one.index) not in known}
    for one in undecided:
        why = f"the verdict is {one.verdict.value}"
        absent.setdefault(one.key, Missing(task=one.task, index=one.index, why=why))
    by_task = _by_task(decided)
    output, weak = config.output, config.judge.weak
    bootstrap = Bootstrap(output.confidence, output.resamples, output.seed)
    count = _Counting([1, *output.k], bootstrap, weak, config.judge.stop == "never")
    overall = count.over(by_task.values())
    groups, notes = _grouped(by_task, output.by, count)
    return Summary(
        benchmark=config.benchmark.title or config.benchmark.name,
        model=config.model.name,
        headline=_headline(overall, output.confidence, len(decided) + len(absent), len(absent)),
        complete=not absent and bool(decided),
        expected=len(decided) + len(absent),
        missing=list(absent.values())[:MAX_MISSING],
        missing_count=len(absent),
        confidence=output.confidence,
        resamples=output.resamples,
        seed=output.seed,
        weak_rule=weak,
        overall=overall,
        parts=_parts(by_task, count),
        groups=groups,
        verdicts=_counted(Verdict, (one.verdict for one in decided)),
        integrity=_counted(Integrity, (one.integrity for one in decided)),
        prompt_tokens=_tokens([one.prompt_tokens for one in decided]),
        completion_tokens=_tokens([one.completion_tokens for one in decided]),
        truncated=sum(one.finish == TRUNCATED for one in decided),
        without_program=sum(not has_program(one) for one in decided),
        notes=[*_notes(overall, config), *notes],
    )


def is_right(result: Result, weak: str) -> bool:
    """Whether a sample counts as right.

    Parameters:
        weak: `reject`: not if a hostile program could have forged it.
    """
    forgeable = result.integrity is Integrity.WEAK
    return result.verdict is Verdict.ACCEPTED and not (weak == "reject" and forgeable)


def percent(share: float) -> str:
    """A share for people."""
    return f"{100 * share:.1f} %"


def has_program(result: Result) -> bool:
    """Whether there was a program in the sample."""
    return bool(result.program_sha256) or result.verdict is not Verdict.COMPILE_ERROR


def tally(results: Sequence[Result], weak: str) -> Tally:
    """The samples of one task, at least one, as `estimate` counts them."""
    right = [one for one in results if is_right(one, weak)]
    return Tally(
        total=len(results),
        right=len(right),
        fraction=math.fsum(one.fraction for one in results) / len(results),
        weak=sum(one.integrity is Integrity.WEAK for one in right),
    )


def timings_of(results: Iterable[Result], evidence: Iterable[Evidence]) -> Timings:
    """How long it took.

    Parameters:
        results: have the tokens.
        evidence: has the times.
    """
    times = list(evidence)
    tokens = {one.key: one.completion_tokens for one in results if one.completion_tokens}
    timed = [
        (tokens[one.key], one.seconds) for one in times if one.key in tokens and _is(one.seconds)
    ]
    seconds = math.fsum(spent for _, spent in timed)
    return Timings(
        cpu_time=_times(one.cpu_time_s for one in times),
        wall_time=_times(one.wall_time_s for one in times),
        sampling=_times(one.seconds for one in times),
        tokens_per_s=sum(count for count, _ in timed) / seconds if seconds else None,
    )


class _Counting:
    """Numbers of sets of tasks, all by the same rules."""

    def __init__(self, ks: list[int], bootstrap: Bootstrap, weak: str, fraction: bool) -> None:
        self._ks, self._bootstrap, self._weak, self._fraction = ks, bootstrap, weak, fraction

    def over(self, tasks: Iterable[Sequence[Result]]) -> Numbers:
        tallies = [tally(results, self._weak) for results in tasks]
        return numbers(tallies, self._ks, self._bootstrap, fraction=self._fraction)

    def of_part(self, part: str, tasks: Iterable[Sequence[Result]]) -> Numbers:
        tallies = [self._tally_of_part(part, results) for results in tasks]
        return numbers(tallies, self._ks, self._bootstrap, fraction=False)

    def _tally_of_part(self, part: str, results: Sequence[Result]) -> Tally:
        passed = [one for one in results if one.parts.get(part)]
        strong = sum(one.integrity is Integrity.STRONG for one in passed)
        if self._weak == "reject":
            return Tally(total=len(results), right=strong)
        return Tally(total=len(results), right=len(passed), weak=len(passed) - strong)


def _by_task(results: Iterable[Result]) -> dict[str, list[Result]]:
    found: dict[str, list[Result]] = {}
    for result in results:
        found.setdefault(result.task, []).append(result)
    return found


def _parts(by_task: Mapping[str, Sequence[Result]], count: _Counting) -> dict[str, Numbers]:
    names = sorted({name for results in by_task.values() for one in results for name in one.parts})
    return {
        # A sample without a program has no parts, and passes none; a task without them is left out.
        name: count.of_part(name, [results for results in by_task.values() if _has(results, name)])
        for name in names
    }


def _has(results: Sequence[Result], part: str) -> bool:
    return any(part in one.parts for one in results) or all(not one.parts for one in results)


def _grouped(
    by_task: Mapping[str, Sequence[Result]], wanted: Sequence[str], count: _Counting
) -> tuple[dict[str, dict[str, Numbers]], list[str]]:
    members: dict[str, dict[str, list[Sequence[Result]]]] = {}
    for results in by_task.values():
        for name, value in results[0].groups.items():
            members.setdefault(name, {}).setdefault(value, []).append(results)
    notes = [f"No task has a group {name!r}." for name in wanted if name not in members]
    groups = {}
    for name in sorted(members):
        if wanted and name not in wanted:
            continue
        values = members[name]
        if len(values) > MAX_VALUES:
            notes.append(
                f"Group {name[:_MAX_NAME_CHARS]!r} has {len(values):,} values; numbers are given "
                f"for the {MAX_VALUES} with the most tasks."
            )
            kept = sorted(values, key=lambda value: (-len(values[value]), value))[:MAX_VALUES]
            values = {value: values[value] for value in kept}
        groups[name] = {value: count.over(values[value]) for value in sorted(values)}
    return groups, notes


def _headline(overall: Numbers, confidence: float, expected: int, absent: int) -> str:
    rate = overall.pass_at.get(1)
    if rate is None:
        return f"No number: none of {expected:,} samples was judged."
    words = (
        f"pass@1 {percent(rate.value)} ({100 * confidence:.4g} % interval {percent(rate.low)} to "
        f"{percent(rate.high)}; {overall.tasks:,} tasks, {overall.samples:,} samples)"
    )
    if absent:
        words += f"; NOT COMPLETE: {absent:,} of {expected:,} samples are missing and not counted"
    return words


def _notes(overall: Numbers, config: RunConfig) -> list[str]:
    notes = []
    if overall.left_out and overall.tasks:
        ks = ", ".join(map(str, overall.left_out[:_MAX_KS]))
        notes.append(f"Nothing is said for k = {ks}: some task has fewer samples.")
    if config.judge.stop != "never":
        notes.append(
            "There is no average share of cases: judging stopped at the first case that failed."
        )
    if config.judge.weak == "reject":
        notes.append("Passes that a hostile program could have forged count as wrong.")
    elif overall.weak:
        notes.append(
            f"{overall.weak:,} of {overall.right:,} right samples were tested in their own "
            "process, where a hostile program could have forged the pass."
        )
    rate = overall.pass_at.get(1)
    if rate and overall.tasks > 1 and rate.low == rate.high:
        notes.append(
            "The interval has no width because all tasks came out alike; that is what resampling "
            "can say, and not that the rate is exact."
        )
    return notes


def _counted(kind: Iterable[Verdict] | Iterable[Integrity], found: Iterable[str]) -> dict[str, int]:
    counts = Counter(found)
    return {one.value: counts[one] for one in kind if counts[one]}


def _tokens(counts: Iterable[int | None]) -> Tokens:
    known = [count for count in counts if count is not None]
    total = sum(known)
    return Tokens(samples=len(known), total=total, mean=total / len(known) if known else None)


def _is(seconds: float) -> bool:
    return seconds > 0 and math.isfinite(seconds)


def _times(values: Iterable[float]) -> Times:
    ordered = sorted(value for value in values if _is(value))
    if not ordered:
        return Times(samples=0, total_s=0, mean_s=None, median_s=None, p90_s=None, max_s=None)
    total = math.fsum(ordered)
    return Times(
        samples=len(ordered),
        total_s=total,
        mean_s=total / len(ordered),
        median_s=quantile(ordered, 0.5),
        p90_s=quantile(ordered, 0.9),
        max_s=ordered[-1],
    )
