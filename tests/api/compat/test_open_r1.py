"""open-r1's routers: asked in the words of its clients, and read as they read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.api.compat.asking import answered, ask
from tests.api.compat.cheats import STDIO_CHEATS

#: As huggingface/open-r1:src/open_r1/rewards.py judges: the script runs the program on each case
#: and ends with the share that it passed.
SCRIPT = """
import subprocess
import json

def evaluate_code(code, test_cases):
    passed = 0
    for case in test_cases:
        process = subprocess.run(
            ["python3", "-c", code], input=case["input"], text=True, capture_output=True, timeout=5
        )
        if process.returncode == 0 and process.stdout.split() == case["output"].split():
            passed += 1
    return passed / len(test_cases)

code_snippet = {code}
test_cases = json.loads({cases})

evaluate_code(code_snippet, test_cases)
"""
CASES = [{"input": "1 2", "output": "3"}, {"input": "20 30", "output": "50"}]
RIGHT = "a, b = map(int, input().split())\nprint(a + b)"


def script(program: str) -> str:
    return SCRIPT.format(code=repr(program), cases=repr(json.dumps(CASES)))


def execute(url: str, *scripts: str, language: str = "python", **more: Any) -> list[dict[str, Any]]:
    body = {
        "scripts": scripts,
        "languages": [language] * len(scripts),
        "timeout": 30,
        "request_timeout": 28,
        **more,
    }
    items: list[dict[str, Any]] = answered(f"{url}/open_r1/execute_batch", body)
    assert len(items) == len(scripts)
    return items


def e2b(item: dict[str, Any]) -> float | None:
    """The reward as E2BProvider and e2b-code-interpreter's `Execution.text` make it."""
    if item["execution"] is None:
        return None
    text = next((r["text"] for r in item["execution"]["results"] if r["is_main_result"]), None)
    try:
        return float(text)
    except (TypeError, ValueError):
        return None


def morph(items: list[dict[str, Any]]) -> list[float]:
    """The rewards as MorphProvider makes them: one that is null spoils all."""
    rewards = []
    try:
        for item in items:
            try:
                rewards.append(float(item["text"]))
            except (ValueError, AttributeError):
                rewards.append(0.0)
    except TypeError:
        return [0.0] * len(items)
    return rewards


def test_rewards_come_back_in_order_to_both_clients(url: str) -> None:
    programs = [RIGHT, "print(3)", "raise SystemExit(1)", RIGHT]
    items = execute(url, *map(script, programs))
    assert [e2b(item) for item in items] == [1.0, 0.5, 0.0, 1.0]
    assert morph(items) == [1.0, 0.5, 0.0, 1.0]
    assert items[0]["exception_str"] is None
    assert items[0]["execution"]["error"] is None


def test_a_script_may_print_its_reward_instead(url: str) -> None:
    (item,) = execute(url, "print(0.25)", timeout=90, request_timeout=96)
    assert morph([item]) == [0.25]
    assert item["execution"]["logs"] == {"stdout": ["0.25\n"], "stderr": []}
    assert e2b(item) is None


def test_what_a_script_raises_is_told(url: str) -> None:
    broken, syntax, silent = execute(url, "x = 1\n1 / 0", "def f(", "x = 1")
    assert broken["execution"]["error"]["name"] == "ZeroDivisionError"
    assert "line 2" in broken["execution"]["error"]["traceback"]
    assert syntax["execution"]["error"]["name"] == "SyntaxError"
    assert silent["exception_str"] == "No output from execution"
    assert morph([broken, syntax, silent]) == [0.0, 0.0, 0.0]
    assert e2b(broken) is None


@pytest.mark.parametrize("name", STDIO_CHEATS)
def test_a_program_that_cheats_earns_nothing(url: str, name: str) -> None:
    (item,) = execute(url, script(STDIO_CHEATS[name]))
    assert (e2b(item), morph([item])) == (0.0, [0.0]), item


@pytest.mark.parametrize(
    "program",
    [
        # The judging script is the parent: its end, its memory, its descriptors, its text.
        "import os\nos.kill(os.getppid(), 9)",
        "import os, re\n"
        "folder = '/proc/%d/' % os.getppid()\n"
        "maps, memory = open(folder + 'maps'), open(folder + 'mem', 'rb', 0)\n"
        "for line in maps:\n"
        "    place, rights = line.split()[:2]\n"
        "    begin, end = (int(part, 16) for part in place.split('-'))\n"
        "    if rights.startswith('rw') and end - begin < 64 << 20:\n"
        "        memory.seek(begin)\n"
        '        found = re.findall(rb\'"output": "([0-9]+)"\', memory.read(end - begin))\n'
        "        if found:\n"
        "            print(found[0].decode())\n"
        "            break\n",
        "import os\n"
        "for n in range(64):\n"
        "    try:\n"
        "        with open('/proc/%d/fd/%d' % (os.getppid(), n), 'w') as file:\n"
        "            file.write('\\n1.0\\n')\n"
        "    except OSError:\n"
        "        pass\n",
        "import glob\n"
        "for path in glob.glob('**', recursive=True) + glob.glob('/tmp/**', recursive=True):\n"
        "    try:\n"
        "        text = open(path).read()\n"
        "    except OSError:\n"
        "        continue\n"
        "    if 'output' in text:\n"
        "        print(text.split('output')[1].split('\"')[2])\n",
    ],
    ids=["ends-it", "reads-its-memory", "writes-for-it", "reads-its-file"],
)
def test_the_script_is_out_of_its_programs_reach(url: str, program: str) -> None:
    (item,) = execute(url, script(program))
    assert e2b(item) in (None, 0.0), item
    assert morph([item]) == [0.0]


def test_a_script_imports_nothing_that_its_program_left(url: str) -> None:
    leave = "open('statistics.py', 'w').write('mean = lambda all: 1.0')"
    (item,) = execute(url, f"{script(leave)}\nimport statistics\nstatistics.mean([0.0])")
    assert e2b(item) == 0.0, item


@pytest.mark.parametrize(
    "cell", ["import os; os._exit(0)", "import sys; sys.exit(0)", "while 1: 0"]
)
def test_a_script_that_does_not_end_well_is_worth_nothing(url: str, cell: str) -> None:
    ended, right = execute(url, cell, script(RIGHT), timeout=2)
    assert ended["exception_str"]
    assert e2b(ended) is None
    assert morph([ended, right]) == [0.0, 1.0]


def test_other_languages_are_programs(url: str) -> None:
    (item,) = execute(url, "echo 0.5", language="bash")
    assert (e2b(item), morph([item])) == (0.5, [0.5])
    (item,) = execute(url, "echo 1; exit 3", language="bash")
    assert (e2b(item), morph([item])) == (None, [0.0])
    (item,) = execute(url, "1", language="no such language")
    assert item["execution"] is None
    assert "no such language" in item["exception_str"]


def test_morphs_client_is_answered_before_it_goes(url: str) -> None:
    late, right = execute(
        url, "import time\ntime.sleep(60)\n1.0", script(RIGHT), timeout=3, request_timeout=4
    )
    assert late["execution"] is None
    assert "3" in late["exception_str"] or "4" in late["exception_str"]
    assert morph([late, right]) == [0.0, 1.0]


def test_what_is_asked_wrongly(url: str) -> None:
    where = f"{url}/open_r1/execute_batch"
    assert ask(where, {"scripts": ["1"], "languages": []})[0] == 422
    assert ask(where, {"languages": []})[0] == 422
    assert answered(where, {"scripts": [], "languages": []}) == []
    assert (
        answered(where, {"scripts": ["1.5"], "language": "python", "timeout": 5})[0]["text"]
        == "1.5"
    )
    assert answered(f"{url}/open_r1/health") == {"status": "ok"}
