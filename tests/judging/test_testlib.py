"""Judges written for testlib, compiled with the header that ships: what each says to its examples.

A program in `testlib/` is a checker, or what its name begins with; the examples beside it give its
files, the exit code, and a part of its message.
"""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from scalebox.errors import ConfigError
from scalebox.judging import contracts, testlib
from scalebox.judging.contracts import Ended

FOLDER = Path(__file__).parent / "testlib"
PROGRAMS = sorted(path.stem for path in FOLDER.glob("*.cpp"))
FLAGS = ("-O0", "-std=gnu++17")
MIB = 1 << 20


@dataclass(frozen=True)
class Bench:
    """Where judges are compiled and run; the header is precompiled there, as it is the same."""

    folder: Path

    def compiled(self, name: str) -> Path:
        program = self.folder / name
        if not program.exists():
            self.compile(FLAGS, FOLDER / f"{name}.cpp", "-o", program)
        return program

    def compile(self, flags: tuple[str, ...], *words: str | Path) -> None:
        command = ["g++", *flags, "-I", self.folder, *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def run(self, name: str, example: dict[str, Any]) -> subprocess.CompletedProcess[bytes]:
        """The end of a judge; what an interactor logs is left in `log`."""
        for file in ("input", "output", "answer"):
            content = example.get(file, "")
            data = content if isinstance(content, bytes) else content.encode()
            (self.folder / file).write_bytes(data)
        (self.folder / "log").unlink(missing_ok=True)
        arguments = ["input", "output", "answer"]
        if name.startswith("interactor"):
            arguments = ["input", "log", "answer"]
        elif name == "validator":
            arguments = []
        with (self.folder / "output").open("rb") as said:
            return subprocess.run(
                [self.compiled(name), *arguments, *example.get("args", ())],
                cwd=self.folder, stdin=said, capture_output=True, check=False, timeout=60,
            )  # fmt: skip


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    bench = Bench(tmp_path_factory.mktemp("testlib"))
    for name, content in testlib.headers("").items():
        (bench.folder / name).write_bytes(content)
    header = bench.folder / testlib.HEADER
    bench.compile(FLAGS, "-x", "c++-header", header, "-o", f"{header}.gch")
    return bench


def test_there_are_checkers_and_interactors() -> None:
    kinds = [name.split("_")[0] for name in PROGRAMS]
    assert kinds.count("interactor") >= 3
    assert len(kinds) - kinds.count("interactor") - kinds.count("validator") >= 20


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_example_ends_as_it_should_and_as_the_contract_knows(bench: Bench, name: str) -> None:
    examples = tomllib.loads((FOLDER / f"{name}.toml").read_text())["example"]
    wrong = []
    for example in examples:
        done = bench.run(name, example)
        said = done.stderr.decode("utf-8", "replace")
        if done.returncode != example["code"] or example.get("says", "") not in said:
            wrong.append((example, done.returncode, said))
        # Accepted only with 0, the judge's failure only with 3 and signals, and all else rejected.
        code = done.returncode if done.returncode >= 0 else None
        decision = contracts.decide("testlib", Ended(code, stderr=done.stderr))
        assert decision.accepted is {0: True, 3: None, None: None}.get(code, False), example
        if "wrote" in example:
            assert done.stdout.decode() == example["wrote"], example
        if "log" in example:
            assert (bench.folder / "log").read_text() == example["log"], example
    assert not wrong


#: What a hostile program writes → how a checker of tokens, of an integer and of lines ends.
HOSTILE: dict[str, tuple[bytes, int, int, int]] = {
    "one token without an end": (b"x" * (8 * MIB), 1, 2, 1),
    "one number without an end": (b"7" * (8 * MIB), 1, 2, 1),
    "zeros in front without an end": (b"0" * (8 * MIB) + b"7", 1, 2, 1),
    "a token that is too long": (b"x" * (33 * MIB), 2, 2, 2),
    "zero bytes": (b"\0" * MIB, 1, 2, 1),
    "spaces before it": (b" " * (8 * MIB) + b"7", 0, 0, 1),
    "spaces after it": (b"7" + b" \r\n\t" * (2 * MIB), 0, 0, 1),
    "many after it": (b"7 " * (2 * MIB), 1, 4, 1),
    "a byte that looks like the end": (b"7\xff", 1, 2, 1),
    "a byte that looks like the end, apart": (b"7 \xff", 1, 4, 1),
    "another system's end": (b"7\n\x1a", 1, 4, 4),
    "lines without an end": (b"7\r\r\r", 0, 0, 1),
    "no UTF-8": (b"\xc3\x28\x80", 1, 2, 1),
    "a byte order mark": (b"\xef\xbb\xbf7", 0, 0, 0),
    "a part of a byte order mark": (b"\xef\xbb7", 1, 2, 1),
    "byte order marks": (b"\xef\xbb\xbf" * 2 + b"7", 1, 2, 1),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_output_is_rejected_and_fails_no_judge(bench: Bench, name: str) -> None:
    output, *codes = HOSTILE[name]
    for judge, code in zip(("tokens", "integer", "lines"), codes, strict=True):
        done = bench.run(judge, {"output": output, "answer": "7\n"})
        assert done.returncode == code, (judge, done.stderr[:200])
        assert len(done.stderr) < 40_000
        assert b"\0" not in done.stderr


def test_long_reals_and_patterns_come_to_an_end(bench: Bench) -> None:
    digits = b"0." + b"3" * (4 * MIB)
    assert bench.run("reals", {"output": digits, "answer": "0.33333333"}).returncode == 0
    example = {"input": "token\n[a-z]{1,9999999}x?", "output": b"a" * MIB}
    assert bench.run("patterns", example).returncode == 0
    example["input"] = "token\n(a|aa)*"
    assert bench.run("patterns", {**example, "output": b"a" * 2000 + b"b"}).returncode == 1


def test_a_message_may_go_to_a_file(bench: Bench) -> None:
    report = bench.folder / "report"
    done = bench.run("integer", {"output": "6", "answer": "5", "args": [str(report)]})
    assert (done.returncode, report.read_text()) == (1, "expected 5, found 6")
    done = bench.run("integer", {"output": "5", "answer": "5", "args": ["/nowhere/report"]})
    assert (done.returncode, done.stderr) == (3, b"FAIL cannot write the report\n")


def test_what_cannot_be_read_is_said(bench: Bench) -> None:
    program = bench.compiled("integer")
    for arguments, code, words in (
        ([], 3, b"FAIL a checker is called as"),
        (["none", "none", "none"], 3, b"FAIL cannot read the file none"),
        (["input", "none", "answer"], 2, b"wrong output format cannot read the file none"),
        (["input", "output", "none"], 3, b"FAIL cannot read the file none"),
    ):
        done = subprocess.run(
            [program, *arguments], cwd=bench.folder, capture_output=True, check=False
        )
        assert (done.returncode, words in done.stderr) == (code, True), done
    done = subprocess.run([bench.compiled("interactor_sums")], capture_output=True, check=False)
    assert (done.returncode, b"an interactor is called as" in done.stderr) == (3, True)


@pytest.mark.parametrize("standard", ["c++11", "gnu++14", "c++20", "gnu++23"])
def test_other_standards_without_a_warning(bench: Bench, standard: str) -> None:
    flags = (f"-std={standard}", "-fsyntax-only", "-Wall", "-Wextra", "-Werror")
    bench.compile(flags, FOLDER / "helpers.cpp", FOLDER / "many.cpp")


def test_several_sources_may_include_it(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "other.cpp").write_text(
        '#include "testlib.h"\nvoid done() { if (ouf.readInt() == 5) quitf(_ok, "five"); }'
    )
    (tmp_path / "main.cpp").write_text(
        '#include "testlib.h"\nvoid done();\n'
        "int main(int argc, char *argv[]) { registerTestlibCmd(argc, argv); done(); }"
    )
    program = bench.folder / "several"
    bench.compile(FLAGS, tmp_path / "main.cpp", tmp_path / "other.cpp", "-o", program)
    assert bench.run("several", {"output": "5"}).returncode == 0
    assert bench.run("several", {"output": "6"}).returncode == 3


def test_another_header_may_be_named(tmp_path: Path) -> None:
    own = tmp_path / "testlib.h"
    own.write_text("// mine")
    other = shutil.copy(own, tmp_path / "other.h")
    assert testlib.headers(str(own)) == testlib.headers(str(tmp_path)) == {"testlib.h": b"// mine"}
    assert testlib.headers(str(other)) == {"testlib.h": b"// mine"}
    assert testlib.HEADER in testlib.headers("")
    for path in (tmp_path / "none.h", tmp_path.parent):
        with pytest.raises(ConfigError, match=r"languages\.testlib_path: there is no file"):
            testlib.headers(str(path))
