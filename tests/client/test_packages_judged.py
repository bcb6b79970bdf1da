"""Packages of every format, judged by a real daemon."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import scalebox
from scalebox.client.problems import load_problem, submissions_of_folder
from tests.client.laid import lay, zipped

ADD = "a, b = map(int, input().split())\nprint(a + b)\n"
SPLIT_CPP = """
#include <cstdlib>
#include <fstream>
#include <iostream>
#include "limit.h"
int main(int argc, char **argv) {
    std::ifstream given(argv[1]);
    int sum, a, b;
    given >> sum;
    bool most = argc > 4 && std::string(argv[4]) == "most";
    if (!(std::cin >> a >> b) || a + b != sum) return 43;
    std::ofstream(std::string(argv[3]) + "judgemessage.txt") << a << " and " << b;
    return most && !within(a) ? 43 : 42;
}
"""
SPLIT_PYTHON = """
import sys
from helper import numbers
sum_ = int(open(sys.argv[1]).read())
sys.exit(42 if sum(numbers(sys.stdin.read())) == sum_ else 43)
"""
#: The program adds one to what it reads; what it says is what it reads next, until that is 3.
COUNTING = """
import sys
given, said = int(open(sys.argv[1]).read()), sys.stdin.read().strip()
if said != str(given + 1):
    sys.exit(43)
if said != "3":
    open(sys.argv[3] + "nextpass.in", "w").write(said)
sys.exit(42)
"""
GUESS_VALIDATOR = """
import sys
secret = int(open(sys.argv[1]).read())
for _ in range(10):
    line = sys.stdin.readline()
    guess = int(line) if line.strip().isdigit() else 0
    if guess == secret:
        print("yes", flush=True)
        sys.exit(42)
    print("more" if guess < secret else "less", flush=True)
sys.exit(43)
"""
GUESS = """
low, high = 1, 1000
while True:
    middle = (low + high) // 2
    print(middle, flush=True)
    said = input()
    if said == "yes":
        break
    if said == "more":
        low = middle + 1
    else:
        high = middle - 1
"""
#: Of testlib's contract, without its header: exit code 0 is right, 1 is wrong.
TESTLIB_CHECKER = """
#include <cstdio>
#include "own.h"
int main(int argc, char **argv) {
    int found, wanted;
    FILE *output = fopen(argv[2], "r"), *answer = fopen(argv[3], "r");
    if (fscanf(answer, "%d", &wanted) != 1) return 3;
    if (fscanf(output, "%d", &found) != 1) return 2;
    return found == wanted ? 0 : 1;
}
"""
TESTLIB_INTERACTOR = """
#include <cstdio>
int main(int argc, char **argv) {
    int secret, guess;
    FILE *given = fopen(argv[1], "r");
    if (fscanf(given, "%d", &secret) != 1) return 3;
    for (int turn = 0; turn < 10; turn++) {
        if (scanf("%d", &guess) != 1) return 2;
        printf("%s\\n", guess == secret ? "yes" : guess < secret ? "more" : "less");
        fflush(stdout);
        if (guess == secret) return 0;
    }
    return 1;
}
"""
POLYGON = """<problem short-name="p"><judging><testset name="tests"><time-limit>1000</time-limit>
<memory-limit>268435456</memory-limit><test-count>2</test-count>
<input-path-pattern>tests/%02d</input-path-pattern>
<answer-path-pattern>tests/%02d.a</answer-path-pattern></testset></judging>
<assets>ASSETS</assets></problem>"""


def kattis(about: str, cases: dict[str, tuple[str, str]]) -> dict[str, str]:
    files = {"problem.yaml": about}
    for name, (given, answer) in cases.items():
        files |= {f"data/{name}.in": given, f"data/{name}.ans": answer}
    return files


async def verdicts(client: scalebox.AsyncClient, folder: Path, *sources: str) -> list[str]:
    problem = load_problem(folder)
    reports = [
        await client.judge(language="python", source=source, problem=problem) for source in sources
    ]
    return [str(report.verdict) for report in reports]


async def test_packages_are_judged(tmp_path: Path) -> None:
    sums = {"sample/1": ("10", ""), "secret/g/1": ("20", "")}
    packages = {
        "default": {
            **kattis(
                "name: n\nvalidator_flags: float_tolerance 1e-3\n", {"secret/1": ("1 2", "3.0")}
            ),
        },
        "validator in C++": {
            **kattis("name: n\nvalidation: custom\n", sums),
            "data/secret/g/testdata.yaml": "output_validator_flags: most\n",
            "output_validators/v/split.cpp": SPLIT_CPP,
            "output_validators/v/limit.cpp": '#include "limit.h"\n'
            "bool within(int a) { return a < 6; }\n",
            "output_validators/v/limit.h": "bool within(int a);\n",
        },
        "validator in Python": {
            **kattis("problem_format_version: 2025-09\nname: n\n", sums),
            "output_validator/main.py": SPLIT_PYTHON,
            "output_validator/helper.py": "def numbers(text): return map(int, text.split())\n",
        },
        "interactive": {
            **kattis(
                "problem_format_version: 2025-09\nname: n\ntype: interactive\n"
                "limits: {time_limit: 2}\n",
                {"secret/1": ("777", ""), "secret/2": ("1", "")},
            ),
            "output_validator/guess.py": GUESS_VALIDATOR,
        },
        "several passes": {
            **kattis(
                "problem_format_version: 2025-09\nname: n\ntype: [pass-fail, multi-pass]\n"
                "limits: {validation_passes: 3}\n",
                {"secret/1": ("0", ""), "secret/2": ("2", "")},
            ),
            "output_validator/count.py": COUNTING,
        },
        "polygon": {
            "problem.xml": POLYGON.replace(
                "ASSETS",
                '<checker type="testlib"><source path="files/c.cpp" type="cpp.g++17"/></checker>',
            ),
            "files/c.cpp": TESTLIB_CHECKER,
            "files/own.h": "",
            "tests/01": "1 2",
            "tests/01.a": "3",
            "tests/02": "3 4",
            "tests/02.a": "7",
        },
        "polygon, interactive": {
            "problem.xml": POLYGON.replace(
                "ASSETS",
                '<interactor><source path="files/i.cpp" type="cpp.g++17"/></interactor>',
            ),
            "files/i.cpp": TESTLIB_INTERACTOR,
            "tests/01": "5",
            "tests/02": "999",
        },
        "dmoj": {
            "init.yml": "archive: a.zip\nchecker: sorted\ntest_cases:\n"
            "- {in: 1.in, out: 1.out, points: 1}\n",
            "a.zip": zipped({"1.in": "1 2\n", "1.out": "3\n"}),
        },
    }
    half = "n = int(input())\nprint(n // 4, n - n // 4)\n"
    late = "n = int(input())\nprint(n - 1, 1)\n"
    stubborn = (
        "for _ in range(10):\n    print(5, flush=True)\n    if input() == 'yes':\n        break"
    )
    programs = {
        "default": (ADD, "print(4)"),
        "validator in C++": (half, late),
        "validator in Python": (half, "print(1)"),
        "interactive": (GUESS, stubborn),
        "several passes": ("print(int(input()) + 1)", "print(min(2, int(input()) + 1))"),
        "polygon": (ADD, "print(3)"),
        "polygon, interactive": (GUESS, stubborn),
        "dmoj": (ADD, "print(4)"),
    }
    async with scalebox.async_local(sandbox={"slots": 2}) as client:
        for name, files in packages.items():
            folder = lay(tmp_path / name, files)
            found = await verdicts(client, folder, *programs[name])
            assert found == ["accepted", "wrong_answer"], name


def test_the_command_judges_a_package(tmp_path: Path) -> None:
    files = {
        **kattis("name: n\n", {"sample/1": ("1 2", "3"), "secret/two": ("3 4", "7")}),
        "submissions/accepted/add.py": ADD,
        "submissions/wrong_answer/three.py": "print(3)",
    }
    folder = lay(tmp_path, files)
    assert [one.label for one in submissions_of_folder(folder)] == ["accepted", "wrong_answer"]
    for path, code, words in (
        ("accepted/add.py", 0, "2 of 2 cases"),
        ("wrong_answer/three.py", 1, "secret/two"),
    ):
        done = subprocess.run(
            [
                sys.executable, "-m", "scalebox.cli", "judge", folder / "submissions" / path,
                "--problem", folder, "--local",
            ],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        assert words in done.stdout


def test_the_command_says_what_is_wrong_with_a_package(tmp_path: Path) -> None:
    folder = lay(tmp_path, kattis("type: submit-answer\n", {"secret/1": ("", "")}))
    lay(folder, {"a.py": ""})
    done = subprocess.run(
        [sys.executable, "-m", "scalebox.cli", "judge", folder / "a.py", "--problem", folder],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "problem.yaml" in done.stderr
    assert "without a program" in done.stderr
