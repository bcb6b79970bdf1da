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


def verify(url: str, attack: Attack) -> float:
    """NeMo-Gym's reward, by what is written or by calls."""
    tests: dict[str, Any] = {"inputs": [""], "outputs": [attack.answer]}
    if attack.way == "call":
        tests = {
            "inputs": ["\n".join(map(json.dumps, call["args"])) for call in attack.calls],
            "outputs": [json.dumps(call["expected"]) for call in attack.calls],
            "fn_name": attack.function,
        }
    text = {"type": "output_text", "text": f"```python\n{attack.source}\n```"}
    said = ask(
        f"{url}/verify",
        {
            "response": {"output": [{"type": "message", "content": [text]}]},
            "verifier_metadata": {"unit_tests": tests},
        },
    )
    return float(said["reward"])


def execute_batch(url: str, attack: Attack) -> float:
    """As open-r1 does it: a script runs the program, and its last expression is the reward
    (src/open_r1/rewards.py)."""
    script = f"""
import subprocess
done = subprocess.run(
    ["python3", "-c", {attack.source!r}], capture_output=True, text=True, timeout={LIMIT_S * 4}
)
float(done.returncode == 0 and done.stdout.strip() == {attack.answer.strip()!r})
"""
    body = {"scripts": [script], "languages": ["python"], "timeout": 30, "request_timeout": 28}
    (item,) = ask(f"{url}/execute_batch", body)
    results = item["execution"]["results"] if item["execution"] else []
    return float(results[0]["text"]) if results else 0.0


def execute(url: str, attack: Attack) -> float:
    """NeMo-Skills' sandbox: what is written is compared by who asked."""
    said = ask(
        f"{url}/execute",
        {"generated_code": attack.source, "language": "python", "timeout": LIMIT_S * 4},
    )
    return float(said["process_status"] == "completed" and said["stdout"] == attack.answer)


THROUGH = [
    Through("sandboxfusion", "stdio", run_code, ("python", "c", "cpp")),
    Through("nemo_gym", "stdio", verify),
    Through("nemo_gym", "call", verify),
    Through("open_r1", "stdio", execute_batch),
    Through("nemo_skills", "stdio", execute),
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
