"""Code out of answers: what is taken, and why something is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalebox.extraction import fenced_blocks
from scalebox.specialjudges.exchange import UnusableAnswerError
from scalebox.specialjudges.extract import MAX_SOURCE_BYTES, extract_judge

JUDGE = "def judge(input, output, answer):\n    return output == answer\n"
OTHER = "def judge(input, output, answer):\n    return True\n"


def fence(source: str, language: str = "python", mark: str = "```") -> str:
    return f"{mark}{language}\n{source}{mark}\n"


@pytest.mark.parametrize("language", ["python", "Python", "py", "python3", ""])
@pytest.mark.parametrize("mark", ["```", "````", "~~~"])
def test_a_block_is_taken_out_of_the_words_around_it(language: str, mark: str) -> None:
    text = f"Here it is:\n\n{fence(JUDGE, language, mark)}\nI hope that it helps."
    assert extract_judge(text).source == JUDGE


def test_the_last_of_several_judges_is_taken_and_that_is_noted() -> None:
    found = extract_judge(f"{fence(JUDGE)}No, better:\n{fence(OTHER)}")
    assert found.source == OTHER
    assert "last of 2 blocks" in found.note


def test_blocks_that_are_no_judge_do_not_count() -> None:
    example = fence("print(judge('1', '1', '1'))\n")
    shown = fence('{"a": 1}\n', "json")
    broken = fence("def judge(input, output, answer)\n")
    found = extract_judge(f"{broken}{fence(JUDGE)}{example}{shown}")
    assert (found.source, found.note) == (JUDGE, "")


def test_a_block_in_a_list_and_lines_of_windows_are_read() -> None:
    inner = "".join(f"   {line}\n" for line in fence(JUDGE).splitlines())
    assert extract_judge(f"1. So:\n{inner}").source == JUDGE
    assert extract_judge(fence(JUDGE).replace("\n", "\r\n")).source == JUDGE


def test_strings_with_odd_line_ends_stay_whole() -> None:
    source = f"BREAKS = '\x0b\x0c\x1c\u2028'\n{JUDGE}"
    assert extract_judge(fence(source)).source == source


def test_an_answer_that_is_a_module_needs_no_fence() -> None:
    found = extract_judge(JUDGE)
    assert found.source == JUDGE
    assert "as a whole" in found.note


@pytest.mark.parametrize(
    "parameters",
    [
        "input, output, answer",
        "a, b, c",
        "a, b, c, strict=False",
        "a, b, /, c",
        "*texts",
        "a, b, c, *, d=1",
    ],
)
def test_what_can_be_called_with_three_texts_is_a_judge(parameters: str) -> None:
    assert extract_judge(fence(f"def judge({parameters}):\n    return True\n")).source


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "the answer is empty"),
        ("I cannot do that.", "no fenced block"),
        ("You should define def judge(input, output, answer).", "no fenced block"),
        (fence("x = 1\n", "rust"), "no fenced block"),
        (fence("x = 1\n"), "defines no function judge"),
        (fence("class C:\n    def judge(self, a, b, c): pass\n"), "defines no function judge"),
        (fence("async def judge(a, b, c): pass\n"), "plain function"),
        (fence("class judge: pass\n"), "plain function"),
        (fence("def judge(a, b): pass\n"), "this one has 2"),
        (fence("def judge(a, b, c, d): pass\n"), "this one has 4"),
        (fence("def judge(a, b, c, *, d): pass\n"), "three arguments"),
        (fence("def judge(a, b, c)\n"), "line 1"),
        (fence("def judge(a, b, c):\n  match a:\n    case 1: pass\n"), "only supported in Python"),
        (fence(f"{JUDGE}\0\n"), "does not parse"),
        (fence(f"{JUDGE}x = {'(' * 5000}\n"), "does not parse"),
        (fence(f"{JUDGE}x = {'-' * 50_000}1\n"), "does not parse"),
        (fence(f"{JUDGE}x = '\ud800'\n"), "no text"),
        (fence(JUDGE + "#" * MAX_SOURCE_BYTES + "\n"), "at most 65,536"),
        (f"```python\n{JUDGE}", "cut off"),
        (fence("x = 1\n") + f"```python\n{JUDGE}", "none of 2 code blocks"),
    ],
)
def test_what_is_no_judge_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(UnusableAnswerError, match=why):
        extract_judge(text)


def test_an_answer_of_a_million_fences_is_read_at_once() -> None:
    with pytest.raises(UnusableAnswerError):
        extract_judge("```\n" * 200_000)
    with pytest.raises(UnusableAnswerError):
        extract_judge("`" * 1_000_000)
    with pytest.raises(UnusableAnswerError):
        extract_judge((" " * 100 + "```" + "a" * 90 + "\n") * 5_000)


@given(st.text(alphabet="`~ \nadef:judge(,)pytho", max_size=200))
def test_any_answer_is_taken_or_refused(text: str) -> None:
    try:
        found = extract_judge(text)
    except UnusableAnswerError:
        return
    assert "def judge" in found.source


@given(st.text(max_size=200))
def test_blocks_are_parts_of_the_text(text: str) -> None:
    for block in fenced_blocks(text):
        for line in block.text.splitlines():
            assert line.strip() in text
