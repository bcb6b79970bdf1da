"""Judges in folders: what is read, what is refused and where, and what parameters become."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scalebox.errors import BadRequestError, UnknownJudgeError
from scalebox.judges.directory import Directory, shipped
from scalebox.judges.folder import JudgeFolder, JudgeFolderError, read_judge
from scalebox.model import Comparison, FunctionJudge, Limits, NamedJudge, Verdict

from .natively import natively

HEAD = 'title = "T"\naccepts = "A"\ndescription = "two\\nlines"\n'
COMPARE = f'kind = "compare"\n{HEAD}'
FUNCTION = f'kind = "function"\n{HEAD}'
PARAMETERS = """
[parameters.most]
default = 2
minimum = 1
maximum = 9
description = "how many"
[parameters.share]
default = 0.5
minimum = 0.0
description = "how much"
[parameters.side]
default = "left"
choices = ["left", "right"]
description = "which"
[parameters.strict]
default = false
description = "whether"
"""
SOURCE = """MOST = 2
SHARE = 0.5
SIDE = "left"
STRICT = False

def judge(input, output, answer):
    return False, repr((MOST, SHARE, SIDE, STRICT))"""


def folder(path: Path, table: str, source: str | None = None) -> Path:
    path.mkdir()
    (path / "judge.toml").write_text(table)
    if source is not None:
        (path / "judge.py").write_text(source)
    return path


@pytest.fixture
def judge(tmp_path: Path) -> JudgeFolder:
    return read_judge(folder(tmp_path / "mine", FUNCTION + PARAMETERS, SOURCE))


def test_a_comparison_is_read(tmp_path: Path) -> None:
    table = COMPARE + '[comparison]\nmode = "lines"\n[parameters.off]\ndefault = 0.5\n'
    table += 'sets = "float_absolute_tolerance"\ndescription = "how far"\n'
    found = read_judge(folder(tmp_path / "near", table))
    assert found.given({}) == Comparison(mode="lines", float_absolute_tolerance=0.5)
    assert found.given({"off": 2}) == Comparison(mode="lines", float_absolute_tolerance=2.0)
    assert (found.info.name, found.info.description) == ("near", "two lines")


def test_a_function_is_read(tmp_path: Path) -> None:
    table = FUNCTION + "[limits]\ncpu_time_s = 3\n"
    found = read_judge(folder(tmp_path / "mine", table, SOURCE))
    assert found.given({}) == FunctionJudge(source=SOURCE, limits=Limits(cpu_time_s=3))


def test_parameters_reach_the_function(judge: JudgeFolder) -> None:
    def told(**parameters: bool | int | float | str) -> str:
        return str(natively(judge.given(parameters))(b"", b"", b"")[1])

    assert told() == "(2, 0.5, 'left', False)"
    assert told(most=3, side="right") == "(3, 0.5, 'right', False)"
    assert told(share=1, strict=True) == "(2, 1.0, 'left', True)"
    # Defaults that are said are those that are not said: the judge is compiled once.
    assert judge.given({"most": 2, "share": 0.5}) == judge.given({})


def test_a_text_is_a_text_whatever_is_in_it(tmp_path: Path) -> None:
    table = FUNCTION + '[parameters.word]\ndefault = ""\ndescription = "any"\n'
    source = "WORD = ''\ndef judge(input, output, answer): return False, WORD"
    found = read_judge(folder(tmp_path / "mine", table, source))
    for word in ("'; raise SystemExit #", "\n\\", '"""', "\0 é"):
        assert natively(found.given({"word": word}))(b"", b"", b"") == (False, word)


@pytest.mark.parametrize(
    ("parameters", "field", "words"),
    [
        ({"least": 1}, "least", "it has: most, share, side, strict"),
        ({"most": 2.5}, "most", "an integer, not 2.5"),
        ({"most": True}, "most", "an integer, not True"),
        ({"most": 0}, "most", "at least 1"),
        ({"most": 10}, "most", "at most 9"),
        ({"share": "much"}, "share", "a number, not 'much'"),
        ({"share": float("nan")}, "share", "finite"),
        ({"share": -1}, "share", "at least 0"),
        ({"side": "top"}, "side", "one of left, right"),
        ({"side": False}, "side", "text, not False"),
        ({"strict": 1}, "strict", "true or false, not 1"),
        ({"a\n" * 500: 1}, "a\\n" * 30, "no such parameter"),
    ],
)
def test_a_parameter_that_cannot_be_is_refused(
    judge: JudgeFolder, parameters: Any, field: str, words: str
) -> None:
    with pytest.raises(BadRequestError) as caught:
        judge.given(parameters)
    assert caught.value.field == f"parameters.{field}"
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("table", "source", "words"),
    [
        (None, None, "judge.toml"),
        ("kind =", None, "judge.toml"),
        ('kind = "compare"', None, "title"),
        (COMPARE + "colour = 1", None, "colour"),
        (COMPARE + '[comparison]\nmode = "fuzzy"', None, "fuzzy"),
        (COMPARE + "[limits]\ncpu_time_s = 1", None, "no limits"),
        (COMPARE + PARAMETERS, None, "`sets` a field"),
        (FUNCTION, None, "judge.py"),
        (FUNCTION + '[comparison]\nmode = "exact"', SOURCE, "[comparison]"),
        (FUNCTION + '[parameters.A]\ndefault = 1\ndescription = ""', SOURCE, "small letters"),
        (
            FUNCTION + '[parameters.a]\ndefault = 1\nminimum = 2\ndescription = ""',
            SOURCE,
            "parameters.a: a: is at least 2",
        ),
        (
            COMPARE + '[parameters.a]\ndefault = 1\nsets = "colour"\ndescription = ""',
            None,
            "colour",
        ),
    ],
)
def test_a_folder_that_makes_no_sense_is_refused(
    tmp_path: Path, table: str | None, source: str | None, words: str
) -> None:
    path = tmp_path / "mine"
    path.mkdir() if table is None else folder(path, table, source)
    with pytest.raises(JudgeFolderError, match=r"mine") as caught:
        read_judge(path)
    assert words in caught.value.message


def test_a_name_is_a_name(tmp_path: Path) -> None:
    with pytest.raises(JudgeFolderError, match="small letters"):
        read_judge(folder(tmp_path / "My judge", COMPARE))


def test_examples_are_read(judge: JudgeFolder) -> None:
    for verdict, name in (("rejected", "b"), ("accepted", "a.1")):
        (judge.path / verdict).mkdir()
        for end, text in (("in", b"\xff"), ("ans", b"1"), ("out", b"")):
            (judge.path / verdict / f"{name}.{end}").write_bytes(text)
    (judge.path / "rejected" / "b.toml").write_text("most = 3")
    first, second = judge.examples()
    assert (first.name, first.expected) == ("accepted/a.1", Verdict.ACCEPTED)
    assert (second.name, second.expected) == ("rejected/b", Verdict.WRONG_ANSWER)
    assert (second.input, second.answer, second.output) == (b"\xff", b"1", b"")
    assert (first.parameters, second.parameters) == ({}, {"most": 3})
    (judge.path / "accepted" / "a.1.ans").unlink()
    with pytest.raises(JudgeFolderError, match=r"a\.1\.ans"):
        judge.examples()


def test_a_directory_knows_its_judges(judge: JudgeFolder) -> None:
    directory = Directory([judge])
    assert directory.find(NamedJudge(name="mine", parameters={"most": 2})) == judge.given({})
    assert directory.infos() == [judge.info]
    with pytest.raises(UnknownJudgeError, match="there are: mine") as caught:
        directory.find(NamedJudge(name="other\ud800"))
    assert caught.value.field == "name"


def test_a_directory_knows_what_its_judges_are_looser_than(tmp_path: Path) -> None:
    path = folder(tmp_path / "mine", COMPARE + 'looser_than = ["others"]')
    with pytest.raises(JudgeFolderError, match="'others'"):
        Directory([read_judge(path)])


def test_what_ships_is_found() -> None:
    names = [info.name for info in shipped().infos()]
    assert names == sorted(names)
    assert {"tokens", "floats", "unordered_lines", "permutation", "json"} <= set(names)
