"""The original ScaleBox's `/common_evaluate*`, asked as its clients ask."""

from __future__ import annotations

import contextlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.api.compat.asking import ask
from tests.api.compat.daemon import compat_daemon
from tests.api.compat.evaluating import ADD, CHECK, IS_PRIME, SUM, SUMS, body_of, passed, stdio


@pytest.fixture(scope="module")
def batch(url: str) -> str:
    return f"{url}/common_evaluate/common_evaluate_batch"


def judged(where: str, body: Any) -> Any:
    status, answer = ask(where, body)
    assert status == 200, answer
    return answer


def test_the_readmes_example_is_answered_field_by_field(batch: str) -> None:
    answer = judged(batch, body_of(SUM, SUMS, run_all_cases=True))
    assert answer["id"] == 0
    assert answer["accepted"] is True
    assert answer["extracted_code"] == SUM
    assert answer["full_code"] is answer["test_code"] is answer["extracted_type"] is None
    first = answer["tests"][0]
    assert first["passed"] is True
    assert first["test_info"] == {"input": {"stdin": "1 2"}, "output": {"stdout": "3"}}
    info = first["exec_info"]
    assert info["status"] == "Success"
    assert info["compile_result"] is info["executor_pod_name"] is None
    assert info["files"] == {}
    for measured in ("execution_time", "cpu_time"):
        assert info["run_result"].pop(measured) > 0
    assert info["run_result"] == {
        "status": "Finished", "return_code": 0, "stdout": "3\n", "stderr": "",
    }  # fmt: skip
    assert answer["extra"]["integrity"] == "strong"


def test_what_verls_client_sends(batch: str) -> None:
    """Both limits, every case, a total: the shape of integrations/verl/scalebox.py."""
    body = body_of("print(3)", SUMS, run_all_cases=True, total_timeout=30)
    body["config"] |= {"compile_timeout": 30, "run_timeout": 30, "memory_limit_mb": 1024}
    answer = judged(batch, body)
    assert answer["accepted"] is False
    assert passed(answer) == [True, False]


def test_without_run_all_cases_the_first_failure_is_the_last(batch: str) -> None:
    answer = judged(batch, body_of("print(3)", stdio(("", "3"), ("", "4"), ("", "3"))))
    assert passed(answer) == [True, False]


def test_one_by_one_the_tests_are_a_list(url: str) -> None:
    where = f"{url}/common_evaluate/common_evaluate"
    cases: list[dict[str, Any]] = [
        {"type": "stdin_stdout", "input": "1 2", "output": "3"},
        {"type": "stdin_stdout", "input": "3 4", "output": "7"},
    ]
    assert judged(where, body_of(SUM, cases))["accepted"] is True
    body = body_of(SUM, cases)
    body["config"]["provided_data"] = {
        "test": [{"input": {"stdin": "1 2"}, "output": {"stdout": "3"}}]
    }
    assert judged(where, body)["accepted"] is True


@pytest.mark.parametrize(
    ("answer", "output", "right"),
    [
        ("YES", "yes", True),
        ("1 2\n", " 1 2\n\n", True),
        # The original takes a text's beginning, and near integers.
        ("1\n2\n3", "1\n2", False),
        ("1\n2", "1\n2\n3", False),
        ("1000000007", "1000000008", False),
        ("1000000007\n0.5", "1000000008\n0.5", False),
        ("1000000007\n0.5", "1000000007\n0.500001", True),
        ("0.5", "0.500001", True),
        ("0.5", "0.51", False),
        ("YES\n0.5", "yes\n0.50", True),
        ("3 0.5", "4 0.5", False),
        ("0.5", "nan", False),
        ("", "1", False),
    ],
)
def test_how_answers_are_compared(batch: str, answer: str, output: str, right: bool) -> None:
    found = judged(batch, body_of(f"print({output!r})", stdio(("", answer))))
    assert found["accepted"] is right
    assert passed(found) == [right]


def test_functions_are_called(batch: str) -> None:
    answer = judged(batch, body_of("def add(a, b):\n    return a + b", ADD, run_all_cases=True))
    assert answer["accepted"] is True
    assert answer["tests"][0]["test_info"] == {"type": "function_call", "fn_name": "add"}
    answer = judged(batch, body_of("def add(a, b):\n    return 3", ADD, run_all_cases=True))
    assert passed(answer) == [True, False]
    wrong = answer["tests"][1]["exec_info"]
    assert wrong["status"] == "Failed"
    assert wrong["run_result"]["return_code"] == 1


def test_a_solution_has_the_names_that_its_site_imports(batch: str) -> None:
    code = (
        "from __future__ import annotations\n"
        "class Solution:\n"
        "    def add(self, a: List, b: int) -> int:\n"
        "        return sum(deque([a, b]))"
    )
    assert judged(batch, body_of(code, ADD))["accepted"] is True


def test_arguments_may_be_json_in_lines(batch: str) -> None:
    cases = {
        "fn_name": "total", "json_input": True, "type": "function_call",
        "input": ["[1, 2]\n12345678901234567890"], "output": ["12345678901234567893"],
    }  # fmt: skip
    code = "def total(values, more):\n    return sum(values) + more"
    assert judged(batch, body_of(code, cases))["accepted"] is True


def test_functions_of_other_languages_are_called(batch: str) -> None:
    code = "int add(int a, int b) { return a + b; }"
    answer = judged(batch, body_of(code, ADD, language="cpp"))
    assert answer["accepted"] is True, answer
    assert answer["tests"][0]["exec_info"]["compile_result"]["return_code"] == 0


def test_asserts_as_humaneval_has_them(batch: str) -> None:
    assert judged(batch, body_of(IS_PRIME, CHECK))["accepted"] is True
    wrong = judged(batch, body_of("def is_prime(n):\n    return True", CHECK))
    assert wrong["accepted"] is False
    typed = "def is_prime(n: int) -> Optional[bool]:\n    return bool(np.isin(n, [101]))"
    assert judged(batch, body_of(typed, CHECK))["accepted"] in (True, False)


def test_asserts_as_multipl_e_has_them(batch: str) -> None:
    tests = {
        "type": "assert",
        "tests": "}\nint main() {\n  auto candidate = twice;\n  assert(candidate(2) == 4);\n}\n",
        "stop_tokens": ["\n}"],
    }
    right = (
        "#include <bits/stdc++.h>\nusing namespace std;\n"
        "int half(int n) {\n    return n / 2;\n}\n"
        "int twice(int n) {\n    if (half(n)) {\n        n *= 2;\n    }\n    return n;\n}\n"
        'int main() {\n    cout << "}" << twice(3);\n}\n'
    )
    answer = judged(batch, body_of(right, tests, language="cpp"))
    assert answer["accepted"] is True, answer
    wrong = judged(batch, body_of(right.replace("*=", "+="), tests, language="cpp"))
    assert wrong["accepted"] is True  # 2 + 2
    wrong = judged(batch, body_of(right.replace("*= 2", "*= 3"), tests, language="cpp"))
    assert wrong["accepted"] is False
    bare = "int twice(int n) {\n    return max(n, 2 * n);\n}"
    assert judged(batch, body_of(bare, tests, language="cpp"))["accepted"] is True


def test_a_special_judge_of_the_originals(batch: str) -> None:
    """The README's: input in stdin.txt, the jury's in stdout.txt, the program's in answer.txt."""
    judge = (
        "import sys\n"
        "a, b = map(int, open('answer.txt').read().split())\n"
        "sys.exit(0 if a + b == int(open('stdin.txt').read()) else 1)\n"
    )
    extra: dict[str, Any] = {
        "run_all_cases": True, "special_judge_program": judge, "special_judge_language": "python",
    }  # fmt: skip
    tests = stdio(("3", "1 2"), ("7", "3 4"))
    right = "c = int(input())\nprint(c - 1, 1)"
    assert judged(batch, body_of(right, tests, **extra))["accepted"] is True
    wrong = judged(batch, body_of("print(1, 2)", tests, **extra))
    assert passed(wrong) == [True, False]


def test_a_checker_for_testlib(batch: str) -> None:
    checker = (
        '#include "testlib.h"\n'
        "int main(int argc, char *argv[]) {\n"
        "    registerTestlibCmd(argc, argv);\n"
        "    int n = inf.readInt(), a = ouf.readInt(), b = ouf.readInt();\n"
        '    if (a + b != n) quitf(_wa, "%d", a + b);\n'
        '    quitf(_ok, "right");\n'
        "}\n"
    )
    extra: dict[str, Any] = {
        "special_judge_program": checker, "special_judge_language": "cpp",
        "force_special_judge": True,
    }  # fmt: skip
    assert judged(batch, body_of("print(4, 6)", stdio(("10", "5 5")), **extra))["accepted"] is True
    assert judged(batch, body_of("print(4, 5)", stdio(("10", "5 5")), **extra))["accepted"] is False


def test_a_judge_that_fails_is_no_wrong_answer(batch: str) -> None:
    broken: dict[str, Any] = {
        "special_judge_program": "import sys\nsys.exit(5)",
        "run_all_cases": True,
    }
    status, answer = ask(batch, body_of("print(1)", stdio(("", "1")), **broken))
    assert status == 500
    assert "the judge failed" in answer["detail"]


def test_a_program_that_does_not_compile(batch: str) -> None:
    body = body_of("int main() { return x; }", SUMS, language="cpp", run_all_cases=True)
    answer = judged(batch, body)
    assert answer["accepted"] is False
    assert passed(answer) == [False, False]
    info = answer["tests"][0]["exec_info"]
    assert info["status"] == "Failed"
    assert info["run_result"] is None
    assert info["compile_result"]["return_code"] == 1
    assert "x" in info["compile_result"]["stderr"]


def test_a_program_that_is_too_slow(batch: str) -> None:
    body = body_of("while True: pass", stdio(("", "1")))
    body["config"]["run_timeout"] = 0.3
    info = judged(batch, body)["tests"][0]["exec_info"]
    assert info["status"] == "Failed"
    assert info["run_result"]["status"] == "TimeLimitExceeded"
    assert info["run_result"]["return_code"] is None


def test_a_program_that_fails(batch: str) -> None:
    info = judged(batch, body_of("raise SystemExit(3)", stdio(("", ""))))["tests"][0]["exec_info"]
    assert info["status"] == "Failed"
    assert info["run_result"]["return_code"] == 3


def test_the_memory_limit_is_kept(batch: str) -> None:
    body = body_of("x = bytearray(400 << 20)\nprint(len(x))", stdio(("", str(400 << 20))))
    body["config"]["memory_limit_mb"] = 1024
    assert judged(batch, body)["accepted"] is True
    body["config"]["memory_limit_mb"] = 128
    assert judged(batch, body)["accepted"] is False


def test_total_timeout_ends_what_has_had_its_time() -> None:
    """Cases that were not run count as failed once the others took so long; else it is 504."""
    tests = stdio(*[("", "1")] * 200)
    body = body_of("while True: pass", tests, run_all_cases=True, total_timeout=0.2)
    # Its client waits for both limits and ten seconds; one slot needs forty for so many cases.
    body["config"] |= {"run_timeout": 0.2, "compile_timeout": 0.1}
    with compat_daemon({"common_evaluate": "/"}, sandbox={"slots": 1}) as (_, where):
        answer = judged(f"{where}/common_evaluate_batch", body)
    assert answer["accepted"] is False
    assert passed(answer) == [False] * 200
    last = answer["tests"][-1]["exec_info"]
    assert (last["status"], last["message"]) == ("SandboxError", "Total Timeout")
    assert answer["tests"][0]["exec_info"]["run_result"]["status"] == "TimeLimitExceeded"


def test_what_was_not_done_in_time_for_others_is_asked_again() -> None:
    """With all slots taken nothing is known about the program: 504, before the client gives up."""
    with compat_daemon({"common_evaluate": "/"}, sandbox={"slots": 1}) as (_, where):
        url = f"{where}/common_evaluate_batch"
        hog = body_of("while True: pass", stdio(("", "1")))
        hog["config"]["run_timeout"] = 60

        def occupy() -> None:
            with contextlib.suppress(TimeoutError):
                ask(url, hog, patience_s=20)

        thread = threading.Thread(target=occupy)
        thread.start()
        while not ask(f"{where}/v1/status")[1]["running_cases"]:
            time.sleep(0.05)
        body = body_of("print(1)", stdio(("", "1")), run_all_cases=True, total_timeout=0.1)
        body["config"] |= {"run_timeout": 0.1, "compile_timeout": 0.1}
        status, answer = ask(url, body)
        assert status == 504, answer
        assert "ask again" in answer["detail"]
        thread.join()


def test_what_finds_the_queue_full_is_held() -> None:
    """Its clients know no 429: they wait, and all of them are answered."""
    tables: dict[str, Any] = {"sandbox": {"slots": 1}, "engine": {"max_queued_cases": 4}}
    with compat_daemon({"common_evaluate": "/"}, **tables) as (_, where):
        body = body_of(SUM, stdio(*[("1 2", "3")] * 3), run_all_cases=True)
        with ThreadPoolExecutor(12) as pool:
            answers = list(pool.map(ask, [f"{where}/common_evaluate_batch"] * 24, [body] * 24))
    assert [status for status, _ in answers] == [200] * 24
    assert all(passed(answer) == [True] * 3 for _, answer in answers)


def test_who_goes_away_takes_the_work_along() -> None:
    with compat_daemon({"common_evaluate": "/"}, sandbox={"slots": 1}) as (_, where):
        slow = body_of("while True: pass", stdio(*[("", "1")] * 20), run_all_cases=True)
        with pytest.raises(TimeoutError):
            ask(f"{where}/common_evaluate_batch", slow, patience_s=1)
        while ask(f"{where}/v1/status")[1]["running_cases"]:
            time.sleep(0.05)
        assert ask(f"{where}/common_evaluate_batch", body_of(SUM, SUMS))[0] == 200


def test_thousands_of_cases_are_one_request(batch: str) -> None:
    answer = judged(batch, body_of(SUM, stdio(*[("1 2", "3")] * 1500), run_all_cases=True))
    assert answer["accepted"] is True
    assert passed(answer) == [True] * 1500


def test_a_completion_without_code_is_no_program(batch: str) -> None:
    """An empty one would print nothing, which some tests expect."""
    body = body_of("", stdio(("", ""), ("", "")), run_all_cases=True)
    body["completion"] = "I cannot solve this."
    answer = judged(batch, body)
    assert answer["accepted"] is False
    assert passed(answer) == [False, False]
    assert answer["extracted_code"] == ""
    assert answer["extracted_type"] == "empty"


def test_the_first_block_of_the_language_is_the_program(batch: str) -> None:
    body = body_of("", SUMS)
    body["completion"] = (
        f"<think>```python\nprint(0)\n```</think>\n```text\n1 2\n```\n```python\n{SUM}\n```\n"
        "```python\nprint('an example')\n```"
    )
    assert judged(batch, body)["accepted"] is True


LOGIC = """
import re
code = "\\n".join(re.findall("^> (.*)$", completion, re.M))
submit_code_blocks([CodeBlock(priority=40, code="nothing", language="cpp")])
submit_code_blocks([CodeBlock(priority=40, code=code, language="python")])
"""


def test_code_of_the_clients_finds_the_program(batch: str) -> None:
    body = body_of("print(0)", SUMS)
    quoted = "".join(f"> {line}\n" for line in SUM.splitlines())
    body["completion"] += f"\nNo, it is\n{quoted}"
    assert judged(batch, body)["extracted_code"] == "print(0)"
    body["config"]["custom_extract_logic"] = LOGIC
    answer = judged(batch, body)
    assert answer["accepted"] is True
    assert answer["extracted_code"] == SUM
    body["config"]["custom_extract_logic"] = LOGIC.replace("40", "20")  # less than a fence has
    assert judged(batch, body)["extracted_code"] == "print(0)"
    body["config"]["custom_extract_logic"] = "submit_code_blocks([])"
    assert judged(batch, body)["extracted_code"] == "print(0)"
    body["completion"] = "nothing"
    assert judged(batch, body)["extracted_type"] == "empty"


@pytest.mark.parametrize(
    "logic",
    [
        "import os\nos._exit(0)",
        "while True: pass",
        "submit_code_blocks = None",
        "open('blocks.json', 'w').write('[[[')\nimport os\nos._exit(0)",
        "x = []\nwhile True: x.append(bytearray(1 << 24))",
        "def",
    ],
)
def test_code_of_the_clients_is_in_a_slot_of_its_own(batch: str, logic: str) -> None:
    body = body_of(SUM, SUMS)
    body["config"] |= {"custom_extract_logic": logic, "run_timeout": 60}
    status, answer = ask(batch, body)
    assert status in (200, 422), answer
    assert status == 422 or answer["extracted_code"] == SUM


HACKS = {
    "os._exit": "import os\nos._exit(0)",
    "sys.exit": "import sys\nsys.exit(0)",
    "atexit": "import atexit, os\natexit.register(lambda: os._exit(0))\nraise ValueError",
    "an answer to everything": (
        "class Yes(str):\n    def __eq__(self, other): return True\nprint(Yes('?'))"
    ),
    "the look-alike of a report": "print('{\"accepted\": true, \"tests\": [{\"passed\": true}]}')",
    "files": (
        "import glob\n"
        "for path in glob.glob('/*/*.txt') + glob.glob('../*') + ['stdout.txt', 'answer.txt']:\n"
        "    try: print(open(path).read())\n"
        "    except OSError: pass\n"
    ),
    "nothing": "pass",
}  # fmt: skip


@pytest.mark.parametrize("name", HACKS)
def test_no_reward_without_solving_the_task(batch: str, name: str) -> None:
    answer = judged(batch, body_of(HACKS[name], SUMS, run_all_cases=True))
    assert answer["accepted"] is False
    assert passed(answer) == [False, False]


@pytest.mark.parametrize(
    "body",
    [
        "import os\nos._exit(0)",
        "import sys\nsys.exit(0)",
        "return Yes()",
        "import sys\nsys._getframe(1).f_globals.clear()\nreturn Yes()",
        "raise SystemExit(0)",
    ],
)
@pytest.mark.parametrize("tests", [ADD, CHECK], ids=["function_call", "assert"])
def test_no_reward_from_within_a_function(batch: str, tests: Any, body: str) -> None:
    name = tests.get("fn_name") or tests["entry_point"]
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    code = (
        "class Yes:\n"
        "    def __eq__(self, other): return True\n"
        "    def __bool__(self): return True\n"
        f"def {name}(*args):\n{lines}"
    )
    answer = judged(batch, body_of(code, tests, run_all_cases=True))
    assert answer["accepted"] is False
    assert not any(passed(answer))
