"""What the benchmark runs: submissions for the daemon, and the same work for its rivals.

Every round has sources of its own, so that no cache and no joining of identical work flatters a
figure; only compiled programs are the same in every round, as they are in training.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from bench import labels
from scalebox.client.problems import read_rows
from scalebox.model import (
    CallCase,
    CallTests,
    FunctionJudge,
    Judge,
    Limits,
    Problem,
    ProgramJudge,
    StdioCase,
    StdioTests,
    Submission,
)

#: Accepted real programs whose slowest test took longer are left out: the tests should be short.
REAL_MAX_S = 1.0
_CPP_SOURCES = 4

_TRIVIAL = """# {nonce}
a, b = map(int, input().split())
print(a + b)
"""
#: What model-written solutions and the datasets' own preambles import, needed or not.
_IMPORTS = """# {nonce}
import bisect, collections, copy, functools, heapq, itertools, math, random, re, string, sys
from typing import Dict, List, Optional, Tuple
a, b = map(int, sys.stdin.readline().split())
print(a + b)
"""
_NUMPY = """# {nonce}
import numpy as np
values = np.array(input().split(), dtype=np.int64)
print(int(values.sum()))
"""
_CALL = """# {nonce}
def add(a, b):
    return a + b
"""
#: What a special judge of a sum does; one for all submissions, as a problem has it.
_JUDGE = """
def judge(input, output, answer):
    a, b = map(int, input.split())
    return output.split() == [str(a + b)]
"""
_VALIDATOR = """
#include <fstream>
#include <iostream>
int main(int, char **argv) {
    long long a, b, sum;
    std::ifstream(argv[1]) >> a >> b;
    return std::cin >> sum && sum == a + b ? 42 : 43;
}
"""
#: The same calls for the rivals, who know standard input and output only.
_CALL_DRIVER = "\nimport json\nprint(json.dumps(add(*json.loads(input()))))\n"
_CPP = """// {nonce}
#include <iostream>
int main() {{
    long long a, b;
    std::cin >> a >> b;
    std::cout << a + b << '\\n';
}}
"""


@dataclass(frozen=True, slots=True)
class Unit:
    """One submission, for everyone.

    Attributes:
        submission: for the daemon.
        language: `python` or `cpp`.
        source: for the rivals.
        cases: (input, answer) for the rivals.
    """

    submission: Submission
    language: str
    source: str
    cases: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Workload:
    """A kind of work, made anew for each round.

    Attributes:
        name: of its row.
        make: from a random source and a number of submissions, that many units.
        submissions: of one round for the daemon and for `exec`.
        rival_submissions: of one round for `subprocess`, which is slower.
        exec_rival: whether the in-process rival can run it.
    """

    name: str
    make: Callable[[random.Random, int], list[Unit]]
    submissions: int
    rival_submissions: int
    exec_rival: bool = True


def _pairs(rng: random.Random, cases: int) -> list[tuple[int, int]]:
    return [(rng.randrange(10**9), rng.randrange(10**9)) for _ in range(cases)]


def _stdio_unit(language: str, source: str, pairs: list[tuple[int, int]]) -> Unit:
    cases = [(f"{a} {b}\n", f"{a + b}\n") for a, b in pairs]
    tests = StdioTests(cases=[StdioCase(input=given, answer=answer) for given, answer in cases])
    return Unit(Submission(language=language, source=source, tests=tests), language, source, cases)


def python(source: str, cases: int) -> Callable[[random.Random, int], list[Unit]]:
    """Python submissions of `cases` cases each, every one with a source of its own."""

    def make(rng: random.Random, count: int) -> list[Unit]:
        return [
            _stdio_unit("python", source.format(nonce=rng.getrandbits(64)), _pairs(rng, cases))
            for _ in range(count)
        ]

    return make


def _cpp(rng: random.Random, count: int) -> list[Unit]:
    return [
        _stdio_unit("cpp", _CPP.format(nonce=number % _CPP_SOURCES), _pairs(rng, 20))
        for number in range(count)
    ]


def _calls(rng: random.Random, count: int) -> list[Unit]:
    units = []
    for _ in range(count):
        source = _CALL.format(nonce=rng.getrandbits(64))
        pairs = _pairs(rng, 20)
        tests = CallTests(
            function="add", cases=[CallCase(args=[a, b], expected=a + b) for a, b in pairs]
        )
        cases = [(json.dumps(pair) + "\n", f"{sum(pair)}\n") for pair in pairs]
        submission = Submission(language="python", source=source, tests=tests)
        units.append(Unit(submission, "python", source + _CALL_DRIVER, cases))
    return units


def _judged(judge: Judge) -> Callable[[random.Random, int], list[Unit]]:
    """The trivial programs, with a judge that is a program; the rivals compare."""
    plain = python(_TRIVIAL, 20)

    def make(rng: random.Random, count: int) -> list[Unit]:
        units = []
        for unit in plain(rng, count):
            tests = unit.submission.tests
            assert isinstance(tests, StdioTests)
            judged = msgspec.structs.replace(tests, judge=judge)
            submission = msgspec.structs.replace(unit.submission, tests=judged)
            units.append(replace(unit, submission=submission))
        return units

    return make


TRIVIAL = Workload("python, 20 cases", python(_TRIVIAL, 20), 200, 15)
SINGLE = Workload("python, 1 case", python(_TRIVIAL, 1), 2000, 300)
IMPORTS = Workload("python with usual imports, 20 cases", python(_IMPORTS, 20), 200, 10)
NUMPY = Workload("python with numpy, 20 cases", python(_NUMPY, 20), 100, 4)
CPP = Workload("cpp, 20 cases", _cpp, 150, 75, exec_rival=False)
CALLS = Workload("calls, 20 a submission", _calls, 400, 15)
JUDGED = Workload(
    "python, 20 cases, judged by a function", _judged(FunctionJudge(source=_JUDGE)), 100, 15
)
VALIDATED = Workload(
    "python, 20 cases, judged by a program in C++",
    _judged(ProgramJudge(contract="icpc", language="cpp", source=_VALIDATOR)), 100, 15,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Real:
    """Real problems, and the accepted programs for them.

    Attributes:
        problems: id → problem, to be registered with the daemon.
        units: the submissions, by problem id.
    """

    problems: dict[str, Problem]
    units: list[Unit]


def real(path: Path, max_s: float = REAL_MAX_S) -> Real:
    """Accepted Python and C++ programs of real problems, each with all tests that are there.

    Parameters:
        path: `problems.jsonl.gz`.
        max_s: seconds that the slowest test may have taken those who collected the data.

    Raises:
        ProblemFileError: the file is not there, or not as its README says.
    """
    problems: dict[str, Problem] = {}
    units = []
    for row in read_rows(path):
        if row.data["judge"]["kind"] != "default":
            continue
        problem = row.problem()
        slowest = {entry["name"]: entry.get("observed_max_s") for entry in row.data["submissions"]}
        for found in row.submissions():
            submission = found.submission
            observed = slowest[found.name]
            if (
                found.label != "accepted"
                or found.label_check != "ok"
                or submission.language not in ("python", "cpp")
                or submission.files
                or observed is None
                or observed > max_s
            ):
                continue
            assert isinstance(problem.tests, StdioTests)
            cases = [(str(case.input), str(case.answer)) for case in problem.tests.cases]
            problems[row.id] = problem
            units.append(
                Unit(
                    Submission(
                        language=submission.language,
                        source=submission.source,
                        problem=row.id,
                        limits=Limits(cpu_time_s=labels.DEFAULT_CPU_TIME_S),
                    ),
                    submission.language,
                    submission.source,
                    cases,
                )
            )
    return Real(problems, units)
