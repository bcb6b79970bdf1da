"""LiveCodeBench: releases, dates, prompts, extraction, and grades in both modes."""

from __future__ import annotations

import base64
import datetime
import json
import os
import pickle
import zlib
from pathlib import Path
from typing import Any

import pytest

from scalebox.client.sync import Client
from scalebox.model import Comparison, Integrity, Limits, Verdict
from scalebox.suite.benchmarks.livecodebench import LiveCodeBench, files_of
from scalebox.suite.config import JudgeConfig
from scalebox.suite.errors import SuiteError
from scalebox.suite.spool import Aside
from tests.suite.benchmarks.loading import graded, loaded, program_of, with_real, written

SUM = "print(sum(map(int, input().split())))"
DOUBLE = "class Solution:\n    def twice(self, n: int) -> int:\n        return 2 * n"
REAL = "sandboxfusion_live_code_bench_v1.jsonl.gz"


def cases(*pairs: tuple[str, str], kind: str = "stdin") -> str:
    return json.dumps([{"input": one, "output": two, "testtype": kind} for one, two in pairs])


def packed(text: str) -> str:
    return base64.b64encode(zlib.compress(pickle.dumps(text))).decode()


def row(name: str = "1873_A", **fields: Any) -> dict[str, Any]:
    """As in livecodebench/code_generation_lite."""
    return {
        "question_title": "Sum",
        "question_content": "Print the sum of two numbers.",
        "platform": "codeforces",
        "question_id": name,
        "contest_id": "1873",
        "contest_date": "2023-08-21T00:00:00",
        "starter_code": "",
        "difficulty": "easy",
        "public_test_cases": cases(("1 2\n", "3\n")),
        "private_test_cases": packed(cases(("3 4\n", "7\n"), ("5 6\n", "11\n"))),
        "metadata": "{}",
        **fields,
    }


def call_row(name: str = "2727") -> dict[str, Any]:
    return row(
        name,
        platform="leetcode",
        difficulty="hard",
        contest_date="2024-05-31T00:00:00",
        starter_code="class Solution:\n    def twice(self, n: int) -> int:\n        ",
        public_test_cases=cases(("2", "4"), kind="functional"),
        private_test_cases=cases(("5", "10"), ("-1", "-2"), kind="functional"),
        metadata='{"func_name": "twice"}',
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return written(tmp_path, [row(), call_row()], "test.jsonl")


def test_tasks_have_dates_and_groups(file: Path) -> None:
    first, second = loaded("livecodebench", file).tasks
    assert (first.id, first.date, second.date) == ("1873_A", "2023-08-21", "2024-05-31")
    assert first.groups == {"difficulty": "easy", "platform": "codeforces", "month": "2023-08"}
    assert second.groups == {"difficulty": "hard", "platform": "leetcode", "month": "2024-05"}


def test_a_window_of_dates_chooses(file: Path) -> None:
    chosen = loaded(
        "livecodebench", file, since=datetime.date(2023, 9, 1), until=datetime.date(2024, 6, 1)
    )
    assert [task.id for task in chosen.tasks] == ["2727"]


@pytest.mark.parametrize(
    ("version", "files"),
    [
        ("release_v1", ["test.jsonl"]),
        ("release_v3", ["test.jsonl", "test2.jsonl", "test3.jsonl"]),
        ("v1", ["test.jsonl"]),
        ("v6", ["test6.jsonl"]),
        ("v2_v4", ["test2.jsonl", "test3.jsonl", "test4.jsonl"]),
    ],
)
def test_a_version_is_files(version: str, files: list[str]) -> None:
    assert list(files_of(version)) == files


def test_an_unknown_version_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(SuiteError, match="release_v1 to release_v6"):
        files_of("release_v9")


def test_a_release_is_taken_from_a_folder(tmp_path: Path) -> None:
    for number in ("", "2", "3"):
        written(tmp_path, [row(f"task{number}")], f"test{number}.jsonl")
    two = loaded("livecodebench", tmp_path, version="release_v2")
    assert [task.id for task in two.tasks] == ["task", "task2"]
    assert list(two.data_sha256) == ["test.jsonl", "test2.jsonl"]
    with pytest.raises(SuiteError, match=r"no test4\.jsonl\. hf download"):
        loaded("livecodebench", tmp_path, version="release_v6")


def test_a_version_of_several_files_is_not_taken_from_one(file: Path) -> None:
    assert len(loaded("livecodebench", file, version="v1").tasks) == 2
    with pytest.raises(SuiteError, match="path is one file"):
        loaded("livecodebench", file, version="v2_v3")


def test_prompts_say_what_is_asked(file: Path) -> None:
    stdin, call = loaded("livecodebench", file).tasks
    assert "Print the sum" in stdin.instruction
    assert "standard input" in stdin.instruction
    assert "Python 3" in stdin.instruction
    assert "def twice(self" in call.instruction
    assert "standard input" not in call.instruction
    assert stdin.prompt.endswith("```python\n")
    assert "def twice(self" in call.prompt


def test_another_language_is_asked_for(file: Path) -> None:
    stdin, call = loaded("livecodebench", file, language="cpp").tasks
    assert stdin.language == "cpp"
    assert "C++" in stdin.instruction
    assert "```cpp" in stdin.instruction
    assert "what this Python code begins in C++" in call.instruction


def test_the_program_is_found_as_the_mode_says(file: Path) -> None:
    answer = f"Before:\n```python\n{SUM}\n```\nOutput:\n```\n3\n```\n"
    assert program_of(loaded("livecodebench", file), answer) == f"{SUM}\n"
    # LiveCodeBench takes what stands between the last two fences.
    strict = loaded("livecodebench", file, mode="strict")
    assert program_of(strict, answer) == "3"
    assert program_of(strict, "no code") is None
    assert program_of(strict, SUM, "solution") == SUM
    assert program_of(strict, f"{SUM}\n```\nThat is all.", "completion") == f"{SUM}\n"


@pytest.mark.parametrize("mode", ["fixed", "strict"])
async def test_right_programs_are_accepted(mode: Any, file: Path, client: Client) -> None:
    benchmark = loaded("livecodebench", file, mode=mode)
    for at, program in enumerate((SUM, DOUBLE)):
        grade = await graded(client, benchmark, program, at)
        assert grade.verdict is Verdict.ACCEPTED
        assert (grade.passed, grade.total) == (3, 3)
        assert grade.integrity is Integrity.STRONG
        assert grade.failing is None
        assert grade.isolation is not None
        assert grade.toolchain


async def test_a_wrong_program_is_shown_with_its_first_failing_case(
    file: Path, client: Client
) -> None:
    benchmark = loaded("livecodebench", file)
    wrong = "a, b = map(int, input().split())\nprint(a + b if a != 3 else 8)"
    grade = await graded(client, benchmark, wrong)
    assert (grade.verdict, grade.passed, grade.total) == (Verdict.WRONG_ANSWER, 2, 3)
    assert grade.failing is not None
    failing = grade.failing
    assert (failing.name, failing.input, failing.expected, failing.got) == (
        "1",
        "3 4\n",
        "7\n",
        "8\n",
    )
    grade = await graded(client, benchmark, DOUBLE.replace("2 * n", "n + 2"), 1)
    assert grade.failing is not None
    assert (grade.failing.input, grade.failing.expected) == ("5", "10")
    assert grade.failing.message == "expected 10, got 7"


async def test_strict_ends_at_the_first_failure_and_shows_it(file: Path, client: Client) -> None:
    benchmark = loaded("livecodebench", file, mode="strict")
    grade = await graded(client, benchmark, "print(3)")
    assert (grade.verdict, grade.passed, grade.total) == (Verdict.WRONG_ANSWER, 1, 3)
    assert grade.failing is not None
    assert (grade.failing.input, grade.failing.expected) == ("3 4\n", "7\n")
    assert (grade.failing.got or "").strip() == "3"
    grade = await graded(client, benchmark, "import os\nos._exit(0)")
    assert (grade.verdict, grade.passed) == (Verdict.RUNTIME_ERROR, 0)


@pytest.mark.parametrize(
    ("program", "strict"),
    [
        # Names are imported there that a program has to import.
        ("print(sum(map(int, input().split())) * gcd(2, 3))", True),
        # Iterating over standard input is an error there.
        ("import sys\nfor line in sys.stdin:\n    print(sum(map(int, line.split())))", False),
    ],
)
async def test_modes_differ_where_the_checker_has_errors(
    program: str, strict: bool, file: Path, client: Client
) -> None:
    theirs = await graded(client, loaded("livecodebench", file, mode="strict"), program)
    ours = await graded(client, loaded("livecodebench", file), program)
    assert (theirs.verdict is Verdict.ACCEPTED) is strict
    assert (ours.verdict is Verdict.ACCEPTED) is not strict


async def test_limits_and_stop_rule_are_the_configurations(file: Path, client: Client) -> None:
    judge = JudgeConfig(limits=Limits(cpu_time_s=0.3), stop="first_failure")
    slow = "while True: pass"
    grade = await graded(client, loaded("livecodebench", file, judge), slow)
    assert (grade.verdict, grade.passed) == (Verdict.TIME_LIMIT_EXCEEDED, 0)
    strict = loaded("livecodebench", file, JudgeConfig(limits=Limits(cpu_time_s=1)), mode="strict")
    grade = await graded(client, strict, slow)
    assert grade.verdict is Verdict.TIME_LIMIT_EXCEEDED


async def test_a_comparison_of_the_configuration_replaces_the_benchmarks(
    file: Path, client: Client
) -> None:
    sloppy = "print(sum(map(int, input().split())), end='')"
    exact = JudgeConfig(comparison=Comparison(mode="exact"))
    assert (await graded(client, loaded("livecodebench", file), sloppy)).passed == 3
    assert (await graded(client, loaded("livecodebench", file, exact), sloppy)).passed == 0


async def test_programs_in_other_languages_are_judged(file: Path, client: Client) -> None:
    benchmark = loaded("livecodebench", file, language="cpp")
    assert isinstance(benchmark, LiveCodeBench)
    source = "#include <iostream>\nint main() { int a, b; std::cin >> a >> b; std::cout << a + b; }"
    assert (await graded(client, benchmark, source)).verdict is Verdict.ACCEPTED
    call = benchmark.tasks[1]
    sent = benchmark.submission(call, "class Solution {};", benchmark.tests(call))
    assert (sent.language, sent.source) == ("cpp", "class Solution {};")


@pytest.mark.parametrize(
    ("config", "judge", "words"),
    [
        ({"language": "cpp"}, JudgeConfig(), "Python's alone"),
        ({}, JudgeConfig(comparison=Comparison()), "another comparison"),
        ({"judges": "store"}, JudgeConfig(), "judges of the store"),
    ],
)
def test_strict_takes_nothing_that_would_not_be_theirs(
    config: dict[str, Any], judge: JudgeConfig, words: str, file: Path
) -> None:
    with pytest.raises(SuiteError, match=words):
        loaded("livecodebench", file, judge, mode="strict", **config)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"question_id": None}, "question_id"),
        ({"question_content": 3}, "question_content"),
        ({"contest_date": "soon"}, "no date"),
        ({"private_test_cases": ""}, "private_test_cases"),
        ({"public_test_cases": None}, "public_test_cases"),
        ({"metadata": "[]"}, "func_name"),
        ({"metadata": '{"func_name": 3}'}, "func_name"),
        ({"difficulty": ["easy"]}, "difficulty"),
    ],
)
def test_a_bad_row_is_refused_with_its_place(
    changed: dict[str, Any], words: str, tmp_path: Path
) -> None:
    file = written(tmp_path, [row("a"), row("b") | changed])
    with pytest.raises(SuiteError, match=words) as error:
        loaded("livecodebench", file)
    assert "rows.jsonl:2" in str(error.value)


@pytest.mark.parametrize(
    "private",
    [
        "no base64!",
        base64.b64encode(zlib.compress(pickle.dumps(os.getcwd))).decode(),
        packed("[1]"),
        packed('{"input": "1"}'),
        packed('[{"input": "1"}]'),
    ],
)
async def test_bad_private_tests_are_an_error_of_the_data(
    private: str, tmp_path: Path, client: Client
) -> None:
    benchmark = loaded("livecodebench", written(tmp_path, [row(private_test_cases=private)]))
    with pytest.raises(SuiteError, match="task 1873_A"):
        await graded(client, benchmark, SUM)


@pytest.mark.parametrize("mode", ["fixed", "strict"])
async def test_no_test_at_all_is_an_error_of_the_data(
    mode: Any, tmp_path: Path, client: Client
) -> None:
    file = written(tmp_path, [row(public_test_cases="[]", private_test_cases="[]")])
    with pytest.raises(SuiteError, match="task 1873_A: it has no tests"):
        await graded(client, loaded("livecodebench", file, mode=mode), SUM)


async def test_large_tests_are_not_held_in_memory(tmp_path: Path, client: Client) -> None:
    line = f"{'1 ' * 20_000}\n"
    rows = [row(f"task{number}", private_test_cases=cases((line, "20000"))) for number in (1, 2)]
    benchmark = loaded("livecodebench", written(tmp_path, rows))
    for task in benchmark.tasks:
        assert isinstance(task.row.tests["private_test_cases"], Aside)
    for at in (0, 1, 0):
        grade = await graded(client, benchmark, SUM, at)
        assert (grade.verdict, grade.total) == (Verdict.ACCEPTED, 2)


def fusion_row(name: str, inputs: list[str], outputs: list[str], **tests: str) -> dict[str, Any]:
    """As in SandboxFusion's sample of the data set."""
    packed_tests = {"input_output": json.dumps({"inputs": inputs, "outputs": outputs, **tests})}
    return {
        "id": 1,
        "content": "Solve it, in one block:\n```python\n# here\n```\n",
        "canonical_solution": "import sys; sys.exit(0)",
        "test": base64.b64encode(zlib.compress(pickle.dumps(packed_tests))).decode(),
        "labels": json.dumps(
            {"task_id": name, "category": name.partition("/")[0], "difficulty": "easy"}
        ),
    }


async def test_rows_of_sandboxfusion_are_judged(tmp_path: Path, client: Client) -> None:
    cards = fusion_row("codeforces/1873_A", ["2\nabc\nbca\n"], ["YES\nNO\n"])
    people = ['["7868190130M7522"]', '["7868190130M6022"]']
    seniors = fusion_row("leetcode/2727", people, ["1", "0"], fn_name="countSeniors")
    for file in with_real(written(tmp_path, [cards, seniors]), REAL):
        benchmark = loaded("livecodebench", file)
        first, second = benchmark.tasks[:2]
        assert (first.id, second.id) == ("codeforces/1873_A", "leetcode/2727")
        assert first.groups == {"difficulty": "easy", "platform": "codeforces"}
        assert "```python" in first.instruction
        assert first.canonical is None
        program = (
            "for _ in range(int(input())):\n"
            "    print('YES' if sum(a != b for a, b in zip(input(), 'abc')) < 3 else 'NO')"
        )
        assert (await graded(client, benchmark, program)).verdict is Verdict.ACCEPTED
        called = (
            "class Solution:\n"
            "    def countSeniors(self, details: List[str]) -> int:\n"
            "        return sum(int(one[11:13]) > 60 for one in details)"
        )
        assert (await graded(client, benchmark, called, 1)).verdict is Verdict.ACCEPTED
        wrong = called.replace("> 60", ">= 60")
        grade = await graded(client, benchmark, wrong, 1)
        assert grade.verdict is Verdict.WRONG_ANSWER


def test_rows_of_sandboxfusion_without_tests_are_refused(tmp_path: Path) -> None:
    labels = json.dumps({"task_id": "a", "difficulty": "easy", "category": "atcoder"})
    good = {"id": 1, "content": "Print.", "test": "x", "labels": labels}
    for bad, words in ({"test": ""}, "no tests"), ({"labels": "{}"}, "labels"):
        with pytest.raises(SuiteError, match=words):
            loaded("livecodebench", written(tmp_path, [good | bad]))
