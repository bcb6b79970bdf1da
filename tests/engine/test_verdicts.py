"""Which line of what a program wrote on standard error a message quotes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scalebox.engine import verdicts
from scalebox.languages.table import LastWords
from scalebox.sandbox.spec import RunOutcome

JAVA = LastWords(passed_over=("\t",))
GO = LastWords(preferred=("panic: ", "fatal error: "))
BOTH = LastWords(preferred=("Error",), passed_over=("  ", "note: "))


def outcome(stderr: bytes | int) -> RunOutcome:
    return RunOutcome(
        flags=0, status=1 << 8, peer_status=None, cpu_s=0.1, wall_s=0.1, memory_bytes=0,
        stdout=b"", stderr=stderr, channel=b"", record_cpu_s=[], message="", files={},
        zygote_cpu_s=0.0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("stderr", "rule", "words"),
    [
        ("", JAVA, ""),
        ("\n \n", JAVA, ""),
        ("one", JAVA, "one"),
        ("one\ntwo\r\n\n", JAVA, "two"),
        ("one\n  two \n", LastWords(), "two"),
        ("10 %\r20 %\rfailed", JAVA, "failed"),
        ("Exception\n\tat a\n\tat b\n", JAVA, "Exception"),
        ("Exception\n\tat a\nmore\n", JAVA, "more"),
        ("\tat a\n\tat b\n", JAVA, "at b"),
        ("panic: a\n\nmain.main()\n\tx.go:3\n", GO, "panic: a"),
        ("panic: a\npanic: b\nexit status 2\n", GO, "panic: b"),
        ("not a panic: a\nlast\n", GO, "last"),
        ("Error: a\nb\nnote: c\n", BOTH, "Error: a"),
        ("a\n  b\nnote: c\n", BOTH, "a"),
        ("x" * 1000, JAVA, "x" * 300),
        ("\udcff", JAVA, "\ufffd" * 3),
    ],
)
def test_the_line_that_says_why(stderr: str, rule: LastWords, words: str) -> None:
    written = stderr.encode("utf-8", "surrogatepass")
    assert verdicts.last_words(outcome(written), rule) == words
    message = verdicts.crash_message(outcome(written), rule)
    assert message == (f"exit code 1: {words}" if words else "exit code 1")


def test_a_long_trace_is_passed_over_and_a_longer_one_is_quoted(tmp_path: Path) -> None:
    trace = "Exception: why\n" + "\tat a.method(of.java:1)\n" * 1024
    assert verdicts.last_words(outcome(trace.encode()), JAVA) == "Exception: why"
    (tmp_path / "stderr").write_text(trace * 10 + "\tat the.end\n" * 20_000)
    fd = os.open(tmp_path / "stderr", os.O_RDONLY)
    try:
        assert verdicts.last_words(outcome(fd), JAVA) == "at the.end"
    finally:
        os.close(fd)


def test_a_line_without_its_beginning_is_none() -> None:
    # As much as is looked at ends in the middle of the first call.
    trace = "\tat " + "a" * 200_000 + "\n\tat b\n"
    assert verdicts.last_words(outcome(trace.encode()), JAVA) == "at b"


@pytest.mark.parametrize("part", ["\n", "\r", " \n", "a\n", "\t\n", "\u2028"])
def test_the_search_ends_whatever_was_written(part: str) -> None:
    for rule in (JAVA, GO, BOTH):
        for _ in range(20):
            verdicts.last_words(outcome((part * 1_000_000).encode()), rule)
