"""What the reward hackers are put against can be passed: by whoever solves the task."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from scalebox.model import AssertTests, CallTests, Verdict
from tests.hostile import catalogue
from tests.hostile.catalogue import Program
from tests.hostile.rewards import RIGHT
from tests.judging import runner

RIGHT_COMPILED = (
    "#include <assert.h>\nint root(int n) { int r = 0; while (r * r < n) r++; return r; }\n"
)
COMPILERS = {"c": "gcc", "cpp": "g++"}

PUT = [
    pytest.param(way, one, id=f"{program.name}-{way}")
    for program in catalogue.programs()
    for way, one in program.each_way().items()
    if program.kind == "hacking" and way != "stdio"
]


@pytest.mark.parametrize(("way", "program"), PUT)
def test_a_right_program_passes(way: str, program: Program, tmp_path: Path) -> None:
    tests = program.submission({}).tests
    if isinstance(tests, CallTests):
        found = [verdict for verdict, _ in runner.judge_calls(RIGHT, tests)]
        assert found == [Verdict.ACCEPTED] * len(tests.cases)
        return
    assert isinstance(tests, AssertTests)
    [case] = tests.cases
    assert isinstance(case.program, str)
    if program.language in COMPILERS:
        text = tmp_path / f"a.{program.language}"
        text.write_text(RIGHT_COMPILED + case.program)
        subprocess.run([COMPILERS[program.language], text.name], cwd=tmp_path, check=True)
        assert subprocess.run(["./a.out"], cwd=tmp_path, check=False).returncode == 0
        return
    if way == "weak":
        strong = runner.judge_strong(RIGHT, case.program, tests.entry_point)
        assert strong.state == "unproxiable"
    outcome = runner.judge(RIGHT, case.program, tests.entry_point)
    assert outcome.state == "passed", outcome
