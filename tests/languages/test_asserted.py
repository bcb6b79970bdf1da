"""`assert` tests in every language that is here: what passes, and what must not."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from scalebox.engine.service import Engine
from scalebox.errors import BadRequestError
from scalebox.languages import table
from scalebox.model import AssertCase, AssertTests, Limits, Report, Submission
from tests.engine.conftest import LEVELS, StartsEngine
from tests.languages.asserted import PROGRAMS
from tests.languages.conftest import HERE

PLAIN = """
name = "plain"
main_file = "solution.sh"
runner = "command"
tool = "sh"
version = ["-c", "echo sh"]
package = "dash"
run = ["{tool}", "{main}"]
"""
#: C and C++ have tests of their own.
OTHERS = [name for name in PROGRAMS if name in HERE]
#: All at the strongest level, and one of each kind at the others.
TRIED = [(name, LEVELS[0]) for name in OTHERS] + [
    (name, level) for level in LEVELS[1:] for name in ("go", "java", "ruby") if name in OTHERS
]


async def _judge(engine: Engine, language: str, source: str) -> Report:
    tests = AssertTests(cases=[AssertCase(program=PROGRAMS[language].tests)])
    limits = Limits(cpu_time_s=10, wall_time_s=30)
    submission = Submission(language=language, source=source, tests=tests, limits=limits)
    return await engine.judge(submission, client="t")


def test_every_language_with_asserts_has_programs_here() -> None:
    with_asserts = {entry.name for entry in table.load([]) if entry.asserts is not None}
    assert with_asserts - {"c", "cpp"} == set(PROGRAMS)


@pytest.mark.parametrize(("language", "level"), TRIED)
async def test_only_what_is_right_to_the_end_passes(
    start_engine: StartsEngine, language: str, level: str
) -> None:
    programs = PROGRAMS[language]
    async with start_engine(sandbox={"slots": 2, "isolation": level}) as engine:
        right = await _judge(engine, language, programs.right)
        assert (right.verdict, right.integrity) == ("accepted", "weak"), right.message
        others = [programs.wrong, programs.fails, *programs.early]
        wrong, fails, *early = await asyncio.gather(
            *(_judge(engine, language, source) for source in others)
        )
        assert (wrong.verdict, wrong.integrity) == ("wrong_answer", "strong"), wrong.message
        assert fails.verdict == programs.fails_as, fails.message
        accepted = [
            source
            for source, report in zip(programs.early, early, strict=True)
            if report.accepted or not report.verdict.is_about_the_program
        ]
        assert accepted == []
        if programs.uncompilable:
            report = await _judge(engine, language, programs.uncompilable)
            assert report.verdict == "compile_error", report.message


async def test_a_language_without_asserts_says_so(
    start_engine: StartsEngine, tmp_path: Path
) -> None:
    (tmp_path / "plain.toml").write_text(PLAIN)
    tests = AssertTests(cases=[AssertCase(program="")])
    submission = Submission(language="plain", source="", tests=tests)
    async with start_engine(languages={"directories": [str(tmp_path)]}) as engine:
        with pytest.raises(BadRequestError, match="no `assert` tests in plain"):
            await engine.judge(submission, client="t")
