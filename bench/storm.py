"""The submissions of the chaos test: right and wrong programs, and what every single case must say.

Pure data: nothing is sent from here.  The same seed gives the same submissions.  Cases sleep a
little, so that the load lasts while nodes die and come back, and the machine has time left for it.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from scalebox.model import (
    CallCase,
    CallTests,
    FunctionJudge,
    Report,
    StdioCase,
    StdioTests,
    Submission,
    Tests,
    Verdict,
)

#: Cases of one submission.
EACH = 10
_CPP_VARIANTS = 4
_PYTHON = """# {nonce:x}
import time
a, b = map(int, input().split())
time.sleep({sleep})
if a % 7 == {raises}:
    raise ValueError(a)
print(a + b + (a % 5 == {off}))
"""
_CPP = """// {nonce}
#include <cstdio>
#include <unistd.h>
int main() {{
    long long a, b;
    if (scanf("%lld %lld", &a, &b) != 2) return 1;
    usleep({micros});
    if (a % 7 == {raises}) return 3;
    printf("%lld\\n", a + b + (a % 5 == {off}));
}}
"""
#: Any way to write the sum is right.
_JUDGE = """
def judge(input, output, answer):
    words = output.split()
    return len(words) == 1 and int(words[0]) == sum(map(int, input.split()))
"""
_CALL = """# {nonce:x}
import time
def add(a, b):
    time.sleep({sleep})
    if a % 7 == {raises}:
        raise ValueError(a)
    return a + b + (a % 5 == {off})
"""
#: No remainder: a program without that fault.
_NEVER = -1


@dataclass(frozen=True, slots=True)
class Planned:
    """One submission, and the verdict of each of its cases."""

    index: int
    kind: str
    submission: Submission
    verdicts: tuple[Verdict, ...]

    def faults(self, report: Report) -> list[str]:
        """What is wrong with its report, in words, one a case."""
        if report.id != self.submission.id:
            return [f"#{self.index}: the report of {report.id}"] * len(self.verdicts)
        if len(report.cases) != len(self.verdicts):
            return [f"#{self.index}: {len(report.cases)} cases ({report.message})"] * len(
                self.verdicts
            )
        found = []
        for number, (case, right) in enumerate(zip(report.cases, self.verdicts, strict=True)):
            if case.verdict is not right:
                where = f"#{self.index} ({self.kind}), case {number} on {case.node or 'the first'}"
                words = f"{case.verdict.value} in place of {right.value}"
                found.append(f"{where}: {words} ({case.message[:200]})")
        accepted = sum(right is Verdict.ACCEPTED for right in self.verdicts)
        if not found and report.passed != accepted:
            found.append(f"#{self.index}: {report.passed} passed in place of {accepted}")
        return found


def _verdict(a: int, off: int, raises: int) -> Verdict:
    if a % 7 == raises:
        return Verdict.RUNTIME_ERROR
    return Verdict.WRONG_ANSWER if a % 5 == off else Verdict.ACCEPTED


def _stdio(pairs: list[tuple[int, int]], judge: FunctionJudge | None = None) -> Tests:
    cases = [StdioCase(input=f"{a} {b}\n", answer=f"{a + b}\n") for a, b in pairs]
    return StdioTests(cases=cases) if judge is None else StdioTests(cases=cases, judge=judge)


def _python(rng: random.Random, sleep_s: float, off: int, raises: int) -> str:
    return _PYTHON.format(nonce=rng.getrandbits(48), sleep=sleep_s, off=off, raises=raises)


def _cpp(rng: random.Random, sleep_s: float, off: int, raises: int) -> str:
    # Few distinct ones: a compilation costs what hundreds of cases do.
    return _CPP.format(
        nonce=rng.randrange(_CPP_VARIANTS), micros=int(sleep_s * 1e6), off=off, raises=raises
    )


@dataclass(frozen=True, slots=True)
class _Kind:
    weight: int
    language: str
    source: Callable[[random.Random, float, int, int], str]
    tests: Callable[[list[tuple[int, int]]], Tests]


def _calls(pairs: list[tuple[int, int]]) -> Tests:
    return CallTests(
        function="add", cases=[CallCase(args=[a, b], expected=a + b) for a, b in pairs]
    )


def _call(rng: random.Random, sleep_s: float, off: int, raises: int) -> str:
    return _CALL.format(nonce=rng.getrandbits(48), sleep=sleep_s, off=off, raises=raises)


KINDS = {
    "python": _Kind(45, "python", _python, _stdio),
    "cpp": _Kind(20, "cpp", _cpp, _stdio),
    "judged": _Kind(
        25, "python", _python, lambda pairs: _stdio(pairs, FunctionJudge(source=_JUDGE))
    ),
    "calls": _Kind(10, "python", _call, _calls),
}
#: (remainder by 5 that gives a wrong sum, remainder by 7 that ends in an error)
_FAULTS = ((_NEVER, _NEVER), (2, _NEVER), (_NEVER, 3), (1, 4))


def plan(cases: int, seed: int, sleep_s: float) -> list[Planned]:
    """The submissions, by index.

    Parameters:
        cases: of all together, rounded up to whole submissions.
        seed: of the random source.
        sleep_s: how long a case sleeps.
    """
    rng = random.Random(seed)
    count = -(-cases // EACH)
    names = rng.choices(list(KINDS), weights=[kind.weight for kind in KINDS.values()], k=count)
    planned = []
    for index, name in enumerate(names):
        kind = KINDS[name]
        off, raises = rng.choice(_FAULTS)
        pairs = [(rng.randrange(10**6), rng.randrange(10**6)) for _ in range(EACH)]
        submission = Submission(
            language=kind.language,
            source=kind.source(rng, sleep_s, off, raises),
            tests=kind.tests(pairs),
            stop="never",
            id=f"{seed}-{index}",
        )
        verdicts = tuple(_verdict(a, off, raises) for a, _ in pairs)
        planned.append(Planned(index, name, submission, verdicts))
    return planned
