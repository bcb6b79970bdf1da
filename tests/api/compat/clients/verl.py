"""verl's reward for code, which asks SandboxFusion: it is told another URL, and no more."""

from __future__ import annotations

import json
import threading
from typing import Any

from bench.clients import Client, Served, import_alone

CLIENT = Client(
    "verl",
    alone="torch, ray and vLLM are gigabytes that its reward code never touches",
    requirements=("requests",),
)

_DOUBLE = "```python\nprint(int(input()) * 2)\n```"
_TESTS = {"inputs": ["1\n", "2\n", "3\n"], "outputs": ["2\n", "4", "6\n\n"]}


def score(served: Served, answer: str, tests: dict[str, Any]) -> float:
    """As verl's reward managers ask for it."""
    scores = import_alone("verl.utils.reward_score")
    found: float = scores.default_compute_score(
        "codecontests",
        answer,
        json.dumps(tests),
        sandbox_fusion_url=f"{served.url}/sandboxfusion/run_code",
        concurrent_semaphore=threading.Semaphore(64),
        memory_limit_mb=1024,
    )
    return found


def results(served: Served, code: str, tests: dict[str, Any], **more: Any) -> list[Any]:
    """One a test: True, False, -1 (the API), -2 (crashed), -3 (slow), -4 (no program)."""
    fusion = import_alone("verl.utils.reward_score.sandbox_fusion.utils")
    url = f"{served.url}/sandboxfusion/run_code"
    found: list[Any] = fusion.check_correctness(url, tests, code, **more)[0]
    return found


def check_default_compute_score(served: Served) -> None:
    """`default_compute_score`: a right answer, a wrong one, one half right, and no code."""
    assert score(served, _DOUBLE, _TESTS) == 1.0
    assert score(served, _DOUBLE.replace("* 2", "* 3"), _TESTS) == 0.0
    half = score(served, _DOUBLE.replace("* 2", "+ 2"), _TESTS)
    assert 0.33 < half < 0.34, half
    assert score(served, "I do not know.", _TESTS) == 0.0


def check_64_tests_at_once(served: Served) -> None:
    """64 tests of one program, a connection each, all at once."""
    tests = {"inputs": [str(n) for n in range(64)], "outputs": [str(2 * n) for n in range(64)]}
    found = results(served, "print(int(input()) * 2)", tests)
    assert found == [True] * 64, found


def check_every_kind_of_result(served: Served) -> None:
    """Every number that verl knows: wrong, crashed, slow, not compiled, not served."""
    tests = {"inputs": ["1"], "outputs": ["2"]}
    for code, language, result in (
        ("print(2)", "python", True),
        ("print(3)", "python", False),
        ("1 / 0", "python", -2),
        ("while 1: pass", "python", -3),
        ("import time; time.sleep(1000)", "python", -3),
        ("int main() { return x; }", "cpp", -4),
        ("select 2", "sql", -1),
    ):
        found = results(served, code, tests, language=language, timeout=1)
        assert found == [result], (code, found)


def check_functions(served: Served) -> None:
    """`fn_name`: functions and methods of `Solution`, called by verl's own wrapper."""
    tests = {"fn_name": "add", "inputs": ["1\n2", "3\n4"], "outputs": ["3", "7"]}
    assert results(served, "def add(a, b): return a + b", tests) == [True, True]
    method = "class Solution:\n    def add(self, a, b): return a + b"
    assert results(served, method, tests) == [True, True]
    assert results(served, "def add(a, b): return a - b", tests) == [False, False]


def check_asserts(served: Served) -> None:
    """`assert_case`: asserts after the program."""
    tests = {"assert_case": ["assert f(1) == 2", "assert f(2) == 5"]}
    found = score(served, "```python\ndef f(x): return 2 * x\n```", tests)
    assert found == 0.5, found


def check_cheating_earns_nothing(served: Served) -> None:
    """Programs that end early, forge an answer, or are equal to all: no reward."""
    for code in (
        "import os; os._exit(0)",
        "import sys; sys.exit(0)",
        'print(\'{"status": "Success"}\')',
        "import os\nfor fd in 1, 2, 3, 4, 5:\n  try: os.write(fd, b'True')\n  except OSError: pass",
        "class E(str):\n    __eq__ = lambda s, o: True\n    __hash__ = None\nprint(E('x'))",
        "import glob\nfor n in glob.glob('/**/*.txt', recursive=True)[:50]: print(n)",
    ):
        found = score(served, f"```python\n{code}\n```", _TESTS)
        assert found == 0.0, (code, found)


def check_the_tool(served: Served) -> None:
    """As `SandboxFusionTool` asks (verl 0.5.0:verl/tools/sandbox_fusion_tools.py)."""
    fusion = import_alone("verl.utils.reward_score.sandbox_fusion.utils")
    url = f"{served.url}/sandboxfusion/run_code"
    code = "import sys\nprint('out')\nprint('err', file=sys.stderr)"
    _, found = fusion._process_single_case(0, None, None, url, code, 30, 1024, "python")
    assert found["run_status"] == "Finished", found
    assert found["stdout"] + found["stderr"] == "out\nerr\n", found


def check_it_asks_again(served: Served) -> None:
    """Where the queue is full past its deadline verl asks again, and has its answer then."""
    from concurrent.futures import ThreadPoolExecutor

    from tests.api.compat.daemon import compat_daemon
    from tests.api.compat.fusion import ask
    from tests.daemons import until

    fusion = import_alone("verl.utils.reward_score.sandbox_fusion.utils")
    narrow = {"max_queued_cases": 1}
    with (
        compat_daemon({"sandboxfusion": "/sandboxfusion"}, engine=narrow) as (daemon, url),
        ThreadPoolExecutor(1) as pool,
    ):
        # Verl's deadline is the sum of both limits and 10 s: so 3 s here, twice.
        first = pool.submit(ask, url, {"code": "import time; time.sleep(4)", "run_timeout": 10})
        until(lambda: daemon.status().running_cases == 1)
        where = f"{url}/sandboxfusion/run_code"
        said, error = fusion.call_sandbox_api(where, "print(1)", None, -8, 1, 1024)
        assert error is None, error
        assert said["run_result"]["stdout"] == "1\n", said
        assert first.result()[0] == 200
        assert '"/sandboxfusion/run_code",status="504"' in daemon.get("/metrics")[1].decode()
