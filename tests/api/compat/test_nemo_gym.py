"""NeMo-Gym's `/verify`: a response of the Responses API, unit tests as LiveCodeBench has them."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import pytest

from tests.api.compat.asking import answered, ask
from tests.api.compat.cheats import CALL_CHEATS, STDIO_CHEATS

SUM = {"inputs": ["1 2", "20 30"], "outputs": ["3", "50"], "fn_name": None}
ADD = {"inputs": ["1\n2", "20\n30"], "outputs": ["3", "50"], "fn_name": "add"}
RIGHT = "a, b = map(int, input().split())\nprint(a + b)"


def body(text: str | None, tests: Any, **more: Any) -> dict[str, Any]:
    """As NeMo-Gym's agents ask: the response's `output_text` is no field of it."""
    content = [{"type": "output_text", "text": text, "annotations": []}]
    message = {"id": "m", "type": "message", "role": "assistant", "content": content}
    thought = {"id": "r", "type": "reasoning", "summary": [{"type": "summary_text", "text": "…"}]}
    return {
        "responses_create_params": {"input": [{"role": "user", "content": "Add."}], "tools": None},
        "response": {"id": "x", "output": [thought] if text is None else [thought, message]},
        "verifier_metadata": {"unit_tests": tests, "difficulty": "easy", "problem_id": 7},
        **more,
    }


def verify(url: str, program: str, tests: Any) -> dict[str, Any]:
    asked = body(f"Thus:\n```python\n{program}\n```\n", tests)
    said: dict[str, Any] = answered(f"{url}/nemo_gym/verify", asked)
    return said


def test_a_right_program_earns_one(url: str) -> None:
    said = verify(url, RIGHT, SUM)
    assert said["reward"] == 1.0
    assert said["result"] == [True, True]
    assert said["extracted_model_code"].strip() == RIGHT
    assert said["difficulty"] == "easy"
    assert said["unit_tests_time_taken"] > 0


def test_the_request_comes_back(url: str) -> None:
    asked = body("none", SUM, agent_ref={"name": "simple"})
    said = answered(f"{url}/nemo_gym/verify", asked)
    assert {name: said[name] for name in asked} == asked


@pytest.mark.parametrize(
    ("program", "tests", "result"),
    [
        ("print(3)", SUM, [True, -2]),
        ("print(input())", SUM, [-2]),
        ("1 / 0", SUM, [-4]),
        ("def f(", SUM, [-4]),
        ("def add(a, b): return a + b", ADD, [True, True]),
        (
            "class Solution:\n    def add(self, a: int, b: int) -> int: return a + b",
            ADD,
            [True, True],
        ),
        ("def add(a, b): return 3", ADD, [True, -2]),
        ("def sub(a, b): return 3", ADD, [-4]),
    ],
)
def test_results_are_livecodebenchs_numbers(
    url: str, program: str, tests: Any, result: list[Any]
) -> None:
    said = verify(url, program, tests)
    assert said["result"] == result
    assert said["reward"] == float(all(code is True for code in result))
    assert said["metadata"].get("error_code") == (None if said["reward"] else result[-1])


def test_a_program_that_is_too_slow(url: str) -> None:
    said = verify(url, "while True: pass", SUM)
    assert (said["reward"], said["result"]) == (0.0, [-3])


@pytest.mark.parametrize(
    "program",
    [
        "import sys\nfor line in sys.stdin.buffer: print(sum(map(int, line.split())))",
        "import sys\nprint(sum(map(int, sys.stdin.buffer.readlines()[0].split())))",
        "import sys\nread = sys.stdin.buffer.readline\nprint(sum(map(int, read().split())))",
        "import sys\nfor line in sys.stdin: print(sum(map(int, line.split())))",
        "import os\nprint(sum(map(int, os.read(0, 99).split())))",
        "import sys\nsys.stdout.buffer.write(str(sum(map(int, input().split()))).encode())",
        "x = 0\ndef f():\n    global x\n    x += sum(map(int, input().split()))\nf()\nprint(x)",
        "from __future__ import annotations\nprint(sum(map(int, input().split())))",
        "if __name__ == '__main__':\n    print(sum(map(int, input().split())))\n    exit()",
        "print(reduce(lambda a, b: a + b, map(int, sys.stdin.read().split())))",
    ],
)
def test_programs_that_stand_ins_for_standard_input_fail(url: str, program: str) -> None:
    """NVIDIA-NeMo/Gym#2824, and others of LiveCodeBench's ways: these are right."""
    assert verify(url, program, SUM)["reward"] == 1.0


def test_numbers(url: str) -> None:
    """NVIDIA-NeMo/Gym#2508: fractions within a millionth, whole numbers exactly, long ones too."""
    third = {"inputs": ["", ""], "outputs": ["0.333333333\n7", "0.333333333\n7"]}
    assert verify(url, "print(1 / 3)\nprint('7.0')", third)["reward"] == 1.0
    assert verify(url, "print(0.3334)\nprint(7)", third)["reward"] == 0.0
    large = {"inputs": [""], "outputs": ["0.5 5000000"]}
    assert verify(url, "print('0.5000000001', 5000000)", large)["reward"] == 1.0
    assert verify(url, "print(0.5, 5000001)", large)["reward"] == 0.0
    long = {"inputs": [""], "outputs": ["1" + "0" * 10_000]}
    assert verify(url, "print(10 ** 10_000)", long)["reward"] == 1.0
    floats = {"inputs": ["1"], "outputs": ["[0.1, 0.2]"], "fn_name": "f"}
    assert verify(url, "def f(n): return [0.1000000001, 0.2]", floats)["reward"] == 1.0
    assert verify(url, "def f(n): return [0.5, 0.2]", floats)["reward"] == 0.0


@pytest.mark.parametrize("text", [None, "", "  \n", "I do not know."])
def test_no_code_is_worth_nothing(url: str, text: str | None) -> None:
    said = answered(f"{url}/nemo_gym/verify", body(text, SUM))
    assert said["reward"] == 0.0
    assert said["extracted_model_code"] is None


def test_code_in_a_thought_does_not_count(url: str) -> None:
    text = f"<think>```python\n{RIGHT}\n```</think>I give up."
    assert answered(f"{url}/nemo_gym/verify", body(text, SUM))["reward"] == 0.0


def packed(document: Any) -> str:
    return base64.b64encode(zlib.compress(json.dumps(document).encode())).decode()


def test_packed_tests(url: str) -> None:
    tests = {
        "packed": packed({"inputs": SUM["inputs"], "outputs": SUM["outputs"]}),
        "fn_name": None,
    }
    assert verify(url, RIGHT, tests)["reward"] == 1.0
    assert verify(url, "print(3)", tests)["reward"] == 0.0


@pytest.mark.parametrize("name", STDIO_CHEATS)
def test_a_program_that_cheats_earns_nothing(url: str, name: str) -> None:
    said = verify(url, STDIO_CHEATS[name], SUM)
    assert said["reward"] == 0.0, said


@pytest.mark.parametrize("name", CALL_CHEATS)
def test_a_function_that_cheats_earns_nothing(url: str, name: str) -> None:
    said = verify(url, CALL_CHEATS[name], ADD)
    assert said["reward"] == 0.0, said


def test_what_is_no_test_is_no_reward(url: str) -> None:
    """Neither 0, which teaches something, nor 1, as for a list of none."""
    bomb = base64.b64encode(zlib.compress(bytes(300 << 20))).decode()
    deep = base64.b64encode(zlib.compress(b"[" * 1_000_000)).decode()
    for tests in (
        None, {}, {"inputs": [], "outputs": []}, {"inputs": ["1"], "outputs": []},
        {"inputs": ["x"], "outputs": ["1"], "fn_name": "f"}, {"packed": "%"}, {"packed": deep},
        {"packed": bomb}, {"inputs": 3, "outputs": 3},
    ):  # fmt: skip
        status, said = ask(f"{url}/nemo_gym/verify", body(f"```python\n{RIGHT}\n```", tests))
        assert status in (413, 422), (tests, said)
        assert "reward" not in said
