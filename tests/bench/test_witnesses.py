"""Outputs near known ones: all kinds that are promised, none twice, and never too many."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import pytest

from bench.mutants import mutants_of
from bench.witnesses import MOST_BYTES, more_outputs
from tests.bench.test_mutants import decider, judge_of, mutant_with

_OUTPUT = b"YES\n3 50 7\n-0.25\n"
_OTHERS = [b"NO\n", b"yes\n8 9\n"]


def _made(
    output: bytes, others: Sequence[bytes] = (), most: int = 4000, seed: int = 1
) -> set[bytes]:
    found = list(more_outputs(0, output, others, seed=seed, most=most))
    assert len(set(found)) == len(found) <= most
    assert output not in found
    return set(found)


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("one more or less", [b"YES\n4 50 7\n-0.25\n", b"YES\n3 50 6\n-0.25\n"]),
        ("the other sign", [b"YES\n3 -50 7\n-0.25\n"]),
        ("zero, negative, huge", [
            b"YES\n0 50 7\n-0.25\n", b"YES\n-1 50 7\n-0.25\n", b"YES\n3 50 2147483648\n-0.25\n",
        ]),
        ("beyond the largest", [b"YES\n51 50 7\n-0.25\n", b"YES\n3 50 51\n-0.25\n"]),
        ("tokens swapped", [b"YES\n50 3 7\n-0.25\n", b"3\nYES 50 7\n-0.25\n"]),
        ("a token repeated", [b"YES\n3 3 50 7\n-0.25\n", b"YES\n3 50 3\n-0.25\n"]),
        ("another output's token", [b"NO\n3 50 7\n-0.25\n", b"YES\n3 9 7\n-0.25\n"]),
        ("lines swapped, dropped, repeated, merged", [
            b"3 50 7\nYES\n-0.25\n", b"YES\n-0.25\n", b"YES\n3 50 7\n3 50 7\n-0.25\n",
            b"YES 3 50 7\n-0.25\n", b"YES\n7 50 3\n-0.25\n",
        ]),
        ("another output's line", [b"YES\n8 9\n-0.25\n", b"YES\n8 9\n"]),
        ("the output of another test", _OTHERS),
        ("garbage behind", [_OUTPUT + b"0\n", _OUTPUT + b"x\n", _OUTPUT + _OUTPUT]),
        ("a prefix", [b"", b"YES\n", b"YES\n3 50 7\n", b"YES\n3 5"]),
        ("the other case", [_OUTPUT.lower(), b"YeS\n3 50 7\n-0.25\n"]),
        ("a character", [
            b"YYS\n3 50 7\n-0.25\n", b"YS\n3 50 7\n-0.25\n", b"YEES\n3 50 7\n-0.25\n",
        ]),
        ("two names exchanged", [b"YES\n3 70 5\n-0.27\n", b"YES\n7 50 3\n-0.25\n"]),
        ("numbers a little off", [
            b"YES\n3 50 7\n-0.249999999\n", b"YES\n3 50 7\n-0.249999\n", b"YES\n3 50 7\n-0.15\n",
        ]),
        ("spaces", [_OUTPUT.rstrip(), b"YES 3 50 7 -0.25\n", _OUTPUT.replace(b"\n", b"\r\n")]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_every_kind_is_made(kind: str, wanted: list[bytes]) -> None:
    assert set(wanted) - _made(_OUTPUT, _OTHERS) == set()


def test_a_count_changes_with_what_it_counts() -> None:
    made = _made(b"2\n4 5\n")
    assert {b"3\n4 5 5\n", b"1\n4\n", b"3\n4 5\n4 5\n"} <= made
    assert {b"3\nLRR\nRLL\n", b"1\nL\nR\n", b"3\nLRL\nRLL\n"} <= _made(b"2\nLR\nRL\n")


def test_a_list_begins_elsewhere() -> None:
    assert {b"4\n2 3 4 1\n", b"4\n1 4 3 2\n"} <= _made(b"4\n1 2 3 4\n")
    assert {b"3\nb\nc\na\n", b"3\nc\nb\na\n"} <= _made(b"3\na\nb\nc\n")


def test_the_same_arguments_give_the_same_outputs() -> None:
    def made(test: int, seed: int, most: int) -> list[bytes]:
        return list(more_outputs(test, _OUTPUT, _OTHERS, seed=seed, most=most))

    assert made(0, 1, 300) == made(0, 1, 300)
    assert made(0, 1, 300)[-50:] != made(1, 1, 300)[-50:]
    assert made(0, 1, 300)[-50:] != made(0, 2, 300)[-50:]
    assert len(made(0, 1, 300)) == 300


@pytest.mark.parametrize("most", [-1, 0, 1, 7])
def test_no_more_than_were_asked_for(most: int) -> None:
    assert len(list(more_outputs(0, _OUTPUT, _OTHERS, seed=1, most=most))) == max(0, most)


@pytest.mark.parametrize(
    "output", [b"", b"\n\n", b"x", b"\0\xff\xfe", b"1e999 -1e-999 " + b"9" * 5000, b" "]
)
def test_odd_outputs_have_neighbours_too(output: bytes) -> None:
    assert _made(output, [b"", output, b"\n"], most=300)


def test_large_outputs_stay_within_bounds() -> None:
    large = (b"1" * 99 + b" ") * 11_000
    found = list(more_outputs(0, large, [large + b"1"], seed=1, most=25))
    assert len(found) == 25
    assert max(map(len, found)) <= len(large)
    small = list(more_outputs(0, b"1\n", [large], seed=1, most=60))
    assert len(small) == 60
    assert max(map(len, small)) <= MOST_BYTES < len(large)


@pytest.mark.parametrize(
    ("operator", "change"),
    [
        ("condition_dropped", "(!seen[i]) && 0"),
        ("tolerance_loose", "`1e-6` became `0.001`"),
        ("loop_skips_last", "`n + 1` became `(n + 1) - 1`"),
        ("rejection_deleted", '`wrong_answer("ends with n")`'),
        ("condition_dropped", '(scanf(" %c", &more) == 1) && 0'),
    ],
)
def test_a_neighbour_of_a_right_output_betrays_a_flaw(
    operator: str, change: str, tmp_path: Path
) -> None:
    judge = judge_of("permutation.cpp")
    mutant = mutant_with(mutants_of(judge), operator, change)
    right, flawed = (
        decider(one, tmp_path / name, "3", "2.0")
        for name, one in (("right", judge), ("flawed", mutant.judge))
    )
    outputs = more_outputs(0, b"3 1 2\n2.0\n", [b"1\n1.0\n"], seed=1, most=600)
    texts = (one.decode("latin-1") for one in outputs)
    tried = ((right(text), flawed(text)) for text in texts)
    assert next(itertools.dropwhile(lambda pair: pair[0] == pair[1], tried)) == (43, 42)
