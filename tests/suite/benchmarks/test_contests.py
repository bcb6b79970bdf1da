"""AetherCode, CodeContests and CodeContests+: checkers, comparisons, limits, solutions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scalebox.client.aio import AsyncClient
from scalebox.client.sync import Client
from scalebox.errors import BadRequestError
from scalebox.model import (
    Comparison,
    FunctionJudge,
    JudgeState,
    Limits,
    ProgramJudge,
    Provenance,
    Verdict,
)
from scalebox.suite.benchmarks.contests import (
    bytes_of,
    limits_in,
    pairs_of,
    store_name,
)
from scalebox.suite.config import JudgeConfig
from scalebox.suite.errors import SuiteError
from tests.suite.benchmarks.loading import graded, loaded, program_of, with_real, written

REAL = "sandboxfusion_code_contests.jsonl.gz"

#: Two numbers whose sum is the input: whichever.
CHECKER = """
#include "testlib.h"
int main(int argc, char* argv[]) {
    registerTestlibCmd(argc, argv);
    int n = inf.readInt();
    int a = ouf.readInt(), b = ouf.readInt();
    if (a + b != n) quitf(_wa, "%d and %d are not %d together", a, b, n);
    quitf(_ok, "right");
}
"""
AS_THE_JURY = "print(1, int(input()) - 1)"
ANOTHER = "print(int(input()) - 1, 1)"
WRONG = "print(1, 1)"
CASES = [{"input": "5\n", "output": "1 4\n"}, {"input": "9\n", "output": "1 8\n"}]


def aether(**fields: Any) -> dict[str, Any]:
    """As in m-a-p/AetherCode."""
    return {
        "id": 60173,
        "description": "Print two numbers whose sum is n.",
        "test_cases": CASES,
        "checker": CHECKER,
        "time_limit": 2000,
        "memory_limit": 256,
        "difficulty": "Easy",
        "contest_category": "ICPC",
        "contest_name": "Regional",
        "date": "2024/11/17",
        "year": 2024,
        **fields,
    }


def plus(**fields: Any) -> dict[str, Any]:
    """As in ByteDance-Seed/Code-Contests-Plus, part 1x."""
    return {
        "source": "Codeforces",
        "id": "1000_A",
        "title": "Two numbers",
        "description": "Print two numbers whose sum is n.",
        "time_limit": 1500,
        "memory_limit": 268435456,
        "validator": "no program",
        "generator": "no program",
        "generator_cmd": "",
        "checker": CHECKER,
        "correct_submissions": [
            {"code": "int main() {}", "language": "cpp"},
            {"code": AS_THE_JURY, "language": "py3"},
            {"code": "print 1", "language": "py2"},
        ],
        "incorrect_submissions": [{"code": WRONG, "language": "py3"}],
        "test_cases": CASES,
        **fields,
    }


def contest(**fields: Any) -> dict[str, Any]:
    """As in deepmind/code_contests."""
    return {
        "name": "1000_A. Half of it",
        "description": "Print half of n.",
        "public_tests": {"input": ["4\n"], "output": ["2.0\n"]},
        "private_tests": {"input": ["5\n"], "output": ["2.5\n"]},
        "generated_tests": {"input": ["1\n"], "output": ["0.5\n"]},
        "source": 2,
        "difficulty": 7,
        "solutions": {
            "language": [1, 2, 3, 3],
            "solution": ["print 1", "int main() {}", "print(int(input()) / 2)", "later"],
        },
        "incorrect_solutions": {"language": [3], "solution": ["print(1)"]},
        "time_limit": {"seconds": 1, "nanos": 500000000},
        "memory_limit_bytes": 256000000,
        "input_file": "",
        "output_file": "",
        **fields,
    }


def test_aethercode_says_groups_date_and_limits(tmp_path: Path) -> None:
    task = loaded("aethercode", written(tmp_path, [aether()])).tasks[0]
    assert (task.id, task.date) == ("60173", "2024-11-17")
    assert task.groups == {"difficulty": "Easy", "contest_category": "ICPC", "year": "2024"}
    assert task.row.limits == Limits(cpu_time_s=2.0, memory_bytes=256 << 20)
    assert "two numbers" in task.instruction


async def test_a_checker_accepts_another_right_answer(tmp_path: Path, client: Client) -> None:
    benchmark = loaded("aethercode", written(tmp_path, [aether()]))
    assert (await graded(client, benchmark, AS_THE_JURY)).verdict is Verdict.ACCEPTED
    assert (await graded(client, benchmark, ANOTHER)).verdict is Verdict.ACCEPTED
    grade = await graded(client, benchmark, WRONG)
    assert (grade.verdict, grade.passed, grade.total) == (Verdict.WRONG_ANSWER, 0, 2)
    assert grade.failing is not None
    assert "1 and 1 are not 5 together" in grade.failing.message
    failing = grade.failing
    assert (failing.input, failing.expected, failing.got) == ("5\n", "1 4\n", "1 1\n")


async def test_comparison_alone_rejects_another_right_answer(
    tmp_path: Path, client: Client
) -> None:
    benchmark = loaded("aethercode", written(tmp_path, [aether()]), judges="comparison")
    assert (await graded(client, benchmark, AS_THE_JURY)).verdict is Verdict.ACCEPTED
    assert (await graded(client, benchmark, ANOTHER)).verdict is Verdict.WRONG_ANSWER


async def test_a_judge_of_the_store_comes_before_the_datas(tmp_path: Path, client: Client) -> None:
    async with AsyncClient(client.address) as opened:
        await opened.add_judge(
            FunctionJudge(source="def judge(input, output, answer): return output == '1 1\\n'"),
            problem="60173",
            provenance=Provenance(source="uploaded"),
        )
        record = next(
            info for info in await opened.judges() if info.stored and info.stored.problem == "60173"
        )
        await opened.set_judge_state(record.name, JudgeState.ACTIVE, force=True)
    file = written(tmp_path, [aether(), aether(id=60174, checker="")])
    benchmark = loaded("aethercode", file, judges="store")
    assert (await graded(client, benchmark, WRONG)).verdict is Verdict.ACCEPTED
    assert (await graded(client, benchmark, AS_THE_JURY)).verdict is Verdict.WRONG_ANSWER
    # Of this one the store has none.
    assert (await graded(client, benchmark, AS_THE_JURY, 1)).verdict is Verdict.ACCEPTED


async def test_a_program_that_is_too_slow_or_crashes_says_so(
    tmp_path: Path, client: Client
) -> None:
    judge = JudgeConfig(limits=Limits(cpu_time_s=0.3), stop="first_failure")
    benchmark = loaded("aethercode", written(tmp_path, [aether(checker=None)]), judge)
    slow = await graded(client, benchmark, "while True: pass")
    assert slow.verdict is Verdict.TIME_LIMIT_EXCEEDED
    crash = await graded(client, benchmark, "raise KeyError('gone')")
    assert crash.verdict is Verdict.RUNTIME_ERROR
    assert crash.failing is not None
    assert "KeyError" in (crash.failing.error_output or "")
    broken = await graded(client, benchmark, "print(")
    assert broken.verdict is Verdict.COMPILE_ERROR


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"id": None}, "'id'"),
        ({"description": []}, "'description'"),
        ({"test_cases": []}, "no test_cases"),
        ({"time_limit": "2 s"}, "time limit"),
        ({"time_limit": -1}, "time limit"),
        ({"memory_limit": True}, "memory limit"),
        ({"checker": 3}, "checker"),
    ],
)
def test_a_bad_row_is_refused_with_its_place(
    changed: dict[str, Any], words: str, tmp_path: Path
) -> None:
    file = written(tmp_path, [aether(), aether(id="b") | changed])
    with pytest.raises(SuiteError, match=words) as error:
        loaded("aethercode", file)
    assert "rows.jsonl:2" in str(error.value)


async def test_bad_tests_are_an_error_of_the_data(tmp_path: Path, client: Client) -> None:
    for cases in ([{"input": "1"}], [3], [{"input": 1, "output": 2}], "text"):
        benchmark = loaded("aethercode", written(tmp_path, [aether(test_cases=cases)]))
        with pytest.raises(SuiteError, match="60173"):
            await graded(client, benchmark, WRONG)


def test_codecontests_reads_rows_of_lists_and_of_messages(tmp_path: Path) -> None:
    messages = contest(
        name="b",
        source="CODEFORCES",
        difficulty="MEDIUM",
        public_tests=[{"input": "4\n", "output": "2.0\n"}],
        solutions=[{"language": "PYTHON3", "solution": "print(int(input()) / 2)"}],
    )
    first, second = loaded("codecontests", written(tmp_path, [contest(), messages])).tasks
    assert first.groups == {"source": "CODEFORCES", "difficulty": "A"}
    assert second.groups == {"source": "CODEFORCES", "difficulty": "MEDIUM"}
    assert first.canonical == second.canonical == "print(int(input()) / 2)"
    assert first.row.limits == Limits(cpu_time_s=1.5, memory_bytes=256_000_000)


def test_a_canonical_solution_is_in_the_language_of_the_run(tmp_path: Path) -> None:
    file = written(tmp_path, [contest()])
    assert loaded("codecontests", file, language="cpp17").tasks[0].canonical == "int main() {}"
    assert loaded("codecontests", file, language="java").tasks[0].canonical is None
    file = written(tmp_path, [plus()])
    assert loaded("codecontests+", file).tasks[0].canonical == AS_THE_JURY
    assert loaded("codecontests+", file, language="cpp").tasks[0].canonical == "int main() {}"


async def test_codecontests_compares_as_its_own_code_does(tmp_path: Path, client: Client) -> None:
    benchmark = loaded("codecontests", written(tmp_path, [contest()]))
    canonical = benchmark.tasks[0].canonical
    assert canonical is not None
    grade = await graded(client, benchmark, canonical)
    assert (grade.verdict, grade.total) == (Verdict.ACCEPTED, 3)
    close = await graded(client, benchmark, "print(int(input()) / 2 + 0.000009)")
    assert close.verdict is Verdict.ACCEPTED
    off = await graded(client, benchmark, "print(int(input()) / 2 + 0.00002)")
    assert off.verdict is Verdict.WRONG_ANSWER
    judge = JudgeConfig(comparison=Comparison(mode="exact"))
    strict = loaded("codecontests", written(tmp_path, [contest()]), judge)
    assert (await graded(client, strict, f"{canonical}\nprint()")).passed == 0


async def test_programs_that_read_files_do(tmp_path: Path, client: Client) -> None:
    row = contest(input_file="half.in", output_file="half.out")
    benchmark = loaded("codecontests", written(tmp_path, [row]))
    assert "half.in" in benchmark.tasks[0].instruction
    program = (
        "from __future__ import annotations\n"
        "if __name__ == '__main__':\n"
        "    print('progress')\n"
        "    n = int(open('half.in').read())\n"
        "    open('half.out', 'w').write(f'{n / 2}')\n"
    )
    assert (await graded(client, benchmark, program)).verdict is Verdict.ACCEPTED
    wrong = await graded(client, benchmark, program.replace("/ 2", "/ 3"))
    assert (wrong.verdict, wrong.passed) == (Verdict.WRONG_ANSWER, 0)
    silent = await graded(client, benchmark, "print(int(input()) / 2)")
    assert silent.verdict is Verdict.RUNTIME_ERROR
    crash = await graded(client, benchmark, f"{program}    raise SystemExit(3)\n")
    assert crash.verdict is Verdict.RUNTIME_ERROR


def test_what_cannot_be_judged_is_left_out_with_the_reason(tmp_path: Path) -> None:
    empty = {"input": [], "output": []}
    without = contest(name="b", public_tests=empty, private_tests=empty, generated_tests=None)
    files = contest(name="c", input_file="c.in", output_file="c.out")
    file = written(tmp_path, [contest(), without, files])
    benchmark = loaded("codecontests", file, language="cpp")
    assert [task.id for task in benchmark.tasks] == ["1000_A. Half of it"]
    assert benchmark.left_out["rows.jsonl:2"] == "it has no tests"
    assert "Python alone" in benchmark.left_out["rows.jsonl:3"]
    with pytest.raises(SuiteError, match=r"none of its rows can be judged.*no tests"):
        loaded("codecontests", written(tmp_path, [without]))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"name": 3}, "'name'"),
        ({"solutions": {"language": [3], "solution": []}}, "solutions"),
        ({"solutions": [{"language": 3}]}, "solutions"),
        ({"time_limit": 2}, "duration"),
        ({"time_limit": {"seconds": "x"}}, "duration"),
        ({"memory_limit_bytes": "much"}, "memory limit"),
        ({"input_file": "../../etc/passwd"}, "no name of a file"),
    ],
)
def test_a_bad_row_of_codecontests_is_refused(
    changed: dict[str, Any], words: str, tmp_path: Path
) -> None:
    with pytest.raises(SuiteError, match=words):
        loaded("codecontests", written(tmp_path, [contest() | changed]))


async def test_rows_of_sandboxfusion_are_judged(tmp_path: Path, client: Client) -> None:
    cases = [
        {"input": {"stdin": "1\nXXXS\nXXXL\n"}, "output": {"stdout": "1\n"}},
        {"input": {"stdin": "1\nM\nM\n"}, "output": {"stdout": "0\n"}},
    ]
    labels = {"name": "1000_A. Shirts", "difficulty": "A", "source": "CODEFORCES"}
    own = {
        "id": 3,
        "content": "How many shirts differ?",
        "labels": json.dumps(labels),
        "test": json.dumps(cases),
    }
    program = (
        "n = int(input())\n"
        "a = [input() for _ in range(n)]\n"
        "for _ in range(n):\n"
        "    s = input()\n"
        "    if s in a:\n"
        "        a.remove(s)\n"
        "print(len(a))\n"
    )
    for file in with_real(written(tmp_path, [own]), REAL):
        benchmark = loaded("codecontests", file)
        at, task = next(
            (at, task) for at, task in enumerate(benchmark.tasks) if task.id.startswith("1000_A.")
        )
        assert task.groups == {"difficulty": "A", "source": "CODEFORCES"}
        grade = await graded(client, benchmark, program, at)
        assert grade.verdict is Verdict.ACCEPTED
        grade = await graded(client, benchmark, program.replace("len(a)", "n - len(a)"), at)
        assert grade.verdict is Verdict.WRONG_ANSWER


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"labels": "{"}, "labels"),
        ({"labels": json.dumps({"name": "a"})}, "labels"),
        ({"test": ""}, "no tests"),
    ],
)
def test_a_bad_row_of_sandboxfusion_is_refused(
    changed: dict[str, Any], words: str, tmp_path: Path
) -> None:
    labels = json.dumps({"name": "a", "difficulty": "A", "source": "CODECHEF"})
    good = {"id": 0, "content": "Print.", "labels": labels, "test": "[]"}
    with pytest.raises(SuiteError, match=words):
        loaded("codecontests", written(tmp_path, [good | changed]))


async def test_codecontests_plus_is_judged_by_its_checkers(tmp_path: Path, client: Client) -> None:
    benchmark = loaded("codecontests+", written(tmp_path, [plus()]))
    task = benchmark.tasks[0]
    assert (task.id, task.groups) == ("1000_A", {"source": "Codeforces"})
    assert task.row.limits == Limits(cpu_time_s=1.5, memory_bytes=256 << 20)
    assert task.row.checker == ProgramJudge(contract="testlib", language="cpp", source=CHECKER)
    assert (await graded(client, benchmark, ANOTHER)).verdict is Verdict.ACCEPTED
    assert (await graded(client, benchmark, WRONG)).verdict is Verdict.WRONG_ANSWER


def test_the_part_without_tests_is_refused_with_one_that_has_some(tmp_path: Path) -> None:
    row = plus()
    del row["test_cases"]
    with pytest.raises(SuiteError, match='subset = "1x"'):
        loaded("codecontests+", written(tmp_path, [row]))


def test_programs_are_taken_from_answers_and_continuations(tmp_path: Path) -> None:
    benchmark = loaded("aethercode", written(tmp_path, [aether()]), language="cpp")
    assert benchmark.tasks[0].prompt.endswith("```cpp\n")
    answer = "```python\nprint()\n```\nor\n```cpp\nint main() {}\n```"
    assert program_of(benchmark, answer) == "int main() {}\n"
    assert program_of(benchmark, "int main() {}\n```\nDone.", "completion") == "int main() {}\n"
    assert program_of(benchmark, "int main() {}", "solution") == "int main() {}"
    assert program_of(benchmark, "I cannot.") is None


def test_names_in_the_store_have_no_blanks() -> None:
    assert store_name("1000_A. Half of it") == "1000_A._Half_of_it"
    assert store_name("_ x") == "x"
    assert len(store_name("a" * 500)) == 200


def test_limits_stay_within_what_daemons_take() -> None:
    assert limits_in("row", time_s=0, memory_bytes=None) == Limits()
    assert limits_in("row", time_s=1e300).cpu_time_s == 600
    assert limits_in("row", time_s=10**400).cpu_time_s == 600
    assert limits_in("row", memory_bytes=1).memory_bytes == 4 << 20
    assert limits_in("row", memory_bytes=float("inf")).memory_bytes == 16 << 30
    with pytest.raises(SuiteError, match="memory limit"):
        limits_in("row", memory_bytes=float("nan"))


def test_a_memory_limit_without_a_unit_is_of_mebibytes_where_bytes_make_no_sense() -> None:
    assert bytes_of(256) == 256 << 20
    assert bytes_of(256 << 20) == 256 << 20
    assert bytes_of("x") == "x"


def test_inputs_without_outputs_are_refused() -> None:
    with pytest.raises(SuiteError, match="place"):
        pairs_of({"input": ["1"], "output": []}, "place")
    assert pairs_of(None, "place") == []


async def test_a_daemon_that_refuses_is_no_error_of_the_data(
    tmp_path: Path, client: Client
) -> None:
    # A lone surrogate in a test cannot be sent.
    cases = [{"input": "\ud800", "output": "1"}]
    benchmark = loaded("aethercode", written(tmp_path, [aether(test_cases=cases)]))
    with pytest.raises(BadRequestError):
        await graded(client, benchmark, WRONG)
