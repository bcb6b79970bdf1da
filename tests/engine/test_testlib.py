"""Judges written in C++ for testlib, on real slots: they compile as they are, and can talk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scalebox.engine.service import Engine
from scalebox.errors import ConfigError
from scalebox.model import (
    InteractiveCase,
    InteractiveTests,
    ProgramJudge,
    Report,
    StdioCase,
    StdioTests,
    Submission,
)

from .conftest import LEVELS, StartsEngine, verdicts

PROGRAMS = Path(__file__).parent.parent / "judging" / "testlib"
#: Nothing here is about the speed of judges.
QUICKLY: dict[str, Any] = {"precompiled_header": False, "cxx_flags": ["-O0", "-std=gnu++17"]}
SEARCH = """
low, high = 1, 1000
while True:
    middle = (low + high) // 2
    print(middle, flush=True)
    word = input()
    if word == 'right':
        break
    low, high = (middle + 1, high) if word == 'more' else (low, middle - 1)
"""
STUBBORN = "while True:\n    print(500, flush=True)\n    if input() == 'right':\n        break"


def judge_of(name: str, **more: Any) -> ProgramJudge:
    source = (PROGRAMS / f"{name}.cpp").read_text()
    return ProgramJudge(contract="testlib", language="cpp", source=source, **more)


async def report_of(engine: Engine, judge: ProgramJudge, *cases: tuple[str, str, str]) -> Report:
    """Judge a program that writes a case's output; cases are inputs, answers and outputs."""
    tests = StdioTests(
        cases=[StdioCase(input=given, answer=answer) for given, answer, _ in cases], judge=judge
    )
    table = {given: output for given, _, output in cases}
    source = f"import sys\nsys.stdout.write({table!r}[sys.stdin.read()])"
    submission = Submission(language="python", source=source, tests=tests, stop="never")
    return await engine.judge(submission, client="t")


@pytest.mark.parametrize("level", LEVELS)
async def test_judges_compile_as_they_are(start_engine: StartsEngine, level: str) -> None:
    settings = {"sandbox": {"slots": 2, "isolation": level}, "languages": {"cpp": QUICKLY}}
    async with start_engine(**settings) as engine:
        report = await report_of(
            engine,
            judge_of("integer"),
            ("right", "5", "5\n"),
            ("wrong", "5", "6\n"),
            ("malformed", "5", "+5\n"),
            ("more", "5", "5 5\n"),
            ("nothing", "5", ""),
            ("jury", "x", "5"),
        )
        assert verdicts(report) == ["accepted", *["wrong_answer"] * 4, "judge_error"]
        assert report.cases[0].message == "ok it is 5"
        assert report.cases[1].message == "wrong answer expected 5, found 6"
        assert "jury's answer" in report.cases[5].message


async def test_points_and_parts_are_scores(start_engine: StartsEngine) -> None:
    async with start_engine(languages={"cpp": QUICKLY}) as engine:
        report = await report_of(engine, judge_of("points"), ("plain", "", "0.75"))
        assert (report.verdict.value, report.cases[0].score) == ("wrong_answer", 0.75)
        report = await report_of(engine, judge_of("partial"), ("", "", "42"))
        assert (report.verdict.value, report.cases[0].score) == ("wrong_answer", 42)


@pytest.mark.parametrize("level", LEVELS)
async def test_programs_talk_with_interactors(start_engine: StartsEngine, level: str) -> None:
    settings = {"sandbox": {"slots": 2, "isolation": level}, "languages": {"cpp": QUICKLY}}
    async with start_engine(**settings) as engine:
        for source, expected in (
            (SEARCH, ["accepted"] * 2),
            (STUBBORN, ["accepted", "wrong_answer"]),
            ("print('x', flush=True)\ninput()", ["wrong_answer"] * 2),
            ("print(1001, flush=True)\ninput()", ["wrong_answer"] * 2),
            ("pass", ["wrong_answer"] * 2),
        ):
            tests = InteractiveTests(
                cases=[InteractiveCase(input="500 10"), InteractiveCase(input="7 10")],
                judge=judge_of("interactor_guess"),
            )
            submission = Submission(language="python", source=source, tests=tests, stop="never")
            report = await engine.judge(submission, client="t")
            assert verdicts(report) == expected, report


async def test_a_judges_own_header_is_its_own(start_engine: StartsEngine) -> None:
    own = {"testlib.h": "inline int code() { return 1; }", "deep/x.h": ""}
    source = '#include "testlib.h"\nint main() { return code(); }'
    judge = ProgramJudge(contract="testlib", language="cpp", source=source, files=own)
    anywhere = source.replace('"testlib.h"', "<testlib.h>")
    async with start_engine(languages={"cpp": QUICKLY}) as engine:
        assert (await report_of(engine, judge, ("", "", ""))).verdict.value == "wrong_answer"
        beside = ProgramJudge(contract="testlib", language="cpp", source=anywhere, files=own)
        assert (await report_of(engine, beside, ("", "", ""))).verdict.value == "wrong_answer"
        # What no contract of testlib's is, or no C++, is left alone.
        for other in (
            ProgramJudge(contract="icpc", language="cpp", source=source),
            ProgramJudge(contract="testlib", language="c", source=source),
        ):
            report = await report_of(engine, other, ("", "", ""))
            assert report.verdict.value == "judge_error"
            assert "testlib.h" in report.message


async def test_the_header_can_be_named(start_engine: StartsEngine, tmp_path: Path) -> None:
    (tmp_path / "testlib.h").write_text("inline int code() { return 0; }")
    source = "#include <testlib.h>\nint main() { return code(); }"
    judge = ProgramJudge(contract="testlib", language="cpp", source=source)
    for path in (tmp_path, tmp_path / "testlib.h"):
        languages = {"cpp": QUICKLY, "testlib_path": str(path)}
        async with start_engine(languages=languages) as engine:
            assert (await report_of(engine, judge, ("", "", ""))).accepted
    with pytest.raises(ConfigError, match=r"languages\.testlib_path: there is no file"):
        async with start_engine(languages={"testlib_path": str(tmp_path / "none")}):
            pass
