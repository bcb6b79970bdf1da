"""Code out of answers: which part of a text counts as the program."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scalebox.extraction import (
    Rule,
    answer_of,
    extract_code,
    fenced_blocks,
    language_of_word,
    with_thinking,
)
from scalebox.languages.table import load

PROGRAM = "n = int(input())\nprint(n + 1)\n"
OTHER = "print(2)\n"
LONG = "# long\n" * 9 + OTHER


def fence(source: str, word: str = "python", mark: str = "```") -> str:
    return f"{mark}{word}\n{source}{mark}\n"


@pytest.mark.parametrize("word", ["python", "Python", "py", "", "python3.11", "{.python}", "c++"])
@pytest.mark.parametrize("mark", ["```", "````", "~~~", "~~~~~"])
def test_a_block_is_taken_out_of_the_words_around_it(word: str, mark: str) -> None:
    assert extract_code(f"So:\n\n{fence(PROGRAM, word, mark)}\nI hope it helps.") == PROGRAM


def test_info_strings_may_say_more_than_the_language() -> None:
    for info in ('python title="a.py"', "python,run", "{python, echo=FALSE}", "python:main.py"):
        text = fence(OTHER, "text") + fence(PROGRAM, info) + fence(OTHER, "json")
        assert extract_code(text, language="python") == PROGRAM


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("last", OTHER),
        ("first", PROGRAM),
        ("longest", LONG),
        ("joined", f"{PROGRAM}\n{LONG}\n{OTHER}"),
    ],
)
def test_the_rule_says_which_of_several_blocks(rule: Rule, code: str) -> None:
    text = f"{fence(PROGRAM)}or\n{fence(LONG)}or rather\n{fence(OTHER)}"
    assert extract_code(text, rule=rule) == code


def test_the_last_of_the_longest_blocks_is_the_longest() -> None:
    assert extract_code(fence("print(1)\n") + fence(OTHER), rule="longest") == OTHER


def test_an_unknown_rule_is_an_error() -> None:
    with pytest.raises(ValueError, match="no rule 'best'"):
        extract_code(PROGRAM, rule="best")  # type: ignore[arg-type]


def test_blocks_of_the_language_come_first_then_bare_ones_then_others_then_data() -> None:
    blocks = [
        fence("cpp\n", "C++17"),
        fence("bare\n", ""),
        fence("rust\n", "rust"),
        fence("data\n", "json"),
    ]
    for count, expected in ((4, "cpp\n"), (3, "bare\n"), (2, "rust\n"), (1, "data\n")):
        assert extract_code("".join(blocks[-count:]), language="g++") == expected


@pytest.mark.parametrize(
    ("language", "word"),
    [("py_test", "python"), ("jest", "ts"), ("junit", "java"), ("go_test", "go"),
     ("kotlin_script", "kotlin"), ("kotlin_script", "kts"), ("python_gpu", "py3")],
)  # fmt: skip
def test_a_way_to_run_a_language_is_written_as_that_language(language: str, word: str) -> None:
    text = fence(PROGRAM, word) + fence(OTHER, "") + fence(OTHER, "rust")
    assert extract_code(text, language=language) == PROGRAM


def test_without_a_language_programs_come_before_what_they_print() -> None:
    text = fence(PROGRAM) + "It prints:\n" + fence("3\n", "") + fence("4\n", "output")
    assert extract_code(text) == PROGRAM


def test_empty_blocks_do_not_count() -> None:
    assert extract_code(fence(PROGRAM) + fence("", "python") + fence(" \n", "python")) == PROGRAM
    assert extract_code(fence("")) is None


def test_a_longer_fence_holds_shorter_ones() -> None:
    inner = f'"""\n{fence(OTHER)}"""\n{PROGRAM}'
    assert extract_code(fence(inner, mark="````")) == inner
    assert extract_code(fence(inner, mark="~~~")) == inner


def test_a_fence_deep_in_a_docstring_belongs_to_the_program() -> None:
    source = 'def f():\n    """So:\n\n    ```python\n    f()\n    ```\n    """\n    return 1\n'
    assert extract_code(fence(source)) == source
    listed = "".join(f"  {line}\n" for line in fence(source).splitlines())
    assert extract_code(f"1. So:\n{listed}") == source


def test_a_block_in_a_list_loses_the_indentation_of_its_fence() -> None:
    inner = "".join(f"   {line}\n" for line in fence("if 1:\n    print(2)\n").splitlines())
    assert extract_code(f"1. So:\n{inner}   Done.") == "if 1:\n    print(2)\n"
    # Some indent the fences alone.
    assert extract_code(f"- So:\n    ```python\n{OTHER}    ```\n") == OTHER


def test_lines_of_windows_become_lines_of_unix() -> None:
    assert extract_code(fence(PROGRAM).replace("\n", "\r\n")) == PROGRAM
    assert extract_code(PROGRAM.replace("\n", "\r\n")) == PROGRAM


def test_odd_line_ends_within_the_program_stay() -> None:
    source = "BREAKS = '\x0b\x0c\x1c\u2028\r'\n"
    assert extract_code(fence(source)) == source


def test_a_block_that_the_answers_end_cuts_off_is_taken_if_there_is_no_whole_one() -> None:
    assert extract_code(f"So:\n```python\n{PROGRAM}") == PROGRAM
    assert extract_code(f"So:\n```python\n{PROGRAM}``") == f"{PROGRAM}``\n"
    assert extract_code(f"{fence(PROGRAM)}Better:\n```python\nprint(") == PROGRAM
    # A stray fence at the end opens nothing that counts.
    assert extract_code(f"{fence(PROGRAM)}```\nThat is all.") == PROGRAM


def test_a_block_that_was_left_open_ends_where_the_next_begins() -> None:
    text = f"```python\n{PROGRAM}```python\n{OTHER}```\n"
    assert [block.text for block in fenced_blocks(text)] == [PROGRAM, OTHER]


def test_fences_beside_words_and_code_are_read_as_they_are_meant() -> None:
    assert extract_code(f"<answer>```python\n{PROGRAM}```</answer>") == PROGRAM
    assert extract_code(f"The code is: ```cpp\n{OTHER}```") == OTHER
    assert extract_code("```python\nprint(2)```\nDone.") == OTHER
    assert extract_code("Use ```x``` and ``y`` where ```python is said") is None


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("<think>", "</think>"),
        ("<THINKING>", "</Thinking>"),
        ("<thought>", "</thought>"),
        ("<reasoning>", "</reasoning>"),
        ("◁think▷", "◁/think▷"),
        ("[THINK]", "[/THINK]"),
        ("<|START_THINKING|>", "<|END_THINKING|>"),
        ("<seed:think>", "</seed:think>"),
        ("<|begin_of_thought|>", "<|end_of_thought|>"),
        ("<|inner_prefix|>", "<|inner_suffix|>"),
        (
            "<|channel|>analysis<|message|>",
            "<|end|><|start|>assistant<|channel|>final<|message|>",
        ),
    ],
)
def test_only_what_follows_the_thinking_counts(start: str, end: str) -> None:
    draft = fence("draft\n")
    assert extract_code(f"{start}{draft}{end}\n{fence(PROGRAM)}") == PROGRAM
    assert extract_code(f"{start}{draft}{end}\nI give up.") is None
    # The prompt may have opened it.
    assert extract_code(f"{draft}{end}{fence(PROGRAM)}") == PROGRAM
    # It may not end at all.
    assert extract_code(f"{start}\n{draft}") is None
    assert extract_code(f"{start}\n{draft}{end}{fence(PROGRAM)}{start}{fence(OTHER)}") == PROGRAM
    assert extract_code(f"{start}{draft}{end}{PROGRAM}") == PROGRAM


@pytest.mark.parametrize(
    "token",
    [
        "<|im_end|>",
        "<|endoftext|>",
        "<|eot_id|>",
        "<|end_of_text|>",
        "<\uff5cend▁of▁sentence\uff5c>",
    ],
)
def test_the_answer_ends_at_a_stop_token(token: str) -> None:
    assert extract_code(f"{fence(PROGRAM)}{token}\nuser\n{fence(OTHER)}") == PROGRAM
    assert extract_code(f"```python\n{PROGRAM}{token}") == PROGRAM
    assert extract_code(f"{PROGRAM}{token}{token}") == PROGRAM
    assert extract_code(f"```python\n{PROGRAM}```{token}") == PROGRAM


def test_tokens_and_marks_between_quotes_are_the_programs() -> None:
    source = "print('</think>', \"<|im_end|>\")\nEND = `<think>`\n"
    assert extract_code(f"<think>It ends with `</think>`.</think>{fence(source)}") == source
    assert extract_code(source) == source
    # One quote is the end of a quotation.
    assert extract_code(f'<think>He said "so"</think>{fence(PROGRAM)}') == PROGRAM
    # So is the last of a fence.
    assert extract_code(f"<think>```\ndraft\n```</think>{fence(PROGRAM)}") == PROGRAM


def test_stop_tokens_that_are_html_count_at_the_end_alone() -> None:
    source = 'print("<s>gone</s> <eos>")\n'
    assert extract_code(f"{fence(source)}</s></s>\n<pad></s> ") == source
    assert extract_code(f"{source}<end_of_turn>") == source


def test_an_answer_without_fences_is_taken_if_it_looks_like_code() -> None:
    sources = (
        PROGRAM,
        "print(sum(map(int, input().split())))\n",
        "#include <iostream>\nint main() {\n  std::cout << 1;\n}\n",
        # A completion of a function's body, as base models give.
        "    total = 0\n    for x in xs:\n        total += x\n    return total\n",
        "a, b = map(int, input().split())\nprint(a + b)\n",
    )
    for source in sources:
        assert extract_code(source) == source
        assert extract_code(f"<answer>\n{source}</answer>") == source
        # The prompt opened the block.
        assert extract_code(f"{source}```\nThis adds one to the number.") == source


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\n",
        "I cannot do that.",
        "The answer is 42.\nIt follows from the sum of the numbers,\nwhich is known.",
        "Here is what I would do:\nRead the number, add one to it and print it.\nThat is all.",
        "</think>",
        "<|im_end|>print(1)",
    ],
)
def test_prose_is_no_program(text: str) -> None:
    assert extract_code(text) is None


def test_every_name_of_a_daemons_languages_is_known() -> None:
    for language in load(()):
        for name in (language.name, *language.aliases):
            assert language_of_word(name) == language.name


# --- any text ------------------------------------------------------------------------------------

WORDS = """``` ```` ~~~ ` python cpp x=1 print(1) <think> </think> <|im_end|> </s> <answer>
 </answer> words {"""
PIECES = st.lists(
    st.sampled_from([*WORDS.split(), "\n", "\r\n", "\r", "    ", "\t"]), max_size=40
).map("".join)
RULES: st.SearchStrategy[Rule] = st.sampled_from(["last", "first", "longest", "joined"])
LANGUAGES = st.sampled_from([None, "python", "c++", "nobody's"])


@given(st.one_of(PIECES, st.text()), LANGUAGES, RULES)
@example("```\n\n```", None, "last")
def test_any_text_gives_code_or_none(text: str, language: str | None, rule: Rule) -> None:
    code = extract_code(text, language=language, rule=rule)
    if code is not None:
        assert code.strip()
        # Nothing is made up: every line comes from the answer.
        there = {line.strip() for line in text.replace("\r\n", "\n").split("\n")}
        joined = "\n".join(there)
        assert all(line.strip() in joined for line in code.split("\n"))


@given(PIECES, PIECES)
def test_thinking_never_changes_what_is_taken(thoughts: str, answer: str) -> None:
    thought = f"<think>{thoughts}\n</think>{answer}"
    assert extract_code(thought) == extract_code(f"</think>{answer}")


@given(PIECES)
def test_what_follows_a_stop_token_never_counts(rest: str) -> None:
    assert extract_code(f"{fence(PROGRAM)}<|im_end|>{rest.replace('</think>', '')}") == PROGRAM


SOURCES = st.lists(
    st.text(st.characters(exclude_categories=("Cs",), exclude_characters="`~\r\n")), min_size=1
).map(lambda lines: "".join(f"{line}\n" for line in lines))


@given(SOURCES.filter(str.strip), st.sampled_from(["```", "~~~~"]), RULES)
def test_what_is_fenced_comes_out_as_it_went_in(source: str, mark: str, rule: Rule) -> None:
    text = fence(source, "python", mark)
    if answer_of(text) == text:
        assert extract_code(text, language="python", rule=rule) == source


@pytest.mark.parametrize(
    "text",
    [
        "`" * 3_000_000,
        "```python\n" * 300_000,
        "```\n" * 700_000,
        "<think>" * 400_000,
        "</s>" * 700_000,
        " " * 3_000_000 + "```",
        "[" * 3_000_000,
        "a[" * 1_500_000,
        "```" + "{" * 3_000_000 + "\n",
        "<answer>" + "</a>" * 700_000 + "x",
        "```python\nx\n```" + "</a>" * 700_000 + "x",
        "<|channel|>final" * 200_000,
        "1" * 3_000_000 + "." * 10,
        "```" + "1" * 3_000_000,
        ("    " * 50 + "```\n") * 15_000,
        "a, " * 1_000_000,
    ],
    ids=lambda text: f"{text[:12]!r}",
)
def test_hostile_megabytes_take_no_longer_than_prose(text: str) -> None:
    # What is not linear would take hours here.
    extract_code(text, language="python")
    assert len(answer_of(text)) <= len(text) + 1


def test_with_its_thinking_all_of_an_answer_counts() -> None:
    answer = "<think>\n```python\nprint(1)\n```\n</think>\nThat is all."
    assert extract_code(answer) is None
    assert extract_code(with_thinking(answer)) == "print(1)\n"
    quoted = "```python\nprint('</think>')\n```"
    assert with_thinking(quoted) == quoted
    assert extract_code(with_thinking("<think>```python\nprint(1)")) == "print(1)\n"
