"""Two runs on the same tasks: what changed, and whether chance alone explains it.

The difference of pass@1 comes with a paired bootstrap over tasks.  The test is an exact sign test
over tasks (two-sided, binomial): of the tasks whose rate differs, how many went up?  With one
sample a task on both sides that is McNemar's exact test.  With more samples it stays a test over
tasks: samples of one task are not independent, and sample 3 here has nothing to do with sample 3
there, so McNemar's test over samples would call differences sure that are not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from scalebox.model import Verdict
from scalebox.suite import folder as names
from scalebox.suite import results as files
from scalebox.suite.errors import SuiteError
from scalebox.suite.estimate import Bootstrap, Estimate
from scalebox.suite.results import Result
from scalebox.suite.summary import Summary, is_right, tally

#: Of the settings that differ.
MAX_DIFFERENT = 100
_MAX_VALUE_CHARS = 300
_EMPTY = ("", "null", "{}", "[]")
#: Parts of a manifest that say in short what its other parts say.
_DIGESTS = ("sampled_by", "judged_by")


class Side(Struct, frozen=True, kw_only=True):
    """One of the two runs.

    Attributes:
        model, benchmark: by their titles.
        complete: whether every sample was judged.
        samples: on the tasks that both have.
        pass_at_1: on the tasks that both have.
        verdicts: how many samples have each, on those tasks.
        only_here: tasks that the other has not.
    """

    model: str
    benchmark: str
    complete: bool
    samples: int
    pass_at_1: Estimate
    verdicts: dict[str, int]
    only_here: int


class Change(Struct, frozen=True, kw_only=True):
    """A task that came out otherwise.

    Attributes:
        task: its id.
        before, after: pass@1 of the task.
        fixed, broken: indices of samples that went from wrong to right, and back; with `paired`
            `samples` alone.
    """

    task: str
    before: float
    after: float
    fixed: list[int] = []
    broken: list[int] = []


class SignTest(Struct, frozen=True, kw_only=True):
    """An exact test of the hypothesis that a task goes up as easily as down.

    Attributes:
        name: `McNemar` with one sample a task on both sides, else `sign`.
        up, down: tasks whose rate went so; the others say nothing.
        p_value: of a difference as large, or larger, in either direction.
    """

    name: Literal["McNemar", "sign"]
    up: int
    down: int
    p_value: float


class Comparison(Struct, frozen=True, kw_only=True):
    """What changed from one run to the other.

    Attributes:
        headline: the difference with its interval and the test, in words.
        before, after: the runs.
        tasks: that both have.
        paired: `samples`: every task has the same samples, by index, on both sides; else `rates`.
        difference: of pass@1, after less before, with a paired bootstrap over tasks.
        confidence, resamples, seed: of the intervals.
        test: whether chance explains it.
        better, worse: the tasks that changed, in the order of tasks.
        from_to: verdict before → verdict after → samples; with `paired` `samples` alone.
        different: settings of the manifests that are not the same: key → before and after.
        notes: what a reader should know.
    """

    headline: str
    before: Side
    after: Side
    tasks: int
    paired: Literal["samples", "rates"]
    difference: Estimate
    confidence: float
    resamples: int
    seed: int
    test: SignTest
    better: list[Change]
    worse: list[Change]
    from_to: dict[str, dict[str, int]]
    different: dict[str, list[str]]
    notes: list[str]


class Run(Struct, frozen=True, kw_only=True):
    """What a comparison takes from a run's folder.

    Attributes:
        folder: for messages.
        summary, manifest: of the run.
        by_task: its results, of verdicts that are about the program.
    """

    folder: Path
    summary: Summary
    manifest: dict[str, Any]
    by_task: dict[str, list[Result]]


def open_run(folder: Path) -> Run:
    """What a comparison needs of a run.

    Raises:
        SuiteError: a file is missing, or is not as it must be.
    """
    by_task: dict[str, list[Result]] = {}
    for result in files.read(folder / names.RESULTS):
        if result.verdict.is_about_the_program:
            by_task.setdefault(result.task, []).append(result)
    return Run(
        folder=folder,
        summary=files.read_json(folder / names.SUMMARY, Summary),
        manifest=names.manifest_if_any(folder),
        by_task=by_task,
    )


def compare(before: Run, after: Run, *, anyway: bool = False) -> Comparison:
    """What changed from one run to the other, on the tasks that both have.

    Parameters:
        before, after: the runs; confidence, resamples and seed are those of `after`.
        anyway: also where benchmark or data are not the same.

    Raises:
        SuiteError: they are of different benchmarks or data, or have no task in common.
    """
    notes = _refuse_unlike(before, after, anyway)
    common = [task for task in after.by_task if task in before.by_task]
    if not common:
        raise SuiteError(f"{before.folder} and {after.folder} have no task in common")
    pairs = {task: (before.by_task[task], after.by_task[task]) for task in common}
    weak = (before.summary.weak_rule, after.summary.weak_rule)
    if weak[0] != weak[1]:
        notes.append(
            f"Passes that could have been forged: {weak[0]} before, {weak[1]} after; each side is "
            "counted by its own rule."
        )
    own = after.summary
    bootstrap = Bootstrap(own.confidence, own.resamples, own.seed)
    rates = [[tally(pairs[task][side], weak[side]).rate for task in common] for side in (0, 1)]
    steps = [second - first for first, second in zip(*rates, strict=True)]
    difference, first, second = bootstrap.means([steps, *rates])
    paired = all(_indices(one) == _indices(other) for one, other in pairs.values())
    single = all(len(one) == len(other) == 1 for one, other in pairs.values())
    up, down = sum(step > 0 for step in steps), sum(step < 0 for step in steps)
    test = SignTest(
        name="McNemar" if single else "sign", up=up, down=down, p_value=sign_test(up, down)
    )
    changes = [
        _change(task, *pairs[task], weak, rates[0][place], rates[1][place], paired)
        for place, task in enumerate(common)
    ]
    sides = (
        _side(before, [pairs[task][0] for task in common], first),
        _side(after, [pairs[task][1] for task in common], second),
    )
    notes += _notes(sides, paired)
    return Comparison(
        headline=_headline(difference, own.confidence, test, all(side.complete for side in sides)),
        before=sides[0],
        after=sides[1],
        tasks=len(common),
        paired="samples" if paired else "rates",
        difference=difference,
        confidence=own.confidence,
        resamples=own.resamples,
        seed=own.seed,
        test=test,
        better=[one for one in changes if one.after > one.before],
        worse=[one for one in changes if one.after < one.before],
        from_to=_from_to(pairs.values()) if paired else {},
        different=different_settings(before.manifest, after.manifest),
        notes=notes,
    )


def sign_test(up: int, down: int) -> float:
    """The exact two-sided p-value of so many ups and downs, each as likely: McNemar's exact test.

    Twice the smaller tail of the binomial distribution, at most 1; counted in integers.
    """
    tosses, fewer = up + down, min(up, down)
    ways = term = 1
    for place in range(1, fewer + 1):
        term = term * (tosses - place + 1) // place
        ways += term
    return min(1.0, 2 * ways / (1 << tosses))


def different_settings(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[str]]:
    """Dotted key → what two manifests say, where they do not say the same; bounded."""
    first, second = (
        flat({key: value for key, value in one.items() if key not in _DIGESTS})
        for one in (before, after)
    )
    keys = [key for key in dict.fromkeys([*first, *second]) if first.get(key) != second.get(key)]
    return {key: [first.get(key, ""), second.get(key, "")] for key in keys[:MAX_DIFFERENT]}


def flat(manifest: Mapping[str, Any], prefix: str = "", depth: int = 6) -> dict[str, str]:
    """A manifest as dotted keys with texts, for people; values are cut."""
    found: dict[str, str] = {}
    for key, value in manifest.items():
        if isinstance(value, dict) and value and depth:
            found |= flat(value, f"{prefix}{key}.", depth - 1)
        else:
            text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
            found[f"{prefix}{key}"[:_MAX_VALUE_CHARS]] = text[:_MAX_VALUE_CHARS]
    return found


def said(manifest: Mapping[str, Any]) -> dict[str, str]:
    """A manifest as `flat` has it, without what is left empty."""
    return {key: text for key, text in flat(manifest).items() if text not in _EMPTY}


def _refuse_unlike(before: Run, after: Run, anyway: bool) -> list[str]:
    """Notes on what is unlike.

    Raises:
        SuiteError: something is, and was not to be.
    """
    unlike = []
    # A title of one's own makes no other benchmark.
    names = [_of_benchmark(run, "name") or run.summary.benchmark for run in (before, after)]
    if names[0] != names[1]:
        unlike.append(f"the benchmarks differ: {names[0]} before, {names[1]} after")
    hashes = [_of_benchmark(run, "data_sha256") or None for run in (before, after)]
    if hashes[0] != hashes[1]:
        unlike.append("the data differ: their hashes in the manifests are not the same")
    if unlike and not anyway:
        raise SuiteError(
            f"{before.folder} and {after.folder}: {'; '.join(unlike)}. Compare them anyway only if "
            "tasks of the same id are the same task"
        )
    notes = [f"{words[0].upper()}{words[1:]}." for words in unlike]
    if hashes == [None, None]:
        notes.append("No manifest has hashes of the data: nobody can say that they are the same.")
    return notes


def _of_benchmark(run: Run, key: str) -> Any:
    """What a run's manifest says of its benchmark; None: nothing."""
    table = run.manifest.get("benchmark")
    return table.get(key) if isinstance(table, dict) else None


def _indices(results: Sequence[Result]) -> list[int]:
    return sorted(one.index for one in results)


def _change(
    task: str,
    before: Sequence[Result],
    after: Sequence[Result],
    weak: tuple[str, str],
    rate_before: float,
    rate_after: float,
    paired: bool,
) -> Change:
    fixed, broken = [], []
    if paired:
        was = {one.index: is_right(one, weak[0]) for one in before}
        now = {one.index: is_right(one, weak[1]) for one in after}
        fixed = [index for index in sorted(now) if now[index] and not was[index]]
        broken = [index for index in sorted(now) if was[index] and not now[index]]
    return Change(task=task, before=rate_before, after=rate_after, fixed=fixed, broken=broken)


def _side(run: Run, tasks: Sequence[Sequence[Result]], rate: Estimate) -> Side:
    counts = Counter(one.verdict for results in tasks for one in results)
    return Side(
        model=run.summary.model,
        benchmark=run.summary.benchmark,
        complete=run.summary.complete,
        samples=sum(map(len, tasks)),
        pass_at_1=rate,
        verdicts={one.value: counts[one] for one in Verdict if counts[one]},
        only_here=len(run.by_task) - len(tasks),
    )


def _from_to(pairs: Any) -> dict[str, dict[str, int]]:
    counts: Counter[tuple[Verdict, Verdict]] = Counter()
    for before, after in pairs:
        now = {one.index: one.verdict for one in after}
        counts.update((one.verdict, now[one.index]) for one in before)
    return {
        first.value: {
            second.value: counts[first, second] for second in Verdict if counts[first, second]
        }
        for first in Verdict
        if any(counts[first, second] for second in Verdict)
    }


def _headline(difference: Estimate, confidence: float, test: SignTest, complete: bool) -> str:
    words = (
        f"pass@1 {points(difference.value)} points ({100 * confidence:.4g} % interval "
        f"{points(difference.low)} to {points(difference.high)}); {test.up:,} tasks better, "
        f"{test.down:,} worse, {_name(test)} {p_text(test.p_value)}"
    )
    return words if complete else f"{words}; NOT COMPLETE: samples are missing and not counted"


def _name(test: SignTest) -> str:
    return "McNemar's exact test" if test.name == "McNemar" else "exact sign test over tasks"


def points(share: float) -> str:
    """A difference of shares in points of a hundred, for people."""
    return f"{100 * share:+.1f}".replace("-", "\u2212")


def p_text(p_value: float) -> str:
    """A p-value for people."""
    return "p < 0.0001" if p_value < 0.0001 else f"p = {p_value:.4f}"


def _notes(sides: tuple[Side, Side], paired: bool) -> list[str]:
    notes = []
    for words, side in zip(("before", "after"), sides, strict=True):
        if not side.complete:
            notes.append(f"The run {words} ({side.model}) is not complete.")
        if side.only_here:
            notes.append(f"{side.only_here:,} tasks are {words} alone and not compared.")
    if not paired:
        notes.append(
            "The runs do not have the same samples of every task, so rates are compared and not "
            "single samples."
        )
    return notes
