"""The submissions of the load test: programs of every temper, each with what its report must say.

Pure data: nothing is sent from here.  The same seed gives the same submissions.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from scalebox.model import (
    CallCase,
    CallTests,
    Limits,
    Report,
    StdioCase,
    StdioTests,
    Submission,
    Tests,
    Verdict,
)

#: The name that programs give themselves which mean to stay: found in /proc, they have escaped.
MARK = "sbloadleft"
_SEGFAULT = 11
_COMPILED_VARIANTS = 4
_OUTPUT_LIMIT = 64 * 1024
_MEMORY_LIMIT = 96 << 20

_NAME_ITSELF = f"""import ctypes
ctypes.CDLL(None).prctl(15, b"{MARK}", 0, 0, 0)
"""
_SUM = "a, b = map(int, input().split())\nprint(a + b)\n"
_WRONG = "a, b = map(int, input().split())\nprint(a + b + (a % 2))\n"
_RAISES = "a, b = map(int, input().split())\nprint(a + b)\nprint(a // 0)\n"
_SLEEPS = _NAME_ITSELF + "import time\ntime.sleep(60)\n"
_SPINS = "while True:\n    pass\n"
_CRASHES = "import ctypes\nctypes.string_at(0)\n"
_LEAVES = (
    _NAME_ITSELF
    + """import os, signal, time
if os.fork() == 0:
    os.setsid()
    for number in (1, 2, 13, 15):
        signal.signal(number, signal.SIG_IGN)
    if os.fork() == 0:
        time.sleep(600)
    time.sleep(600)
"""
    + _SUM
)
_DOES_NOT_COMPILE = "a, b = map(int, input().split()\nprint(a + b)\n"
_TALKS = "import sys\nfor _ in range(300):\n    sys.stdout.write('x' * 1023 + '\\n')\n"
_EATS = "data = bytearray(1 << 30)\nprint(len(data))\n"
_FUNCTION = "def add(a, b):\n    return a + b\n"
_CPP = """#include <iostream>
int main() {
    long long a, b;
    std::cin >> a >> b;
    std::cout << a + b + %d << std::endl;
}
"""
_CPP_BROKEN = "int main() { return %d + undeclared; }\n"


@dataclass(frozen=True, slots=True)
class Expected:
    """What a report must say.

    Attributes:
        verdicts: one of these, of the whole.
        passed: number of accepted cases.
        total: number of cases.
        check: anything more; returns what is wrong, or an empty string.
    """

    verdicts: frozenset[Verdict]
    passed: int
    total: int
    check: Callable[[Report], str] | None = None

    def fault(self, report: Report) -> str:
        """What is wrong with the report, in words; empty: nothing."""
        found = f"{report.verdict.value}, {report.passed}/{report.total}"
        if report.verdict not in self.verdicts:
            wanted = " or ".join(sorted(verdict.value for verdict in self.verdicts))
            return f"{found} in place of {wanted} ({_words(report)})"
        if (report.passed, report.total) != (self.passed, self.total):
            return f"{found} in place of {self.passed}/{self.total} ({_words(report)})"
        if len(report.cases) != self.total:
            return f"{len(report.cases)} cases in place of {self.total}"
        return self.check(report) if self.check else ""


def _words(report: Report) -> str:
    texts = [report.message, *(case.message for case in report.cases)]
    if report.compile is not None and not report.compile.ok:
        texts.append(report.compile.message)
    return "; ".join(dict.fromkeys(text for text in texts if text))[:400]


@dataclass(frozen=True, slots=True)
class Planned:
    """One submission of the load, and its expected report."""

    index: int
    kind: str
    submission: Submission
    expected: Expected


@dataclass(frozen=True, slots=True)
class Kind:
    """A temper.

    Attributes:
        weight: share of the mix, in parts of a thousand.
        make: from a random source, a submission without its id and what is expected of it.
    """

    weight: int
    make: Callable[[random.Random], tuple[Submission, Expected]]


def _pairs(rng: random.Random, count: int, first_even: bool = False) -> list[tuple[int, int]]:
    pairs = [(rng.randrange(10**6), rng.randrange(10**6)) for _ in range(count)]
    if first_even:
        # The wrong program is right on even numbers: one case of each kind, in a known order.
        pairs = [(a - a % 2 + position % 2, b) for position, (a, b) in enumerate(pairs)]
    return pairs


def _stdio(pairs: list[tuple[int, int]]) -> StdioTests:
    return StdioTests(cases=[StdioCase(input=f"{a} {b}\n", answer=f"{a + b}\n") for a, b in pairs])


def _distinct(rng: random.Random, source: str) -> str:
    return f"# {rng.getrandbits(48):x}\n{source}"


def _python(
    source: str,
    expected: Verdict | frozenset[Verdict],
    *,
    cases: int = 1,
    passed: int = 0,
    limits: Limits | None = None,
    check: Callable[[Report], str] | None = None,
) -> Callable[[random.Random], tuple[Submission, Expected]]:
    verdicts = frozenset({expected}) if isinstance(expected, Verdict) else expected
    given = limits or Limits()

    def make(rng: random.Random) -> tuple[Submission, Expected]:
        tests: Tests = _stdio(_pairs(rng, cases, first_even=True))
        submission = Submission(
            language="python", source=_distinct(rng, source), tests=tests, limits=given,
            stop="never",
        )  # fmt: skip
        return submission, Expected(verdicts, passed, cases, check)

    return make


def _cpp(rng: random.Random) -> tuple[Submission, Expected]:
    off = rng.randrange(_COMPILED_VARIANTS)
    verdict = Verdict.WRONG_ANSWER if off else Verdict.ACCEPTED
    submission = Submission(
        language="cpp", source=_CPP % off, tests=_stdio(_pairs(rng, 2)), stop="never"
    )
    return submission, Expected(frozenset({verdict}), 0 if off else 2, 2)


def _cpp_broken(rng: random.Random) -> tuple[Submission, Expected]:
    source = _CPP_BROKEN % rng.randrange(_COMPILED_VARIANTS)
    submission = Submission(language="cpp", source=source, tests=_stdio(_pairs(rng, 1)))
    return submission, Expected(frozenset({Verdict.COMPILE_ERROR}), 0, 1)


@dataclass(frozen=True, slots=True)
class _OnlyOneIsWrong:
    # A value and not a closure, so that two plans can be compared.
    position: int

    def __call__(self, report: Report) -> str:
        verdicts = [case.verdict for case in report.cases]
        right = [Verdict.ACCEPTED] * len(verdicts)
        right[self.position] = Verdict.WRONG_ANSWER
        return "" if verdicts == right else f"cases: {', '.join(verdicts)}"


def _calls(rng: random.Random) -> tuple[Submission, Expected]:
    pairs = _pairs(rng, 5)
    wrong = rng.randrange(5)
    cases = [
        CallCase(args=[a, b], expected=a + b + (position == wrong))
        for position, (a, b) in enumerate(pairs)
    ]
    submission = Submission(
        language="python",
        source=_distinct(rng, _FUNCTION),
        tests=CallTests(function="add", cases=cases),
        stop="never",
    )
    expected = Expected(frozenset({Verdict.WRONG_ANSWER}), 4, 5, _OnlyOneIsWrong(wrong))
    return submission, expected


def _is_segfault(report: Report) -> str:
    signal = report.cases[0].signal
    return "" if signal == _SEGFAULT else f"signal {signal} in place of {_SEGFAULT}"


def _second_is_wrong(report: Report) -> str:
    verdicts = [case.verdict for case in report.cases]
    right = [Verdict.ACCEPTED, Verdict.WRONG_ANSWER, Verdict.ACCEPTED]
    return "" if verdicts == right else f"cases: {', '.join(verdicts)}"


#: Programs that hang are rare, so that the load is one of cases and not of waiting.
KINDS: dict[str, Kind] = {
    "accepted": Kind(400, _python(_SUM, Verdict.ACCEPTED, cases=3, passed=3)),
    "wrong": Kind(
        150,
        _python(_WRONG, Verdict.WRONG_ANSWER, cases=3, passed=2, check=_second_is_wrong),
    ),
    "runtime_error": Kind(100, _python(_RAISES, Verdict.RUNTIME_ERROR, cases=2)),
    "sleeping": Kind(
        5, _python(_SLEEPS, Verdict.TIME_LIMIT_EXCEEDED, limits=Limits(wall_time_s=0.3))
    ),
    "spinning": Kind(
        5, _python(_SPINS, Verdict.TIME_LIMIT_EXCEEDED, limits=Limits(cpu_time_s=0.2))
    ),
    "crashing": Kind(40, _python(_CRASHES, Verdict.RUNTIME_ERROR, check=_is_segfault)),
    "leftovers": Kind(40, _python(_LEAVES, Verdict.ACCEPTED, passed=1)),
    "syntax_error": Kind(50, _python(_DOES_NOT_COMPILE, Verdict.COMPILE_ERROR)),
    "big_output": Kind(
        20,
        _python(_TALKS, Verdict.OUTPUT_LIMIT_EXCEEDED, limits=Limits(output_bytes=_OUTPUT_LIMIT)),
    ),
    # The finer reason may be less exact where the kernel tells less (DESIGN §2).
    "big_memory": Kind(
        10,
        _python(
            _EATS,
            frozenset({Verdict.MEMORY_LIMIT_EXCEEDED, Verdict.RUNTIME_ERROR}),
            limits=Limits(memory_bytes=_MEMORY_LIMIT),
        ),
    ),
    "calls": Kind(80, _calls),
    "cpp": Kind(90, _cpp),
    "cpp_broken": Kind(10, _cpp_broken),
}


def plan(count: int, seed: int, kinds: list[str] | None = None) -> list[Planned]:
    """The submissions, by index.

    Parameters:
        count: how many.
        seed: of the random source.
        kinds: only these, in this order over and over; None: the mix by weight.
    """
    rng = random.Random(seed)
    if kinds is None:
        names = rng.choices(list(KINDS), weights=[kind.weight for kind in KINDS.values()], k=count)
    else:
        names = [kinds[position % len(kinds)] for position in range(count)]
    planned = []
    for index, name in enumerate(names):
        submission, expected = KINDS[name].make(rng)
        labelled = _with_id(submission, f"{seed}-{index}")
        planned.append(Planned(index, name, labelled, expected))
    return planned


def _with_id(submission: Submission, label: str) -> Submission:
    return msgspec.structs.replace(submission, id=label)
