"""open-instruct's servers, asked as its verifiers and its tool ask."""

from __future__ import annotations

import base64
import json
import pickle
import zlib
from typing import Any

import pytest

from tests.api.compat.asking import answered, ask, leaving
from tests.api.compat.cheats import CALL_CHEATS, STDIO_CHEATS
from tests.api.compat.daemon import compat_daemon
from tests.daemons import until

ADD = "def add(a, b): return a + b"
ASSERTS = ["assert add(1, 2) == 3", "assert add(-1, 1) == 0", "assert add(0, 0) == 1"]
SUM = "print(sum(map(int, input().split())))"
SUMS = [{"input": "1 2\n", "output": "3\n"}, {"input": "2 2\n", "output": "5\n"}]


def graded(
    url: str, path: str, program: str, tests: Any, limit_s: float | str = 5.0
) -> dict[str, Any]:
    """As `CodeVerifier` asks."""
    said: dict[str, Any] = answered(
        f"{url}/open_instruct{path}",
        {"program": program, "tests": tests, "max_execution_time": limit_s},
    )
    assert len(said["results"]) == len(said["runtimes"])
    return said


def encoded(tests: Any) -> str:
    """As `encode_tests` does it."""
    return base64.b64encode(zlib.compress(pickle.dumps(tests))).decode()


@pytest.mark.parametrize("form", [list, json.dumps, encoded], ids=["list", "json", "pickle"])
def test_asserts_in_all_three_forms(url: str, form: Any) -> None:
    said = graded(url, "/test_program", ADD, form(ASSERTS))
    assert said["results"] == [1, 1, 0]
    assert said["runtimes"][2] == -1
    assert min(said["runtimes"][:2]) >= 0


@pytest.mark.parametrize("form", [list, json.dumps, encoded], ids=["list", "json", "pickle"])
def test_inputs_and_outputs_in_all_three_forms(url: str, form: Any) -> None:
    assert graded(url, "/test_program_stdio", SUM, form(SUMS))["results"] == [1, 0]


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_of_every_binary_protocol(url: str, protocol: int) -> None:
    shared = "1 2\n"
    tests = [
        {"input": shared, "output": "3", "extra": (1, 2.5, None, True, "x", [], {}, 10**20)},
        {"input": shared, "output": "4"},
    ]
    text = base64.b64encode(zlib.compress(pickle.dumps(tests, protocol))).decode()
    assert graded(url, "/test_program_stdio", SUM, text)["results"] == [1, 0]


@pytest.mark.parametrize("nothing", [[], "", "[]", None, encoded([])])
def test_no_tests_are_no_results(url: str, nothing: Any) -> None:
    assert graded(url, "/test_program", ADD, nothing)["results"] == []


class Evil:
    """What a pickle of a hostile sender does when it is loaded."""

    def __reduce__(self) -> Any:
        return exec, ("raise SystemExit(3)",)


@pytest.mark.parametrize(
    "text",
    [
        encoded([Evil()]),
        base64.b64encode(zlib.compress(b"cos\nsystem\n(S'true'\ntR.")).decode(),
        base64.b64encode(zlib.compress(pickle.dumps(["x"])[:-1])).decode(),
        base64.b64encode(zlib.compress(pickle.dumps(["x"]))[:-3]).decode(),
        base64.b64encode(b"no zlib").decode(),
        encoded({"not": "a list"}),
        encoded({(-1, -2): "no text as a key"}),
        # A place far out in the table of what was made: Python's own machine makes room for it.
        base64.b64encode(zlib.compress(b"\x80\x04]r\xff\xff\xff\x7fh\x00.")).decode(),
        "e !",
        "[1, 2",
    ],
)
def test_what_is_no_plain_data_is_refused(url: str, text: str) -> None:
    status, said = ask(f"{url}/open_instruct/test_program", {"program": ADD, "tests": text})
    assert status == 422
    assert said["detail"][0]["loc"] == ["body", "tests"]


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = base64.b64encode(zlib.compress(bytes(64 << 20))).decode()
    steps = base64.b64encode(zlib.compress(b"\x80\x04" + b"]" * 600_000 + b".")).decode()
    with compat_daemon({"open_instruct": "/"}, server={"max_request_bytes": 1 << 20}) as (_, url):
        for text in (bomb, steps):
            status, said = ask(f"{url}/test_program", {"program": ADD, "tests": text})
            assert status == 413
            assert "more than" in said["detail"]


def test_the_rule_for_outputs(url: str) -> None:
    tests = [
        {"input": "", "output": output}
        for output in ("1.0  2\nx", " 1 2\n x \n\n", "1 2", "1 2\ny", "1\n2\nx", "1 2.0001\nx")
    ]
    said = graded(url, "/test_program_stdio", "print('1 2.0\\nx')", tests)
    assert said["results"] == [1, 1, 0, 0, 0, 0]


def test_programs_find_what_they_rely_on(url: str) -> None:
    program = "a: List[int] = list(map(int, input().split()))\nprint(gcd(*a), Counter(a)[1])"
    assert graded(url, "/test_program_stdio", program, [{"input": "4 6", "output": "2 0"}])[
        "results"
    ] == [1]
    program = "from __future__ import annotations\nimport os\nprint(os.getpid() > 0)"
    assert graded(url, "/test_program_stdio", program, [{"input": "", "output": "True"}])[
        "results"
    ] == [1]


def test_a_program_that_does_not_parse_passes_nothing(url: str) -> None:
    for path, tests in (("/test_program", ASSERTS), ("/test_program_stdio", SUMS)):
        said = graded(url, path, "def add(a, b) return", tests)
        assert said == {"results": [0] * len(tests), "runtimes": [-1] * len(tests)}


def test_an_endless_program_costs_its_own_test_alone(url: str) -> None:
    tests = [{"input": "1 2\n", "output": ""}, {"input": "2 2", "output": "4"}]
    program = "n = input()\nwhile n == '1 2': pass\nprint(4)"
    said = graded(url, "/test_program_stdio", program, tests, limit_s=0.5)
    assert said["results"] == [0, 1]


def test_wrong_kinds_of_tests_are_named(url: str) -> None:
    for path, tests in (
        ("/test_program", [{"input": "", "output": ""}]),
        ("/test_program_stdio", ["assert True"]),
        ("/test_program_stdio", [{"input": ""}]),
    ):
        status, said = ask(f"{url}/open_instruct{path}", {"program": "", "tests": tests})
        assert status == 422
        assert "tests[0]" in said["detail"][0]["msg"]


@pytest.mark.parametrize("cheat", STDIO_CHEATS)
def test_cheats_on_outputs_earn_nothing(url: str, cheat: str) -> None:
    tests = [{"input": "20 22", "output": "42"}] * 2
    assert graded(url, "/test_program_stdio", STDIO_CHEATS[cheat], tests)["results"] == [0, 0]


@pytest.mark.parametrize("cheat", CALL_CHEATS)
def test_cheats_on_asserts_earn_nothing(url: str, cheat: str) -> None:
    tests = ["assert add(20, 22) == 42", "assert add(1, 2) == 3"]
    assert graded(url, "/test_program", CALL_CHEATS[cheat], tests)["results"] == [0, 0]


def test_the_tool_gets_the_output(url: str) -> None:
    path = f"{url}/open_instruct/execute"
    assert answered(path, {"code": "print(6 * 7)", "timeout": 3}) == {
        "output": "42\n",
        "error": None,
        "success": True,
    }
    said = answered(path, {"code": "print(1)\n1 / 0", "timeout": None})
    assert (said["output"], said["success"]) == ("", False)
    assert "ZeroDivisionError" in said["error"]
    said = answered(path, {"code": "import time\ntime.sleep(60)", "timeout": 1})
    assert said == {
        "output": "",
        "error": "Execution timed out after 1 seconds",
        "success": False,
    }


def test_limits_that_are_no_numbers_are_the_least_there_is(url: str) -> None:
    said = graded(url, "/test_program", "while True: pass", ASSERTS[:1], "nan")
    assert said["results"] == [0]


def test_health(url: str) -> None:
    assert answered(f"{url}/open_instruct/health") == {"status": "healthy"}


def test_an_overfull_queue_is_waited_for() -> None:
    with compat_daemon({"open_instruct": "/"}, engine={"max_queued_cases": 2}) as (daemon, url):
        endless = {
            "program": "while True: pass",
            "tests": ASSERTS[:1] * 2,
            "max_execution_time": 2,
        }
        with leaving(f"{url}/test_program", endless):
            until(lambda: any(slot.state == "busy" for slot in daemon.status().slots))
            said = answered(f"{url}/test_program", {"program": ADD, "tests": ASSERTS[:2]})
        assert said["results"] == [1, 1]


def test_what_cannot_be_done_in_time_is_an_error_and_no_zeros() -> None:
    with compat_daemon(
        {"open_instruct": "/"}, sandbox={"slots": 1}, limits={"max_cpu_time_s": 600.0}
    ) as (daemon, url):
        endless = {
            "program": "while True: pass",
            "tests": ASSERTS[:1] * 4,
            "max_execution_time": 20.0,
        }
        with leaving(f"{url}/test_program", endless):
            until(lambda: any(slot.state == "busy" for slot in daemon.status().slots))
            # Its client waits 30 s, and the slot is taken for longer.
            status, said = ask(f"{url}/test_program", {"program": ADD, "tests": ASSERTS})
        assert status == 504
        assert "deadline" in said["detail"]
        daemon.wait_until_idle()
