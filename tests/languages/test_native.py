"""Languages that compile to one program: what their entries promise beside the self-tests."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from scalebox.languages import build
from scalebox.model import Limits, Submission
from scalebox.sandbox.slot import base_environment
from scalebox.sandbox.spec import RunLimits
from tests.engine.conftest import StartsEngine, stdio
from tests.languages.conftest import ALL, HERE

GO_TEST = """
package sum

import "testing"

func add(a, b int) int { return a + b }

func TestAdd(t *testing.T) {
    if add(3, 4) != 7 {
        t.Errorf("3 + 4 is not %d", add(3, 4))
    }
}
"""
D_TEST = """
int add(int a, int b) { return a + b; }
unittest { assert(add(3, 4) == 7); }
void main() {}
"""
#: Further files of a submission, by the language's own rules: source, files.
PARTS = {
    "go": (
        'package main\n\nimport "fmt"\n\nfunc main() { fmt.Println(seven()) }\n',
        {"more.go": "package main\n\nfunc seven() int { return 7 }\n"},
    ),
    "rust": (
        'mod more;\nfn main() { println!("{}", more::seven()); }\n',
        {"more.rs": "pub fn seven() -> u32 { 7 }\n"},
    ),
    "haskell": (
        "import More\nmain :: IO ()\nmain = print seven\n",
        {"More.hs": "module More where\nseven :: Int\nseven = 7\n"},
    ),
    "d": (
        "import std.stdio, more;\nvoid main() { writeln(seven()); }\n",
        {"more.d": "module more;\nint seven() { return 7; }\n"},
    ),
    "kotlin_script": (
        'fun main() { println("is not called") }\nprintln(seven(args.size))\n',
        {"more.kt": "fun seven(less: Int) = 7 - less\n"},
    ),
    "pascal": (
        "uses more;\nbegin writeln(seven); end.\n",
        {
            "more.pas": "unit more;\ninterface\nfunction seven: integer;\nimplementation\n"
            "function seven: integer; begin seven := 7; end;\nend.\n"
        },
    ),
    "verilog": (
        "module main;\n  wire [3:0] n;\n  more part(n);\n  initial #1 $display(n);\nendmodule\n",
        {"more.sv": "module more(output [3:0] n);\n  assign n = 7;\nendmodule\n"},
    ),
}
#: What comes with each compiler, beside the language itself.
LIBRARIES = {
    "go": 'package main\n\nimport (\n"fmt"\n"math/big"\n)\n\n'
    'func main() { fmt.Println(new(big.Int).Sub(big.NewInt(9), big.NewInt(2))) }\n',
    "haskell": "import qualified Data.Map as Map\nimport qualified Data.Text as Text\n"
    "import Control.Monad.State\nmain :: IO ()\n"
    'main = print (Map.size (Map.fromList (zip (Text.unpack (Text.pack "abcdefg"))'
    " [evalState get 1 ..])))\n",
    "ocaml": "let parts = Str.split (Str.regexp \"[a-z]\") \"1a6\"\nlet _ = Unix.gettimeofday ()\n"
    "let _ = Mutex.create ()\n"
    "let () = print_int (List.fold_left (+) 0 (List.map int_of_string parts))\n",
    "pascal": "{$mode objfpc}\nuses math, sysutils, strutils, fgl;\n"
    "type numbers = specialize TFPGList<integer>;\nvar all: numbers;\n"
    "begin\n  all := numbers.create;\n  all.add(max(3, 7));\n"
    "  writeln(inttostr(all[0]));\nend.\n",
}  # fmt: skip


@pytest.mark.parametrize("name", [name for name in PARTS if name in HERE])
async def test_further_files(start_engine: StartsEngine, name: str) -> None:
    source, files = PARTS[name]
    submission = stdio(
        source, [("", "7\n")], language=name,
        files=files,
    )  # fmt: skip
    async with start_engine() as engine:
        report = await engine.judge(submission, client="t")
        assert report.verdict.value == "accepted", report


@pytest.mark.parametrize("name", [name for name in LIBRARIES if name in HERE])
async def test_libraries(start_engine: StartsEngine, name: str) -> None:
    async with start_engine() as engine:
        submission = stdio(LIBRARIES[name], [("", "7\n")], language=name)
        report = await engine.judge(submission, client="t")
        assert report.verdict.value == "accepted", report


@pytest.mark.parametrize(
    ("name", "source", "output"),
    [
        case
        for case in (
            ("go_test", GO_TEST, "PASS\n"),
            ("d_ut", D_TEST, ""),
        )
        if case[0].removesuffix("_ut") in HERE
    ],
)
async def test_unit_tests_decide(
    start_engine: StartsEngine, name: str, source: str, output: str
) -> None:
    wrong = source.replace("a + b;", "a - b;").replace("return a + b }", "return a - b }")
    async with start_engine() as engine:
        for text, expected in ((source, "accepted"), (wrong, "runtime_error")):
            submission = stdio(text, [("", output)], language=name)
            report = await engine.judge(submission, client="t")
            assert report.verdict.value == expected, report


GARBAGE = """
package main

import (
    "fmt"
    "runtime"
)

func main() {
    live := make([][]byte, 150)
    for i := 0; i < 3000; i++ {
        live[i%len(live)] = make([]byte, 1<<20)
        for j := 0; j < 1<<20; j += 4096 {
            live[i%len(live)][j] = 1
        }
    }
    fmt.Println(runtime.GOMAXPROCS(0))
}
"""


def go_submission(source: str, answer: str) -> Submission:
    limits = Limits(cpu_time_s=10, memory_bytes=256 << 20)
    return stdio(source, [("", answer)], language="go", limits=limits)


@pytest.mark.parametrize("source", [GARBAGE] if "go" in HERE else [])
async def test_garbage_alone_does_not_exceed_the_limit_of_a_program_in_go(
    start_engine: StartsEngine, source: str
) -> None:
    # 150 MiB are in use: by itself the collector would let the heap grow to 300.
    async with start_engine() as engine:
        report = await engine.judge(go_submission(source, "1\n"), client="t")
        assert report.verdict.value == "accepted", report


@pytest.mark.parametrize("module", ["golang.org/x/exp/slices"] if "go" in HERE else [])
async def test_what_is_not_in_the_library_is_named_at_once(
    start_engine: StartsEngine, module: str
) -> None:
    source = f'package main\n\nimport _ "{module}"\n\nfunc main() {{}}\n'
    async with start_engine() as engine:
        report = await engine.judge(go_submission(source, ""), client="t")
        assert report.verdict.value == "compile_error"
        assert module in report.message


@pytest.mark.parametrize("name", [name for name in ("go", "go_test") if name in HERE])
def test_the_library_of_go_is_not_compiled_again(name: str, tmp_path: Path) -> None:
    language = ALL[name]
    test = language.entry.test
    assert test is not None
    limits = RunLimits(cpu_ns=1, wall_ns=1, memory_bytes=1 << 30, output_bytes=1, file_bytes=1,
                       processes=1, open_files=1, stack_bytes=1 << 20)  # fmt: skip
    plan = build.compile_plan(language, test.accepted.encode(), {}, limits, None)
    (tmp_path / language.entry.main_file).write_text(test.accepted)
    environment = {**base_environment(), **plan.env, "HOME": str(tmp_path), "GOFLAGS": "-x"}
    done = subprocess.run(
        plan.argv, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    compiled = [line for line in done.stderr.splitlines() if f"{os.sep}compile " in line]
    assert 1 <= len(compiled) <= 2, "the program, and what starts its tests"
