"""Wrappers of judges: each flaw does what it is said to do, in C++ as in Python."""

from __future__ import annotations

import random
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from bench import flawed
from bench.mutants import WRAPPERS, mutants_of
from scalebox.model import ProgramJudge
from tests.bench.test_mutants import decider, judge_of

_CRASHED = -signal.SIGABRT

#: A flaw, an output, an answer, and the output that the judge reads.
_CHANGES = [
    ("first_line_only", b"9\n9\n9\n", b"1\n2\n3\n", b"9\n2\n3\n"),
    ("first_line_only", b"9", b"1\n2", b"9\n2\n"),
    ("first_line_only", b"", b"1\n2\n", b"2\n"),
    ("first_token_only", b"  9 9", b"1 2\n3\n", b"  9 2\n3\n"),
    ("first_token_only", b"", b"1 2", b""),
    ("count_ignored", b"1  2\n3 4", b"5 6 7", b"1  2\n3\n"),
    ("count_ignored", b"1 2", b"5 6 7", b"1 2"),
    ("count_ignored", b" 1", b"", b"\n"),
    ("garbage_dropped", b"1\n2\n3\n", b"1\n2\n", b"1\n2\n"),
    ("garbage_dropped", b"1 2 3", b"1\n2\n", b"1 2 3"),
    ("lines_sorted", b"b\na\n\nc", b"", b"\na\nb\nc\n"),
    ("tokens_sorted", b"b a\n d  c\n\n", b"", b"a b\nc d\n\n"),
    ("line_order_ignored", b"2\n1\n", b"1\n2", b"1\n2"),
    ("line_order_ignored", b"2 1\n", b"1 2\n", b"2 1\n"),
    ("token_order_ignored", b"2 1", b"1 2\n", b"1 2\n"),
    ("token_order_ignored", b"2 1 1", b"1 2\n", b"2 1 1"),
    ("case_ignored", b"yes 1\n", b"NO\n", b"YES 1\n"),
    ("case_ignored", b"YES\n", b"no\n", b"yes\n"),
    ("case_ignored", b"BOB  eve\n", b"Eve Bob\n", b"Bob  Eve\n"),
    ("sign_ignored", b"-1 +2 -x 3", b"5 6 7 -8", b"1 2 -x -3"),
    ("numbers_near", b"100.4 7 x 3", b"100 8 x", b"100 7 x 3"),
    ("accept_on_crash", b"x\n", b"y\n", b"x\n"),
    ("empty_accepted", b"x", b"y", b"x"),
    ("crash_on_odd", b" x~\t\n", b"", b" x~\t\n"),
]
#: A flaw, an output, an answer, and how the judge ends.
_ENDS = [
    ("constant_accept", b"2", b"1", 42),
    ("constant_reject", b"1", b"1", 43),
    ("answer_only", b"1  2\n", b"1 2", 42),
    ("answer_only", b"1 2 3", b"1 2", 43),
    ("empty_accepted", b" \n", b"1", 42),
    ("crash_on_odd", b"", b"1", _CRASHED),
    ("crash_on_odd", b"1\0", b"1", _CRASHED),
    ("crash_on_odd", b"1\xe9", b"1", _CRASHED),
]
assert {row[0] for row in (*_CHANGES, *_ENDS)} == set(WRAPPERS)

Run = Callable[[str, bytes, bytes], tuple[int, bytes]]

#: Writes what it reads; `main` has three parameters.
_ECHO_CPP = """#include <cstdio>
int main(int, char **, char **) {
    for (int c; (c = getchar()) != EOF;) putchar(c);
    return 42;
}
"""
_ECHO_PYTHON = "import sys\nsys.stdout.buffer.write(sys.stdin.buffer.read())\nsys.exit(42)\n"


@pytest.fixture(scope="module")
def run_cpp(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """All wrappers in C++ in one program: the compiler runs once."""
    folder = tmp_path_factory.mktemp("wrappers")
    (folder / "feedback").mkdir()
    echo = ProgramJudge(contract="icpc", language="cpp", source=_ECHO_CPP)
    one = next(one for one in mutants_of(echo) if one.name == "constant_accept")
    chosen = "".join(f'Text(argv[4]) == "{name}" ? {name}(o, a) : ' for name in WRAPPERS)
    text = str(one.judge.source).replace(
        "#define FLAW constant_accept\n", f"#define FLAW(o, a) ({chosen}Text())\n"
    )
    (folder / "judge.cpp").write_text(text)
    build = ["g++", "-std=c++11", "-Wall", "-Werror", "-o", "judge", "judge.cpp"]
    subprocess.run(build, check=True, cwd=folder)

    def run(flaw: str, output: bytes, answer: bytes) -> tuple[int, bytes]:
        (folder / "answer").write_bytes(answer)
        command = ["./judge", "/dev/null", "answer", "feedback/", flaw]
        done = subprocess.run(command, cwd=folder, input=output, capture_output=True, timeout=60)
        assert list((folder / "feedback").iterdir()) == []
        return done.returncode, done.stdout

    return run


@pytest.mark.parametrize(("flaw", "output", "answer", "changed"), _CHANGES)
def test_a_flaw_changes_the_output(
    run_cpp: Run, flaw: str, output: bytes, answer: bytes, changed: bytes
) -> None:
    assert flawed.FLAWS[flaw](output, answer) == changed
    assert run_cpp(flaw, output, answer) == (42, changed)


@pytest.mark.parametrize(("flaw", "output", "answer", "end"), _ENDS)
def test_a_flaw_decides_itself(
    run_cpp: Run, tmp_path: Path, flaw: str, output: bytes, answer: bytes, end: int
) -> None:
    assert run_cpp(flaw, output, answer)[0] == end
    echo = ProgramJudge(contract="icpc", language="python", source=_ECHO_PYTHON)
    one = next(one for one in mutants_of(echo) if one.name == flaw)
    decide = decider(one.judge, tmp_path / "echo", answer=answer.decode())
    assert decide(output.decode("latin-1")) == end


def test_flaws_are_the_same_in_both_languages(run_cpp: Run) -> None:
    lots = random.Random(4)
    decide = {"constant_accept", "constant_reject", "answer_only", "empty_accepted", "crash_on_odd"}
    for name in sorted(flawed.FLAWS.keys() - decide):
        for _ in range(25):
            output, answer = (
                b"".join(lots.choices([b"a", b"B", b"b", b"1", b"12.5", b"-1", b"3", b"e1", b"+.",
                                       b" ", b" ", b"\n", b"\n", b"\r\v", b"\0", b"\xe9"],
                                      k=lots.randrange(16)))
                for _ in range(2)
            )  # fmt: skip
            wanted = flawed.FLAWS[name](output, answer)
            assert run_cpp(name, output, answer) == (42, wanted), (name, output, answer)


@pytest.mark.parametrize("name", ["odd.cpp", "odd.py"])
def test_a_wrapped_judge_is_the_judge_but_for_its_flaw(name: str, tmp_path: Path) -> None:
    judge = msgspec.structs.replace(judge_of(name), flags=[])
    crashed = _CRASHED if name == "odd.cpp" else 1
    outputs = ["3", "4", "", "3 5", "other", "crash", "-3\n"]
    assert [decider(judge, tmp_path / "right")(one) for one in outputs[:1]] == [42]
    wanted = {
        "empty_accepted": [42, 43, 42, 43, 7, crashed, 42],
        "accept_on_crash": [42, 43, 43, 43, 42, 42, 42],
        "count_ignored": [42, 43, 43, 42, 7, crashed, 42],
    }
    for one in mutants_of(judge):
        if one.name in wanted:
            decide = decider(one.judge, tmp_path / one.name, answer="1\n")
            assert [decide(output) for output in outputs] == wanted[one.name], one.name


def test_streams_made_before_main_read_the_changed_output(tmp_path: Path) -> None:
    one = next(one for one in mutants_of(judge_of("factors.cpp")) if one.name == "first_token_only")
    decide = decider(one.judge, tmp_path / "flawed", "35", "5 7")
    assert [decide(output) for output in ("5 6", "7 5", "prime")] == [42, 43, 43]


def test_a_judge_that_wants_all_headers_gets_them_first() -> None:
    source = "#include <bits/stdc++.h>\nint main() { return 42; }\n"
    judge = ProgramJudge(contract="icpc", language="cpp", source=source)
    for one in mutants_of(judge):
        assert str(one.judge.source).startswith("#include <bits/stdc++.h>\n")
