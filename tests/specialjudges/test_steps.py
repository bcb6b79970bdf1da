"""Reading problems, running their programs, asking judges, and remembering what is done."""

from __future__ import annotations

import asyncio
import dataclasses
import sqlite3
from pathlib import Path

import pytest

from scalebox.client.aio import AsyncClient
from scalebox.client.problems import ProblemFileError
from scalebox.errors import ConnectionFailedError, InternalError
from scalebox.judges.directory import shipped
from scalebox.model import Comparison, FunctionJudge, Limits, NamedJudge, ProgramJudge
from scalebox.specialjudges import damage
from scalebox.specialjudges.curation import Curator, over
from scalebox.specialjudges.deciding import JudgeRefusedError, Question, decide
from scalebox.specialjudges.evidence import Evidence, Written, gather
from scalebox.specialjudges.material import Material, read_materials
from scalebox.specialjudges.work import Work, WorkFileError, key_of
from tests.specialjudges.problems import (
    SPLIT_ICPC,
    SPLIT_JUDGE,
    SPLIT_RIGHT,
    SPLIT_STATEMENT,
    SPLIT_TESTS,
    SPLIT_WRONG,
    add,
    material,
    numbers_in_any_order,
    row,
    split,
    write_rows,
)

PYTHON = frozenset({"python"})


def test_a_row_becomes_material(tmp_path: Path) -> None:
    written = row(
        "split", SPLIT_TESTS, SPLIT_RIGHT, SPLIT_WRONG, statement=SPLIT_STATEMENT,
        validator=SPLIT_ICPC,
    )  # fmt: skip
    calls = {"id": "calls", "tests": {"type": "call", "function": "f", "cases": [{"args": [1]}]}}
    found = list(read_materials(write_rows(tmp_path / "p.jsonl.gz", [written, calls])))
    problem = found[0]
    assert isinstance(problem, Material)
    assert (problem.id, problem.statement) == ("split", SPLIT_STATEMENT)
    assert [test.sample for test in problem.tests] == [True] + [False] * 7
    assert problem.tests[2].input == b"7\n"
    assert isinstance(problem.own, ProgramJudge)
    assert [program.is_right for program in problem.programs] == [True] * 3 + [False] * 4
    assert problem.limits == Limits(cpu_time_s=2.0)
    assert isinstance(found[1], ProblemFileError)
    assert "have no use for a judge" in found[1].message


def test_what_a_judge_is_proven_with_changes_its_hash() -> None:
    hashes = {
        one.sha256()
        for one in (
            split(), add(), material("split", SPLIT_TESTS, SPLIT_RIGHT, {}),
            material("split", SPLIT_TESTS[1:], SPLIT_RIGHT, {}),
            material("split", SPLIT_TESTS, SPLIT_RIGHT, {}, statement="other"),
        )
    }  # fmt: skip
    assert len(hashes) == 5


async def test_programs_are_run_until_they_fail(client: AsyncClient) -> None:
    right = {"all": "print(input())\n", "c": "int main(){}"}
    wrong = {
        "late": "n = int(input())\nprint(n)\nassert n < 10\n",
        "slow": "while True: pass\n",
        "flood": "while True: print('x' * 100000)\n",
    }
    problem = material("m", SPLIT_TESTS, right, wrong)
    problem = dataclasses.replace(problem, limits=Limits(cpu_time_s=0.5))
    evidence = await gather(client, problem, PYTHON)
    found = {one.name: one for one in evidence.programs}
    assert found["all"].outputs == [given for given, _ in SPLIT_TESTS]
    assert found["late"].outputs == [b"2\n", b"3\n", b"7\n"]
    assert "runtime_error" in found["late"].stopped
    assert "time_limit_exceeded" in found["slow"].stopped
    assert "output_limit_exceeded" in found["flood"].stopped
    assert found["c"].outputs == []  # no Python either: it does not parse
    assert [one.name for one in evidence.wrong_programs(len(SPLIT_TESTS))] == []


async def test_judges_are_asked_in_many_requests(client: AsyncClient) -> None:
    problem = split()
    questions = [
        Question(number % 8, b"%d %d" % (number, int(problem.tests[number % 8].input) - number))
        for number in range(300)
    ]
    said = await decide(client, FunctionJudge(source=SPLIT_JUDGE), problem.tests, questions)
    expected = [0 < number < int(problem.tests[number % 8].input) for number in range(300)]
    assert [one.accepted for one in said] == expected
    assert said[0].message == ""
    first = await decide(
        client, FunctionJudge(source=SPLIT_JUDGE), problem.tests, questions, stop="first_failure"
    )
    assert sum(one.asked for one in first) < 200
    assert not any(one.failed for one in first)


async def test_a_judge_that_cannot_be_is_refused(client: AsyncClient) -> None:
    with pytest.raises(JudgeRefusedError, match="refuses the judge"):
        await decide(client, NamedJudge(name="nobody"), split().tests, [Question(0, b"")])


def test_damage_is_done_and_never_right() -> None:
    problem = numbers_in_any_order()
    outputs = [test.answer for test in problem.tests]
    evidence = Evidence(programs=[Written(name="up", is_right=True, outputs=outputs)])
    found = damage.damaged(problem.tests, evidence)
    kinds = {one.kind for one in found}
    assert {"empty", "without a line", "tokens shuffled", "NaN", "other test"} <= kinds
    assert len(found) == len(set(found))
    for one in found:
        respelled = one.output.split() == outputs[one.test].split()
        assert respelled == (one.kind in damage.RESPELLED)
    assert damage.damaged(problem.tests, evidence) == found
    assert damage.damaged(problem.tests, evidence, seed=1) != found
    refuse = damage.garbage(problem.tests, evidence)
    assert {"empty", "NUL bytes", "a flood of tokens"} <= {one.kind for one in refuse}
    assert sum(len(one.output) > 1 << 20 for one in refuse) == 2


@pytest.mark.parametrize("answer", [b"", b"\n\n", b"x", b"\xff\0\n", b"9" * 9000, b"1\n" * 200_000])
def test_damage_can_be_done_to_anything(answer: bytes) -> None:
    problem = material("m", [(b"", answer), (b"", b"7")], {}, {})
    damage.damaged(problem.tests, Evidence(programs=[]))
    damage.garbage(problem.tests, Evidence(programs=[]))


def test_finished_steps_are_remembered_as_long_as_their_key(tmp_path: Path) -> None:
    path = tmp_path / "work.sqlite"
    with Work(path) as work:
        assert work.find("s", "p", key_of(1), Evidence) is None
        work.put("s", "p", key_of(1), Evidence(programs=[]))
    with Work(path) as work:
        assert work.find("s", "p", key_of(1), Evidence) == Evidence(programs=[])
        assert work.find("s", "p", key_of(2), Evidence) is None
        assert work.find("t", "p", key_of(1), Evidence) is None
        # Of another version of scalebox: done again.
        assert work.find("s", "p", key_of(1), Question) is None


def test_a_foreign_file_is_not_written_to(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("these are notes, and no database\n" * 50)
    with pytest.raises(WorkFileError, match="name another one"):
        Work(text)
    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as database:
        database.execute("CREATE TABLE mine (x)")
    with pytest.raises(WorkFileError, match="something else"):
        Work(other)
    assert text.read_text().startswith("these are notes")


async def test_a_step_is_taken_once(client: AsyncClient, tmp_path: Path) -> None:
    problem = split()
    with Work(tmp_path / "w") as work:
        curator = Curator(client, work, shipped(), PYTHON)
        first = await curator.evidence(problem)
        assert (await curator.infer(problem)).judge is None
    with Work(tmp_path / "w") as work:
        # Nobody is there who could do it again.
        again = Curator(AsyncClient("/nowhere/s"), work, shipped(), PYTHON)
        assert await again.evidence(problem) == first
        assert (await again.infer(problem)).judge is None
        assert (await again.classify(problem)).needs_judge


async def test_one_problem_that_fails_leaves_the_others() -> None:
    problems = [material(str(number), [], {}, {}, own=Comparison()) for number in range(20)]
    running = 0
    most = 0

    async def step(one: Material) -> str:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001 * (int(one.id) % 3))
        running -= 1
        if one.id == "7":
            raise InternalError("no")
        return one.id

    found = {one.id: outcome async for one, outcome in over(problems, step, at_once=3)}
    assert isinstance(found.pop("7"), InternalError)
    assert found == {one.id: one.id for one in problems if one.id != "7"}
    assert most == 3


async def test_without_a_daemon_the_work_ends() -> None:
    async def step(one: Material) -> str:
        raise ConnectionFailedError("gone")

    with pytest.raises(ConnectionFailedError):
        async for _ in over([add(), split()], step, at_once=2):
            pass
