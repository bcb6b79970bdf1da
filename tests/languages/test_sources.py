"""Sources that no language likes: an error of the source's, and never one of ours."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from scalebox.config import LanguagesConfig
from scalebox.engine.service import Engine
from scalebox.errors import UnknownLanguageError
from scalebox.languages.toolchains import Toolchains
from tests.engine.conftest import StartsEngine, stdio
from tests.languages.conftest import ALL, HERE

CASES = [("3 4\n", "7\n"), ("100 23\n", "123\n")]
#: What may be said of a text that is no program.  Some show a line of a megabyte with each of its
#: errors; to others what holds no commands is what to write.
REFUSED = {"compile_error", "runtime_error", "wrong_answer", "output_limit_exceeded"}
PROSE = 'The answer is the sum of both numbers; "it\'s easy" (or so they say: {\n'
NO_LANGUAGE = {
    "empty": "",
    "blank": " \t\r\n\n",
    "prose": PROSE,
    "of another language": "\\documentclass{article}\n\\begin{document}\n$a+b$\n\\end{document}\n",
    "nul": "\0",
    "nuls": PROSE + "\0" * 1000,
    "no end": '"' * 3 + "/* (* #| {- <!-- [[ =begin\n",
    "huge": "an apple, " * 100_000,
    "deep": "(" * 100_000,
}
#: Of languages whose compilers take seconds only these are tried.
SLOW = {"kotlin", "kotlin_script", "scala"}
FEW = {"prose", "nul", "deep", "as it is", "carriage returns", "mark"}
#: These take every character of a line for part of it, those at its end, too.
NO_CARRIAGE_RETURNS = {"bash"}


async def verdicts(engine: Engine, language: str, sources: dict[str, str]) -> dict[str, str]:
    """What is said of each."""
    if language in SLOW:
        sources = {what: source for what, source in sources.items() if what in FEW}
    reports = await asyncio.gather(
        *(
            engine.judge(stdio(source, CASES, language=language), client="t")
            for source in sources.values()
        )
    )
    return {what: report.verdict.value for what, report in zip(sources, reports, strict=True)}


def test_a_language_that_is_missing_says_what_brings_it(tmp_path: Path) -> None:
    tools = Toolchains(LanguagesConfig(home=str(tmp_path)))
    missing = {language.entry.name: language for language in tools.all() if language.missing}
    assert {"kotlin", "scala", "typescript"} <= missing.keys()
    for name, language in missing.items():
        with pytest.raises(UnknownLanguageError) as caught:
            tools.find(name)
        words = str(caught.value)
        remedies = (language.entry.package, "make toolchains", "an accelerator and its driver")
        assert any(remedy in words for remedy in remedies), words


@pytest.mark.parametrize("name", HERE)
async def test_what_is_no_program_is_refused(start_engine: StartsEngine, name: str) -> None:
    # Some compilers would take minutes over the deep ones.
    async with start_engine(limits={"compile_cpu_time_s": 5.0}) as engine:
        found = await verdicts(engine, name, NO_LANGUAGE)
    assert set(found.values()) <= REFUSED, found


@pytest.mark.parametrize("name", HERE)
async def test_sources_from_elsewhere(start_engine: StartsEngine, name: str) -> None:
    test = ALL[name].entry.test
    assert test is not None
    good = test.accepted
    sources = {
        "as it is": good,
        "no end of line": good.rstrip("\n"),
        "a megabyte": good + "\n" * 1_000_000,
        "carriage returns": good.replace("\n", "\r\n"),
    }
    # Whether a mark at the beginning, and a NUL, belong to a program is the compiler's to say.
    marked = {"mark": "\ufeff" + good, "NUL first": "\0" + good, "NUL last": good + "\0"}
    async with start_engine() as engine:
        found = await verdicts(engine, name, sources | marked)
    refused = {what for what in sources if found.get(what, "accepted") != "accepted"}
    assert refused == ({"carriage returns"} if name in NO_CARRIAGE_RETURNS else set()), found
    assert found["as it is"] == "accepted"
    assert {found[what] for what in marked if what in found} <= REFUSED | {"accepted"}, found
