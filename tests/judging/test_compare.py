"""What `compare` accepts and what it does not, and that hostile outputs cost it little."""

from __future__ import annotations

import pytest

from scalebox.judging.compare import Outcome, compare, compare_quickly
from scalebox.model import Comparison

TOKENS = Comparison()
CASE = Comparison(case_sensitive=True)
SPACE = Comparison(space_sensitive=True)
ABSOLUTE = Comparison(float_absolute_tolerance=1e-6)
RELATIVE = Comparison(float_relative_tolerance=1e-6)
BOTH = Comparison(float_absolute_tolerance=1e-6, float_relative_tolerance=1e-6)
LINES = Comparison(mode="lines")
EXACT = Comparison(mode="exact")
MEGABYTE = 1 << 20


@pytest.mark.parametrize(
    ("rule", "output", "answer"),
    [
        (TOKENS, b"", b""),
        (TOKENS, b" \n\n", b""),
        (TOKENS, b"1 2 3", b"1\n2\t 3\r\n"),
        (TOKENS, b"YES", b"Yes\n"),
        (TOKENS, b"nan", b"NaN"),
        (TOKENS, b"\xff\xfe 1", b"\xff\xfe\n1"),
        (CASE, b"Yes ", b"Yes"),
        (SPACE, b"A  b\n", b"a  B\n"),
        (ABSOLUTE, b"0.3333333", b"0.33333333333\n"),
        (ABSOLUTE, b"1e5", b"100000"),
        (ABSOLUTE, b"-0", b"0.0"),
        (ABSOLUTE, b"+.5 5.", b"0.5 5"),
        (ABSOLUTE, b"inf", b"INF"),
        (RELATIVE, b"1000000.5", b"1000000"),
        (RELATIVE, b"9" * 5000, b"9" * 5000 + b"\n"),
        (BOTH, b"0.0000001", b"0"),
        (BOTH, b"1000000.5", b"1000000"),
        (BOTH, b"x 1.0000001 y", b"X 1 Y"),
        (Comparison(float_absolute_tolerance=0), b"1.0", b"1"),
        (LINES, b"a b  \nc\n\n\n", b"a b\nc"),
        (LINES, b"a\r\nB", b"A\nb\n"),
        (Comparison(mode="lines", float_absolute_tolerance=1e-3), b"x 1.0001\n", b"x 1\n"),
        (EXACT, b"a\n", b"a\n"),
    ],
)  # fmt: skip
def test_accepted(rule: Comparison, output: bytes, answer: bytes) -> None:
    outcome = compare(rule, output, answer)
    assert outcome.accepted
    assert outcome.message == ""


@pytest.mark.parametrize(
    ("rule", "output", "answer", "words"),
    [
        (TOKENS, b"1 2", b"1 2 3", "token 3 (line 1 of the answer): expected '3', but the output"),
        (TOKENS, b"1 2 3", b"1 2", "token 3: got '3' after the end"),
        (TOKENS, b"", b"1", "the output ended"),
        (TOKENS, b"1\n2\n4\n", b"1\n2\n3\n", "token 3 (line 3 of the answer): expected '3', got"),
        (TOKENS, b"1.0", b"1", "expected '1'"),
        (TOKENS, b"1000000008", b"1000000007", "expected"),
        (TOKENS, "É".encode(), "é".encode(), "expected 'é', got 'É'"),
        (TOKENS, b"\xff", b"\xfe", r"\\xfe"),
        (CASE, b"yes", b"Yes", "expected 'Yes', got 'yes'"),
        (SPACE, b"1 2", b"1  2", "after 1 equal tokens"),
        (SPACE, b"1 2", b"1 2\n", "after 2 equal tokens"),
        (ABSOLUTE, b"0.33333", b"0.33334", "expected"),
        (ABSOLUTE, b"nan", b"1", "expected"),
        (ABSOLUTE, b"1", b"nan", "expected"),
        (ABSOLUTE, b"inf", b"1e400", "expected"),
        (ABSOLUTE, b"1_0", b"10", "expected"),
        (ABSOLUTE, b"0x10", b"16", "expected"),
        (ABSOLUTE, b"1e", b"1", "expected"),
        (ABSOLUTE, b".", b"0", "expected"),
        (ABSOLUTE, b"one", b"1", "expected"),
        (ABSOLUTE, b"9007199254740993", b"9007199254740992", "expected"),
        (RELATIVE, b"5", b"1e999", "expected"),
        (RELATIVE, b"1e999", b"5", "expected"),
        (RELATIVE, b"0.0000001", b"0", "expected"),
        (BOTH, b"2", b"1", "expected"),
        (LINES, b"a  b", b"a b", "line 1"),
        (LINES, b"a", b"a\n\nb", "line 2: expected '', but the output ended"),
        (LINES, b"\na", b"a", "line 1"),
        (Comparison(mode="lines", case_sensitive=True), b"A", b"a", "line 1"),
        (EXACT, b"ab\ncd", b"ab\nce", "byte 5 (line 2): expected 'e', got 'd'"),
        (EXACT, b"ab", b"ab\n", "got the end"),
    ],
)  # fmt: skip
def test_rejected(rule: Comparison, output: bytes, answer: bytes, words: str) -> None:
    outcome = compare(rule, output, answer)
    assert not outcome.accepted
    assert words in outcome.message


@pytest.mark.parametrize("rule", [TOKENS, CASE, SPACE, BOTH, LINES, EXACT])
def test_huge_outputs_are_compared_to_their_end(rule: Comparison) -> None:
    answer = b"".join(b"%d %d\n" % (n, n * n) for n in range(200_000))
    assert compare(rule, answer, answer + b"").accepted
    assert compare(rule, bytes(bytearray(answer)), answer).accepted
    outcome = compare(rule, answer[:-2] + b"x\n", answer)
    assert not outcome.accepted
    assert len(outcome.message) <= 300
    assert not compare(rule, answer + b"1", answer).accepted
    assert not compare(rule, answer[: len(answer) // 2], answer).accepted


def test_windows_do_not_cut_tokens() -> None:
    answer = b" ".join([b"7" * 1000] * 4000)
    for gap in (b"\n", b"  ", b" \t\r\n "):
        assert compare(TOKENS, answer.replace(b" ", gap), answer).accepted
        assert compare(LINES, answer.replace(b" ", gap), answer).accepted is False
    lines = answer.replace(b" ", b"\n")
    assert compare(LINES, lines.replace(b"\n", b" \n"), lines).accepted
    assert not compare(TOKENS, answer[:-1] + b"8", answer).accepted


@pytest.mark.parametrize(
    "output",
    [
        b"9" * MEGABYTE,
        b"0." + b"9" * MEGABYTE,
        b"1e" + b"9" * MEGABYTE,
        b"9" * MEGABYTE + b"x",
        b"\0" * MEGABYTE,
        b" " * (8 * MEGABYTE),
        b"1 " * (4 * MEGABYTE),
        "…".encode() * MEGABYTE,
    ],
    ids=["integer", "decimals", "exponent", "near-number", "zeros", "spaces", "tokens", "wide"],
)
@pytest.mark.parametrize("rule", [BOTH, SPACE, LINES, EXACT])
def test_hostile_outputs_give_a_short_message(rule: Comparison, output: bytes) -> None:
    outcome = compare(rule, output, b"1\n")
    assert not outcome.accepted or output[:2] == b"0."
    assert len(outcome.message) <= 300


RULES = [
    Comparison(), Comparison(mode="exact"), Comparison(mode="lines"),
    Comparison(space_sensitive=True), Comparison(case_sensitive=True),
    Comparison(float_absolute_tolerance=0.2), Comparison(mode="lines", float_relative_tolerance=1),
]  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
def test_what_is_decided_quickly_is_decided_as_slowly(rule: Comparison) -> None:
    texts = [
        b"",
        b"1",
        b"1\n",
        b" 1",
        b"1.1",
        b"YES",
        b"yes",
        b"1 2",
        b"1  2",
        b"1\n2",
        b"x" * 50_000,
    ]
    for output in texts:
        for answer in texts:
            quickly = compare_quickly(rule, output, answer)
            assert quickly == compare(rule, output, answer) or (
                quickly is None and len(output) + len(answer) > 4096
            )


@pytest.mark.parametrize("rule", RULES)
def test_what_may_take_long_is_for_a_thread(rule: Comparison) -> None:
    output, answer = b"1.5 " * 12_000, b"1.6 " * 12_000
    assert compare_quickly(rule, output, answer) is None
    assert compare_quickly(rule, output * 3, output * 3) is None
    # Equal texts, by far the most frequent, are not long.
    assert compare_quickly(rule, output, output) == Outcome(True)
