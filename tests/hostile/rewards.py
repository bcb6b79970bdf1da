"""Reward hackers, laid out for whatever sends a program with its tests: protocols, drop-ins.

An attack of `programs/hacking/` is put to one way of testing; what it may earn there is said with
it: nothing, as a rule.  `RIGHT` and its like earn everything in the same way, so that a way that
pays nobody is noticed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

import msgspec
from msgspec import Struct

from scalebox.model import Verdict
from tests.hostile import catalogue
from tests.hostile.catalogue import CONTAINED, Program

#: By what a program writes; by calls of its function; by a text of asserts; by `check(candidate)`.
Way = Literal["stdio", "call", "assert", "check"]

#: Solves every task that Python's attackers of functions are put to.
RIGHT = """
import math

def ordered(numbers): return sorted(numbers)
def half(number: float) -> float: return number / 2
def root(number): return number ** 0.5
def middle(numbers): return sorted(numbers)[len(numbers) // 2]
def digits(number): return ["a", 7, 2.5][number]
def poly(coefficients, x): return coefficients[0] + coefficients[1] * x
def find_zero(coefficients): return -coefficients[0] / coefficients[1]
"""
#: Writes what the attackers of standard output should.
RIGHT_WRITTEN = {
    "python": "print('con' 'tained')\n",
    "c": '#include <stdio.h>\nint main(void) { puts("con" "tained"); return 0; }\n',
    "cpp": '#include <iostream>\nint main() { std::cout << "con" "tained\\n"; }\n',
}
#: Attackers of functions that do their work, or part of it, while they are loaded.
_AT_IMPORT = (
    "closed_channel", "conftest_file", "exec_success", "exit_at_exit", "exit_at_import",
    "exit_hard_at_import", "forged_nonce", "inherited_channel", "kill_family", "patched_stdout",
    "pth_file", "sitecustomize_file", "success_marker",
)  # fmt: skip
#: Solves the samples, as it says: some of the cases, and never all.
_PARTLY = "hard_coded_samples"
_AT_ONCE = 4
#: Enough for whoever solves the tasks; several attackers take all that they get.
LIMIT_S = 1.0


class Attack(Struct, frozen=True, kw_only=True):
    """A program, and how it is tested.

    Attributes:
        name: of its file.
        way: in which of the following it is tested.
        language, source: of the program.
        answer: what it should write; its input is of no matter.
        function, calls: what is called, and a list of {args, expected}.
        tests, entry_point: a text of asserts, and the function that its `check` is called with.
        most: what it may earn, from 0 to 1.
    """

    name: str
    way: Way
    language: str
    source: str
    answer: str = CONTAINED
    function: str = ""
    calls: tuple[dict[str, Any], ...] = ()
    tests: str = ""
    entry_point: str = ""
    most: float = 0.0

    def solved(self) -> Attack:
        """The same tests for a program that solves the task."""
        source = RIGHT_WRITTEN[self.language] if self.way == "stdio" else RIGHT
        return msgspec.structs.replace(self, name="right", source=source, most=1.0)


#: Sends a program with its tests, and makes of the answer what a client makes of it: a share of 1.
Reward = Callable[[Attack], float]


def attacks(way: Way, languages: Sequence[str] = ("python",)) -> list[Attack]:
    """All that can be put to a way of testing, in these languages."""
    found = []
    for program in catalogue.programs():
        if program.kind == "hacking" and program.language in languages:
            found += _in_way(program, way)
    return found


def _in_way(program: Program, way: Way) -> list[Attack]:
    name = program.name.partition("/")[2]
    attack = Attack(name=name, way=way, language=program.language, source=program.source)
    header = program.header
    if way == "stdio":
        return [attack] if header.test == "stdio" or name in _AT_IMPORT else []
    if program.language != "python":
        return []
    ways = program.each_way()
    if header.test == "assert":
        if way != ("check" if header.entry_point else "assert"):
            return []
        one = ways["assert"]
    elif header.test == "function":
        one = ways[way]
    else:
        return []
    # Called weak in the report, and said in the header why it cannot be stopped.
    verdicts = [*header.verdict, *(v for e in one.header.at.values() for v in e.verdict or ())]
    most = 1.0 if Verdict.ACCEPTED in verdicts else 0.99 if name == _PARTLY else 0.0
    return [
        msgspec.structs.replace(
            attack,
            function=header.function,
            calls=header.calls,
            tests=one.header.tests,
            entry_point=one.header.entry_point,
            most=most,
        )
    ]


def overpaid(reward: Reward, wanted: Sequence[Attack]) -> dict[str, float]:
    """What attackers earn that they must not, and who solves the task does not earn."""
    solvers = {}
    for attack in wanted:
        task = (attack.language, attack.function, attack.tests)
        solvers.setdefault(task, attack.solved())
    programs = [*solvers.values(), *wanted]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        earned = list(pool.map(reward, programs))
    found = {}
    for program, share in zip(programs, earned, strict=True):
        right = program.name == "right"
        if share > program.most or (right and share < 1):
            name = f"right: {program.tests or program.function}" if right else program.name
            found[name] = share
    return found
