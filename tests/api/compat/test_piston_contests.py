"""open-r1's packages for Piston, asked as its scoring does.

The requests are those of huggingface/open-r1:src/open_r1/utils/competitive_programming/
cf_scoring.py and ioi_scoring.py; what is asserted is what these read.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.api.compat.asking import ask
from tests.api.compat.cheats import STDIO_CHEATS

SUM = "print(sum(map(int, input().split())))"
SUM_CPP = """
#include <iostream>
#ifndef ONLINE_JUDGE
#error not as on Codeforces
#endif
int main() { long long a, b; std::cin >> a >> b; std::cout << a + b << std::endl; }
"""
#: Accepts any two numbers of that sum.
CHECKER = """
import sys
given, correct, written = (open(name).read() for name in sys.argv[1:])
try:
    numbers = list(map(int, written.split()))
    right = len(numbers) == 2 and sum(numbers) == int(given)
except ValueError:
    right = False
print(1 if right else 0)
"""


def sent(url: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """As `send_execute` of piston_client.py: again where it takes longer than a client waits."""
    for _ in range(5):
        status, said = ask(f"{url}/piston/execute", body)
        if status != 504:
            break
    return status, said


def executed(url: str, body: dict[str, Any]) -> dict[str, Any]:
    """What is answered to a request that is served."""
    status, said = sent(url, body)
    assert status == 200, said
    return said


def codeforces(
    url: str,
    submission: str,
    test_input: str,
    test_output: str | None,
    *,
    language: str = "cf_python3",
    checker: str | None = None,
    **config: Any,
) -> dict[str, Any]:
    """As `score_single_test_case` of cf_scoring.py asks."""
    known = {"TIME_LIMIT": 2.0, "MEMORY_LIMIT": 256.0, "INPUT_MODE": "stdio", **config}
    limit_s = known["TIME_LIMIT"]
    files = [
        {"name": "main.py", "content": submission},
        *([{"name": "checker.py", "content": checker}] if checker else []),
        {"name": "input.txt", "content": test_input},
        *([] if test_output is None else [{"name": "correct_output.txt", "content": test_output}]),
        {"name": "grader_config", "content": "\n".join(f"{k}={v}" for k, v in known.items())},
    ]
    return executed(
        url,
        {
            "files": files,
            "run_timeout": (limit_s + 3) * 1000,
            "language": language,
            "version": "*",
        },
    )


def passed(said: dict[str, Any]) -> bool:
    """As `score_submission` of cf_scoring.py decides."""
    assert said["compile"]["code"] == 0
    return bool(said["run"]["code"] == 0 and said["run"]["stdout"].strip() == "1")


def test_right_and_wrong_without_a_checker(url: str) -> None:
    assert passed(codeforces(url, SUM, "20 22\r\n", "42\n"))
    said = codeforces(url, SUM, "20 22\n", "43\n")
    assert not passed(said)
    assert said["run"]["stdout"] == "0\n"
    assert "Output isn't correct" in said["run"]["stderr"]


def test_white_space_as_diff_b_has_it(url: str) -> None:
    for output, answer, right in (
        ("1  2 \n", "1 2", True),
        ("1\t2", "1 2\n\n", True),
        (" 1\n", "1\n", False),
        ("1\n2\n", "1 2\n", False),
        ("A\n", "a\n", False),
        ("\n", "", True),
    ):
        program = f"import sys\nsys.stdout.write({output!r})"
        assert passed(codeforces(url, program, "", answer)) is right, (output, answer)


@pytest.mark.parametrize("language", ["c++17", "cf_c++17", "cf_c++20-13", "cf_c++"])
def test_cpp_as_on_codeforces(url: str, language: str) -> None:
    assert passed(codeforces(url, SUM_CPP, "20 22", "42", language=language))


def test_what_does_not_compile(url: str) -> None:
    said = codeforces(url, "int main() { return }", "", "", language="c++17")
    assert said["compile"]["code"] == 1
    assert "main.cpp:1" in said["compile"]["stderr"]


def test_a_checker_decides(url: str) -> None:
    assert passed(codeforces(url, "print(40, 2)", "42", "41 1", checker=CHECKER))
    assert not passed(codeforces(url, "print(40, 3)", "42", "41 1", checker=CHECKER))
    assert not passed(codeforces(url, "print('x')", "42", "41 1", checker=CHECKER))


def test_partial_points_are_printed(url: str) -> None:
    said = codeforces(url, SUM, "1 2", "3", checker="print(0.25)")
    assert not passed(said)
    assert said["run"]["stdout"] == "0.25\n"


def test_a_checker_that_fails_is_a_code_and_no_points(url: str) -> None:
    said = codeforces(url, SUM, "1 2", "3", checker="raise ValueError('broken')")
    assert said["run"]["code"] != 0
    assert said["run"]["stdout"] == ""
    assert "the checker failed" in said["run"]["stderr"]


def test_programs_that_do_not_end_well(url: str) -> None:
    said = codeforces(url, "while True: pass", "", "1", TIME_LIMIT=0.5)
    assert said["run"]["stdout"] == "0\n"
    assert said["run"]["stderr"] == "Time limit exceeded (0.5s)\n"
    said = codeforces(url, "raise SystemExit(3)", "", "1")
    assert said["run"]["stderr"] == "Runtime error with exit code 3\n"
    said = codeforces(url, "import os\nprint(1)\nos.kill(os.getpid(), 6)", "", "1")
    assert not passed(said)
    assert said["run"]["stderr"] == "Runtime error with exit code 134\n"


def test_without_an_answer_the_output_is_what_is_asked_for(url: str) -> None:
    said = codeforces(url, SUM, "20 22", None)
    assert said["run"]["stdout"] == "42\n"


def test_what_is_not_served_is_refused_with_the_reason(url: str) -> None:
    for files, config, words in (
        ([], "", "input.txt"),
        ([{"name": "input.txt", "content": ""}], "INPUT_MODE=file", "INPUT_MODE"),
        ([{"name": "input.txt", "content": ""}], "TIME_LIMIT=soon", "TIME_LIMIT"),
    ):
        body = {
            "language": "cf_python3",
            "version": "*",
            "files": [
                {"name": "main.py", "content": ""},
                *files,
                {"name": "grader_config", "content": config},
            ],
        }
        status, said = ask(f"{url}/piston/execute", body)
        assert status == 400
        assert words in said["message"]


@pytest.mark.parametrize("checker", [None, CHECKER], ids=["diff", "checker"])
@pytest.mark.parametrize("cheat", STDIO_CHEATS)
def test_cheats_earn_nothing(url: str, cheat: str, checker: str | None) -> None:
    given = "20 22" if checker is None else "42"
    assert not passed(codeforces(url, STDIO_CHEATS[cheat], given, "42", checker=checker))


def test_an_empty_answer_is_no_invitation(url: str) -> None:
    """There, a program's own output is printed as its points where the answer is empty."""
    assert not passed(codeforces(url, "print(1)", "", ""))
    assert passed(codeforces(url, "pass", "", ""))


HEADER = "int answer(int a, int b);\n"
GRADER = """
#include "adding.h"
#include <cstdio>
#ifndef EVAL
#error not as at the contest
#endif
int main() { int a, b; if (scanf("%d %d", &a, &b) != 2) return 1; printf("%d\\n", answer(a, b)); }
"""
RIGHT = '#include "adding.h"\nint answer(int a, int b) { return a + b; }\n'
#: Half of the points for a number that is one off; words as CMS has them.
CMS_CHECKER = """
#include <cstdio>
#include <cstdlib>
#include <fstream>
int main(int, char **argv) {
    long right, written;
    std::ifstream correct(argv[2]), output(argv[3]);
    correct >> right;
    if (!(output >> written)) written = right + 100;
    long off = labs(right - written);
    puts(off == 0 ? "1.0" : off == 1 ? "0.5" : "0.0");
    fputs(off == 0 ? "Output is correct" : off == 1 ? "Output is partially correct"
                                                  : "Output isn't correct", stderr);
}
"""


def ioi(
    url: str,
    submission: str,
    *,
    test_output: str | None = "42\n",
    checker: str | None = CMS_CHECKER,
    **config: Any,
) -> tuple[float, str]:
    """As `run_submission` and `execute_ioi` of ioi_scoring.py ask, and what they make of it."""
    known = {
        "code": "adding",
        "task_type": "Batch",
        "time_limit": 1.0,
        "memory_limit": 256 << 20,
        **config,
    }
    graders = [
        ("graders/grader.cpp", GRADER),
        ("graders/adding.h", HEADER),
        ("graders/grader_config.json", json.dumps(known)),
        ("checker/checker.cpp", checker),
    ]
    said = executed(
        url,
        {
            "files": [
                {"name": "graders/adding.cpp", "content": submission},
                {"name": "input.txt", "content": "20 22\n"},
                *([{"name": "correct_output.txt", "content": test_output}] if test_output else []),
                *({"name": name, "content": content} for name, content in graders if content),
            ],
            "run_timeout": 4000,
            "run_memory_limit": known["memory_limit"],
            "language": "cms_ioi",
            "version": "*",
        },
    )
    assert "message" not in said
    if said["compile"]["code"] != 0:
        return 0.0, f"Compilation error exit code {said['compile']['code']}"
    if said["run"]["stdout"]:
        return float(said["run"]["stdout"]), said["run"]["stderr"]
    assert said["run"]["code"] != 0
    raise AssertionError(said)


def test_graders_and_checkers(url: str) -> None:
    assert ioi(url, RIGHT) == (1.0, "Output is correct\n")
    near = RIGHT.replace("a + b", "a + b + 1")
    assert ioi(url, near) == (0.5, "Output is partially correct\n")
    assert ioi(url, RIGHT.replace("a + b", "a - b")) == (0.0, "Output isn't correct\n")


def test_a_task_without_a_checker(url: str) -> None:
    assert ioi(url, RIGHT, checker=None)[0] == 1.0
    points, words = ioi(url, RIGHT.replace("a + b", "a - b"), checker=None)
    assert points == 0
    assert "Output isn't correct" in words


def test_submissions_that_do_not_end_well(url: str) -> None:
    loop = '#include "adding.h"\nint answer(int, int) { for (volatile int x = 0;; x = x + 1); }\n'
    assert ioi(url, loop, time_limit=0.5) == (0.0, "Time limit exceeded (0.5s)\n")
    assert "Compilation error" in ioi(url, "int answer(")[1]
    exits = '#include "adding.h"\n#include <cstdlib>\nint answer(int, int) { exit(3); }\n'
    assert ioi(url, exits) == (0.0, "Runtime error with exit code 3\n")


def test_submissions_that_cheat(url: str) -> None:
    for body in (
        'puts("1.0"); exit(0);',
        "exit(0);",
        'system("cat correct_output.txt ../correct_output.txt"); exit(0);',
        'freopen("checker/checker", "w", stdout); puts("1.0"); fflush(stdout); exit(0);',
    ):
        cheat = (
            '#include "adding.h"\n#include <cstdio>\n#include <cstdlib>\n'
            f"int answer(int, int) {{ {body} }}\n"
        )
        assert ioi(url, cheat)[0] == 0, body


#: Thinks of a number from 1 to 1000, says whether one is less or more; half of the points for more
#: than ten questions.  As in CMS, it reads its input, and opens the pipes that it is given.
MANAGER = """
#include "guessing.h"
#include <cstdio>
#include <cstdlib>
int main(int argc, char **argv) {
    if (argc != 3) { fputs("not called as by CMS", stderr); return 1; }
    FILE *in = fopen(argv[1], "r"), *out = fopen(argv[2], "w");
    int secret, guess, count = 0;
    if (scanf("%d", &secret) != 1) return 1;
    fprintf(out, "%d\\n", LARGEST), fflush(out);
    while (count < 1000 && fscanf(in, "%d", &guess) == 1) {
        ++count;
        fprintf(out, "%c\\n", guess < secret ? '<' : guess > secret ? '>' : '='), fflush(out);
        if (guess == secret) {
            printf(count <= 10 ? "1.0\\n" : "0.5\\n");
            fputs(count <= 10 ? "translate:success\\n" : "translate:partial\\n", stderr);
            return 0;
        }
    }
    printf("0.0\\n"), fputs("Output isn't correct\\n", stderr);
}
"""
STUB = """
#include "guessing.h"
#include <cstdio>
static char ask(int guess) {
    char said;
    printf("%d\\n", guess), fflush(stdout);
    return scanf(" %c", &said) == 1 ? said : '?';
}
int main() { int largest; if (scanf("%d", &largest) != 1) return 1; guess(largest, ask); }
"""
GUESSING_H = """
const int LARGEST = 1000;
void guess(int largest, char (*ask)(int));
"""
BISECTION = """
#include "guessing.h"
void guess(int largest, char (*ask)(int)) {
    int low = 1, high = largest;
    for (;;) {
        int middle = (low + high) / 2;
        char said = ask(middle);
        if (said == '=') return;
        if (said == '<') low = middle + 1; else high = middle - 1;
    }
}
"""
ONE_BY_ONE = """
#include "guessing.h"
void guess(int largest, char (*ask)(int)) {
    for (int number = 1; number <= largest && ask(number) != '='; ++number) {}
}
"""


def communication(
    url: str, submission: str, *, manager: str = MANAGER, **config: Any
) -> tuple[int, dict[str, Any]]:
    """As `run_submission` asks for a task whose tests have no answers."""
    known = {"code": "guessing", "task_type": "Communication", "time_limit": 1.0, **config}
    graders = {
        "graders/guessing.h": GUESSING_H,
        "graders/stub.cpp": STUB,
        "graders/manager.cpp": manager,
        "graders/grader_config.json": json.dumps(known),
    }
    body = {
        "files": [
            {"name": "graders/guessing.cpp", "content": submission},
            {"name": "input.txt", "content": "137\n"},
            *({"name": name, "content": content} for name, content in graders.items()),
        ],
        "run_timeout": 4000,
        "language": "cms_ioi",
        "version": "*",
    }
    return sent(url, body)


@pytest.mark.parametrize(
    ("submission", "points", "words"),
    [
        (BISECTION, 1.0, "translate:success"),
        (ONE_BY_ONE, 0.5, "translate:partial"),
        ('#include "guessing.h"\nvoid guess(int, char (*)(int)) {}', 0.0, "Output isn't correct"),
    ],
    ids=["right", "partly", "silent"],
)
def test_managers_talk_with_submissions(
    url: str, submission: str, points: float, words: str
) -> None:
    status, said = communication(url, submission)
    assert status == 200, said
    assert said["compile"]["code"] == 0
    assert (float(said["run"]["stdout"]), said["run"]["stderr"].strip()) == (points, words)


def test_submissions_that_talk_on_their_own_account(url: str) -> None:
    """A submission has the manager's other end alone: no points, no input, no answers to itself."""
    for body in (
        'puts("1.0"); exit(0);',
        'system("cat input.txt ../input.txt manager_points 2>/dev/null"); exit(0);',
        'FILE *points = fopen("manager_points", "w"); if (points) fputs("1.0", points); exit(0);',
        "for (;;) {}",
    ):
        cheat = (
            '#include "guessing.h"\n#include <cstdio>\n#include <cstdlib>\n'
            f"void guess(int, char (*)(int)) {{ {body} }}\n"
        )
        status, said = communication(url, cheat, time_limit=0.5)
        assert status == 200
        assert said["run"]["stdout"] == "0\n", body


def test_a_manager_that_fails_is_a_code_and_no_points(url: str) -> None:
    _, said = communication(url, BISECTION, manager=MANAGER.replace("argc != 3", "argc != 5"))
    assert said["run"]["code"] != 0
    assert said["run"]["stdout"] == ""
    assert "not called as by CMS" in said["run"]["stderr"]


def test_tasks_that_are_not_served_are_refused_with_the_reason(url: str) -> None:
    of_communication = "task_type_parameters_Communication_"
    for config, words in (
        ({"task_type": "TwoSteps"}, "TwoSteps"),
        ({f"{of_communication}num_processes": 2}, "2 processes"),
        ({f"{of_communication}user_io": "fifo_io"}, "fifo_io"),
    ):
        status, said = communication(url, BISECTION, **config)
        assert status == 400
        assert words in said["message"]
