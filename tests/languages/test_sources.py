"""Sources that no language likes: an error of the source's, and never one of ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from scalebox.config import LanguagesConfig
from scalebox.engine.service import Engine
from scalebox.errors import UnknownLanguageError
from scalebox.languages.toolchains import Toolchains
from tests.engine.conftest import StartsEngine, stdio
from tests.languages.conftest import ALL, HERE

CASES = [("3 4\n", "7\n"), ("100 23\n", "123\n")]
#: Without a self-test of their own: what is accepted.
ACCEPTED = {
    "c": (
        "#include <stdio.h>\n"
        'int main(void) { int a, b; scanf("%d %d", &a, &b); printf("%d", a + b); }\n'
    ),
    "cpp": (
        "#include <iostream>\nint main() { int a, b; std::cin >> a >> b; std::cout << a + b; }\n"
    ),
    "python": "a, b = map(int, input().split())\nprint(a + b)\n",
}
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
#: These take every character of a line for part of it, those at its end, too.
NO_CARRIAGE_RETURNS = {"bash"}


def accepted(name: str) -> str:
    test = ALL[name].entry.test
    return test.accepted if test is not None else ACCEPTED[name]


async def verdict(engine: Engine, language: str, source: str) -> str:
    report = await engine.judge(stdio(source, CASES, language=language), client="t")
    return report.verdict.value


def test_a_language_that_is_missing_says_what_brings_it(tmp_path: Path) -> None:
    tools = Toolchains(LanguagesConfig(home=str(tmp_path)))
    missing = {language.entry.name: language for language in tools.all() if language.missing}
    assert {"kotlin", "scala", "typescript"} <= missing.keys()
    for name, language in missing.items():
        with pytest.raises(UnknownLanguageError) as caught:
            tools.find(name)
        words = str(caught.value)
        assert language.entry.package in words or "make toolchains" in words, words


@pytest.mark.parametrize("name", HERE)
async def test_what_is_no_program_is_refused(start_engine: StartsEngine, name: str) -> None:
    # Some compilers would take minutes over the deep ones.
    async with start_engine(limits={"compile_cpu_time_s": 5.0}) as engine:
        found = {what: await verdict(engine, name, text) for what, text in NO_LANGUAGE.items()}
    assert set(found.values()) <= REFUSED, found


@pytest.mark.parametrize("name", HERE)
async def test_sources_from_elsewhere(start_engine: StartsEngine, name: str) -> None:
    good = accepted(name)
    async with start_engine() as engine:
        assert await verdict(engine, name, good) == "accepted"
        assert await verdict(engine, name, good.rstrip("\n")) == "accepted", "no end of line"
        assert await verdict(engine, name, good + "\n" * 1_000_000) == "accepted", "a megabyte"
        found = await verdict(engine, name, good.replace("\n", "\r\n"))
        assert (found == "accepted") != (name in NO_CARRIAGE_RETURNS), found
        # Whether a mark at the beginning, and a NUL, belong to a program is the compiler's to say.
        for text in ("\ufeff" + good, good + "\0", "\0" + good):
            found = await verdict(engine, name, text)
            assert found == "accepted" or found in REFUSED, (text[:1], found)
