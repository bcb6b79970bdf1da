"""Programs that attack rewards, through every protocol that judges: they earn nothing.

What a client makes of an answer is said here as the clients do it.  Where a protocol only runs
programs, and its client has put asserts after them, there is nothing to hold: `docs/compat.md` says
what remains possible, and here it is shown.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from scalebox.api.compat.protocols import PROTOCOLS
from tests.hostile import rewards
from tests.hostile.rewards import LIMIT_S, Attack, Way

#: Protocols that have no programs: they are asked for something else.
WITHOUT_PROGRAMS: set[str] = set()


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
        return f"{self.protocol}-{self.way}"


def ask(url: str, body: Any) -> Any:
    """POST as JSON, and the answer's JSON."""
    asked = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(asked, timeout=120) as answer:
        return json.load(answer)


def run_code(url: str, attack: Attack) -> float:
    """As verl does it: ended well, and wrote what is expected but for the last line feeds
    (verl/utils/reward_score/sandbox_fusion/utils.py)."""
    said = ask(
        f"{url}/run_code",
        {"code": attack.source, "language": attack.language, "run_timeout": LIMIT_S},
    )
    if said["status"] != "Success":
        return 0.0
    return float(said["run_result"]["stdout"].rstrip("\n") == attack.answer.rstrip("\n"))


THROUGH = [
    Through("sandboxfusion", "stdio", run_code, ("python", "c", "cpp")),
]


@pytest.mark.parametrize("through", THROUGH, ids=str)
def test_only_who_solves_the_task_is_paid(url: str, through: Through) -> None:
    wanted = rewards.attacks(through.way, through.languages)
    assert len(wanted) > 10
    reward = partial(through.reward, f"{url}/{through.protocol}")
    assert rewards.overpaid(reward, wanted) == {}


def test_no_protocol_is_left_out() -> None:
    names = {protocol.name for protocol in PROTOCOLS}
    assert {through.protocol for through in THROUGH} | WITHOUT_PROGRAMS == names


@pytest.mark.parametrize(
    "program", ["import os; os._exit(0)", "class Any(list):\n    __eq__ = lambda *_: True"]
)
def test_asserts_that_a_client_puts_after_a_program_hold_nothing(url: str, program: str) -> None:
    code = f"{program}\nassert Any() == [1]\n"
    said = ask(f"{url}/sandboxfusion/run_code", {"code": code, "language": "python"})
    assert said["status"] == "Success"
