"""The benchmarks: a file each reads the rows of one data set, or of several of a kind."""

from __future__ import annotations

import difflib

from scalebox.suite.benchmarks.aethercode import AetherCode
from scalebox.suite.benchmarks.any_rows import AnyRows
from scalebox.suite.benchmarks.apps import Apps, Taco
from scalebox.suite.benchmarks.bigcodebench import BigCodeBench, BigCodeBenchHard
from scalebox.suite.benchmarks.codecontests import CodeContests, CodeContestsPlus
from scalebox.suite.benchmarks.codeforces import Codeforces
from scalebox.suite.benchmarks.evalplus import HumanEvalPlus, MbppPlus
from scalebox.suite.benchmarks.humaneval import HumanEval
from scalebox.suite.benchmarks.livecodebench import LiveCodeBench
from scalebox.suite.benchmarks.mbpp import Mbpp
from scalebox.suite.benchmarks.multipl_e import MultiplE
from scalebox.suite.config import BenchmarkConfig, JudgeConfig
from scalebox.suite.errors import SuiteError
from scalebox.suite.tasks import OPTIONS, Benchmark, Task

_ALL: tuple[type[Benchmark], ...] = (
    HumanEval,
    HumanEvalPlus,
    Mbpp,
    MbppPlus,
    MultiplE,
    BigCodeBench,
    BigCodeBenchHard,
    LiveCodeBench,
    AetherCode,
    CodeContests,
    CodeContestsPlus,
    Apps,
    Taco,
    Codeforces,
    AnyRows,
)
#: As configurations call them.
BENCHMARKS: dict[str, type[Benchmark]] = {kind.name: kind for kind in _ALL}


def load(config: BenchmarkConfig, judge: JudgeConfig) -> Benchmark:
    """A benchmark with the tasks that a configuration chooses.

    Raises:
        SuiteError: there is none of that name, its data is missing or not as documented, an id is
            there twice, or no task is left.
    """
    kind = BENCHMARKS.get(config.name)
    if kind is None:
        close = difflib.get_close_matches(config.name.lower(), BENCHMARKS, n=1)
        meant = f"; is {close[0]!r} meant?" if close else ""
        raise SuiteError(
            f"there is no benchmark {config.name!r}{meant} (there are {', '.join(BENCHMARKS)})"
        )
    _refuse_idle(kind, config, judge)
    benchmark = kind(config, judge)
    benchmark.load()
    _refuse_twins(benchmark)
    found = {task.id for task in benchmark.tasks}
    benchmark.tasks = chosen(benchmark.tasks, config)
    if not benchmark.tasks:
        raise SuiteError(f"benchmark {config.name}: none of its {len(found)} tasks is chosen")
    benchmark.passed_over = frozenset(found - {task.id for task in benchmark.tasks})
    return benchmark


def _refuse_idle(kind: type[Benchmark], config: BenchmarkConfig, judge: JudgeConfig) -> None:
    """An option without a use must not look as if it had one."""
    plain = BenchmarkConfig(name=config.name)
    for name in OPTIONS:
        one, other = (judge, JudgeConfig()) if name == "comparison" else (config, plain)
        if name not in kind.options and getattr(one, name) != getattr(other, name):
            has = (
                ", ".join(option for option in OPTIONS if option in kind.options) or "none of them"
            )
            raise SuiteError(
                f"benchmark {config.name} has no use for {name!r} (of {', '.join(OPTIONS)} it has "
                f"one for {has}); leave it out"
            )


def chosen(tasks: list[Task], config: BenchmarkConfig) -> list[Task]:
    """The tasks that a configuration takes, in their order.

    Raises:
        SuiteError: it names a group or a task that there is not, or days where there are no dates.
    """
    if (config.since or config.until) and not any(task.date for task in tasks):
        raise SuiteError(f"benchmark {config.name}: its tasks have no dates to choose by")
    groups = {name for task in tasks for name in task.groups}
    for name in config.only:
        if name not in groups:
            raise SuiteError(
                f"benchmark {config.name}: its tasks have no group {name!r}; they have "
                f"{', '.join(sorted(groups)) or 'none'}"
            )
    ids = {task.id for task in tasks}
    for wanted in config.tasks:
        if wanted not in ids:
            raise SuiteError(f"benchmark {config.name}: there is no task {wanted!r}")
    found = [task for task in tasks if _is_chosen(task, config)]
    return found[: config.first]


def _is_chosen(task: Task, config: BenchmarkConfig) -> bool:
    if config.tasks and task.id not in config.tasks:
        return False
    if config.since and not task.date >= config.since.isoformat():
        return False
    if config.until and not "" < task.date < config.until.isoformat():
        return False
    return all(task.groups.get(name) in values for name, values in config.only.items())


def _refuse_twins(benchmark: Benchmark) -> None:
    seen: set[str] = set()
    for task in benchmark.tasks:
        if task.id in seen:
            raise SuiteError(f"benchmark {benchmark.name}: task {task.id!r} is there twice")
        seen.add(task.id)
