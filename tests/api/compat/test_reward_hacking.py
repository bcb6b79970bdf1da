"""Programs that attack rewards, through every protocol that judges: they earn nothing.

What a client makes of an answer is said here as the clients do it.  Where a protocol only runs
programs, and its client has put asserts after them, there is nothing to hold: `docs/compat.md` says
what remains possible, and here it is shown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pytest

from scalebox.api.compat.protocols import PROTOCOLS
from tests.api.compat import ways
from tests.hostile import rewards
from tests.hostile.rewards import Attack, Way


@dataclass(frozen=True)
class Through:
    """A way through a protocol.

    Attributes:
        protocol: its name.
        way: how programs are tested.
        reward: what its client makes of the answer; gets the protocol's URL.
        languages: in which attacks are sent.
    """

    protocol: str
    way: Way
    reward: Callable[[str, Attack], float]
    languages: tuple[str, ...] = ("python",)

    def __str__(self) -> str:
        return f"{self.protocol}-{self.reward.__name__}-{self.way}"


#: Languages of those attacks that are not functions.
ALL = ("python", "c", "cpp")

THROUGH = [
    Through("sandboxfusion", "stdio", ways.sandboxfusion, ALL),
    Through("common_evaluate", "stdio", ways.common_evaluate, ALL),
    Through("common_evaluate", "call", ways.common_evaluate),
    Through("common_evaluate", "assert", ways.common_evaluate),
    Through("common_evaluate", "check", ways.common_evaluate),
    Through("code_judge", "stdio", ways.code_judge, ("python", "cpp")),
    Through("open_instruct", "stdio", ways.open_instruct),
    Through("open_instruct", "assert", ways.open_instruct),
    Through("open_instruct", "check", ways.open_instruct),
    Through("piston", "stdio", ways.piston, ALL),
    Through("piston", "stdio", ways.codeforces, ("python", "cpp")),
    Through("judge0", "stdio", ways.judge0, ALL),
    Through("openrlhf", "stdio", ways.openrlhf, ALL),
    Through("openrlhf", "call", ways.openrlhf),
    Through("openrlhf", "assert", ways.openrlhf),
    Through("openrlhf", "check", ways.openrlhf),
    Through("slime", "stdio", ways.slime, ALL),
    Through("slime", "call", ways.slime),
    Through("nemo_gym", "stdio", ways.nemo_gym),
    Through("nemo_gym", "call", ways.nemo_gym),
    Through("nemo_skills", "stdio", ways.nemo_skills),
    Through("open_r1", "stdio", ways.open_r1),
]


@pytest.mark.parametrize("through", THROUGH, ids=str)
def test_only_who_solves_the_task_is_paid(url: str, through: Through) -> None:
    wanted = rewards.attacks(through.way, through.languages)
    assert len(wanted) > 10
    reward = partial(through.reward, f"{url}/{through.protocol}")
    assert rewards.overpaid(reward, wanted) == {}


def test_no_protocol_is_left_out() -> None:
    assert {through.protocol for through in THROUGH} == {one.name for one in PROTOCOLS}


@pytest.mark.parametrize(
    "program", ["import os; os._exit(0)", "class Any(list):\n    __eq__ = lambda *_: True"]
)
def test_asserts_that_a_client_puts_after_a_program_hold_nothing(url: str, program: str) -> None:
    code = f"{program}\nassert Any() == [1]\n"
    said = ways.ask(f"{url}/sandboxfusion/run_code", {"code": code, "language": "python"})
    assert said["status"] == "Success"
