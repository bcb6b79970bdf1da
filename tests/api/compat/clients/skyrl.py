"""SkyRL-agent's code that asks SandboxFusion: it is told another host, and no more."""

from __future__ import annotations

import os
import sys
from types import ModuleType
from urllib.parse import urlsplit

from bench.clients import Client, Served, import_alone

CLIENT = Client(
    "skyrl",
    alone="torch, ray and vLLM are gigabytes that its verifiers never touch",
    requirements=("requests", "pydantic", "python-dotenv"),
)


def verifiers(name: str) -> ModuleType:
    """A module of SkyRL-agent, which SkyRL's wheel brings in a folder of its own."""
    for folder in list(sys.path):
        inner = os.path.join(folder, "skyrl-agent")
        if os.path.isdir(inner) and inner not in sys.path:
            sys.path.append(inner)
    return import_alone(f"skyrl_agent.tasks.verifiers.{name}")


def host(served: Served) -> str:
    """It asks `http://HOST:8080/run_code`: what follows the question mark is passed over."""
    return f"{urlsplit(served.url).netloc}/sandboxfusion/run_code?"


def check_code_exec(served: Served) -> None:
    """`code_exec_sandboxfusion`: right, failed, and with asserts of pytest's kind."""
    coder = verifiers("coder1.sandboxfusion_exec")
    ask = coder.code_exec_sandboxfusion
    where = host(served)
    assert ask("print(input())", stdin="1\n", timeout=5, sandbox_servers=where) == (True, "1\n")
    success, said = ask("print(1)\n1 / 0", timeout=5, sandbox_servers=where)
    assert not success, said
    assert "ZeroDivisionError" in said, said
    tests = "def test():\n    assert double(2) == 5\ntest()"
    code = "def double(x): return 2 * x"
    success, said = coder.code_exec_sandboxfusion_with_pytest(
        code, tests, timeout=5, sandbox_servers=[where]
    )
    assert not success, said
    assert "AssertionError" in said, said


def check_a_server_that_is_not_there_is_passed_over(served: Served) -> None:
    """Of several servers the next one is asked."""
    coder = verifiers("coder1.sandboxfusion_exec")
    servers = f"127.0.0.1:1/none?,{host(served)}"
    said = coder.code_exec_sandboxfusion("print(1)", timeout=5, sandbox_servers=servers)
    assert said == (True, "1\n"), said


def check_its_copy_of_verl(served: Served) -> None:
    """Its copy of verl's reward code: 32 tests at once."""
    fusion = verifiers("sandbox_fusion.utils")
    tests = {"inputs": [str(n) for n in range(32)], "outputs": [str(2 * n) for n in range(32)]}
    found = fusion.check_correctness(
        f"{served.url}/sandboxfusion/run_code", tests, "print(int(input()) * 2)"
    )[0]
    assert found == [True] * 32, found
