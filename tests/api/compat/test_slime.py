"""A remote reward model, asked as slime asks; labels and shapes are the same for both."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.api.compat.answers import ADD, CALLS, STDIO, SUM, said_by_a_model
from tests.api.compat.asking import answered, ask, leaving
from tests.api.compat.cheats import CALL_CHEATS, STDIO_CHEATS
from tests.api.compat.daemon import compat_daemon
from tests.daemons import until


def slime(url: str, code: str, label: Any, query: str = "") -> float:
    """As `remote_rm` asks: the answer is a bare number."""
    value = answered(
        f"{url}/slime{query}",
        {"prompt": "Add.", "response": said_by_a_model(code), "label": label},
    )
    assert isinstance(value, float)
    return value


@pytest.mark.parametrize(
    ("label", "right", "wrong"),
    [
        (STDIO, SUM, "print(3)"),
        (json.dumps(STDIO), SUM, "print(3)"),
        (CALLS, ADD, "def add(a, b): return 3"),
        ({**CALLS, "inputs": [[1, 2], [20, 22]], "outputs": [3, 42]}, ADD, "add = max"),
        (["assert add(1, 2) == 3"], "def add(a, b): return a + b", "add = max"),
        (
            {"type": "stdio", "cases": [{"input": "1 2", "answer": "3"}]},
            SUM,
            "print(4)",
        ),
        (
            {"tests": {"type": "call", "function": "f", "cases": [{"args": [1], "expected": 2}]}},
            "def f(x): return 2 * x",
            "def f(x): return x",
        ),
    ],
)
def test_the_forms_of_labels(url: str, label: Any, right: str, wrong: str) -> None:
    assert slime(url, right, label) == 1.0
    assert slime(url, wrong, label) == 0.0


def test_a_registered_problem(url: str) -> None:
    tests = {"type": "stdio", "cases": [{"input": "1 2", "answer": "3"}]}
    status, _ = ask(f"{url}/v1/problems/sum", {"tests": tests}, method="PUT")
    assert status == 200
    assert slime(url, SUM, "sum") == 1.0
    assert slime(url, "print(4)", {"problem": "sum"}) == 0.0
    status, _ = ask(f"{url}/slime", {"response": said_by_a_model(SUM), "label": "nowhere"})
    assert status == 404


def test_the_shape_is_in_the_url(url: str) -> None:
    half = "a, b = map(int, input().split())\nprint(3)"
    assert slime(url, half, STDIO) == 0.0
    assert slime(url, half, STDIO, "?kind=fraction") == 0.5
    assert slime(url, half, STDIO, "?kind=fraction&max_cases=1") == 1.0
    for query in ("?kind=generous", "?max_cases=0", "?max_cases=x", "?internal_error=zero"):
        status, said = ask(f"{url}/slime{query}", {"response": "", "label": STDIO})
        assert status == 422
        assert said["detail"][0]["loc"] == ["body", "url"]


@pytest.mark.parametrize("cheat", STDIO_CHEATS)
def test_cheats_on_outputs_earn_nothing(url: str, cheat: str) -> None:
    label = {"inputs": ["20 22"] * 2, "outputs": ["42"] * 2}
    assert slime(url, STDIO_CHEATS[cheat], label, "?kind=fraction") == 0.0


@pytest.mark.parametrize("cheat", CALL_CHEATS)
def test_cheats_on_calls_earn_nothing(url: str, cheat: str) -> None:
    assert slime(url, CALL_CHEATS[cheat], CALLS, "?kind=fraction") == 0.0


def test_a_judge_that_fails_is_no_reward(url: str) -> None:
    label = {
        "type": "stdio",
        "cases": [{"input": "", "answer": ""}],
        "judge": {"type": "function", "source": "def judge(input, output, answer): 1 / 0"},
    }
    status, said = ask(f"{url}/slime", {"response": said_by_a_model("print(1)"), "label": label})
    assert status == 500
    assert "judge_error" in said["detail"]


def test_an_overfull_queue_is_waited_for() -> None:
    with compat_daemon({"slime": "/rm"}, engine={"max_queued_cases": 2}) as (daemon, url):
        endless = {"response": said_by_a_model("while True: pass"), "label": STDIO}
        endless["label"] = {**STDIO, "limits": {"cpu_time_s": 1.5}}
        with leaving(f"{url}/rm", endless):
            until(lambda: any(slot.state == "busy" for slot in daemon.status().slots))
            body = {"response": said_by_a_model(SUM), "label": STDIO}
            assert answered(f"{url}/rm", body) == 1.0
        assert daemon.wait_until_idle().queued_cases == 0
