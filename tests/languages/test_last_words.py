"""What a message says of a program that failed: the words of its runtime that say why."""

from __future__ import annotations

import asyncio

from tests.engine.conftest import StartsEngine, stdio
from tests.languages.conftest import ALL, HERE

CAUSED = """
public class Main {
    static int down(int n) { return n == 0 ? (new int[0])[n] : down(n - 1); }
    public static void main(String[] args) {
        try {
            down(2000);
        } catch (RuntimeException inner) {
            throw new IllegalStateException("outer", inner);
        }
    }
}
"""
OWN_WORDS = """
public class Main {
    public static void main(String[] args) {
        System.err.println("one\\n\\tat two\\nthree");
        System.exit(3);
    }
}
"""
GO = 'package main\nimport "os"\n'
RUBY = "def down(n)\n  n == 0 ? raise(ArgumentError, 'deep') : down(n - 1)\nend\ndown(9)\n"
#: Language → (source, how the message begins); an empty source is the self-test's that fails.
FAILING = {
    "bash": [("nothing_here\nexit 3\n", "exit code 3: solution.sh: line 1: nothing_here: ")],
    "c": [("", "ended by SIGABRT")],
    "cpp": [("", "ended by SIGABRT: what():  vector::_M_range_check")],
    "csharp": [("", "exit code 1: [ERROR] FATAL UNHANDLED EXCEPTION: System.IndexOutOfRange")],
    "d": [("", "exit code 1: core.exception.ArrayIndexError@solution.d(4): index [8] is out of")],
    "go": [
        ("", "exit code 2: panic: runtime error: index out of range [8] with length 3"),
        (GO + "func f(n int) int { return f(n+1) + 1 }\nfunc main() { os.Exit(f(0)) }\n",
         "exit code 2: fatal error: stack overflow"),
        (GO + 'func main() { os.Stderr.WriteString("own words\\n"); os.Exit(4) }\n',
         "exit code 4: own words"),
    ],
    "haskell": [
        ("", "exit code 1: solution: Prelude.!!: index too large"),
        ('main :: IO ()\nmain = error "on purpose"\n', "exit code 1: solution: on purpose"),
    ],
    "java": [
        ("", 'exit code 1: Exception in thread "main" java.lang.ArithmeticException: / by zero'),
        (CAUSED, "exit code 1: Caused by: java.lang.ArrayIndexOutOfBoundsException: Index 0"),
        (OWN_WORDS, "exit code 3: three"),
    ],
    "javascript": [
        ("", "exit code 1: Error: on purpose"),
        ("require('fs').readFileSync('nowhere');\n", "exit code 1: Error: ENOENT: no such file"),
        ("Promise.reject(new TypeError('late'));\n", "exit code 1: TypeError: late"),
        ("throw 'a text';\n", "exit code 1: a text"),
    ],
    "jest": [("", "exit code 1: ● fails")],
    "kotlin": [("", 'exit code 1: Exception in thread "main" java.lang.ArrayIndexOutOfBounds')],
    "kotlin_script": [("", 'exit code 1: Exception in thread "main" java.lang.ArrayIndexOutOf')],
    "lua": [("", "exit code 1: /usr/bin/lua5.4: solution.lua:1: on purpose")],
    "ocaml": [("", "exit code 2: Fatal error: exception Invalid_argument")],
    "pascal": [("", "exit code 200: Runtime error 200 at $")],
    "perl": [("", "exit code 255: on purpose at solution.pl line 1.")],
    "php": [("", "exit code 255: Fatal error: Uncaught RuntimeException: on purpose in ")],
    "pytest": [("", "exit code 1: FAILED test_solution.py::test_fails")],
    "python": [("", "exit code 1: ValueError: on purpose")],
    "r": [
        ("", "exit code 1: Error: on purpose"),
        ("f <- function(n) stop('inside')\ng <- function() f(3)\ng()\n",
         "exit code 1: Error in f(3) : inside"),
    ],
    "racket": [
        ("#lang racket\n(define (f n) (error \"inside\" n))\n(add1 (f 3))\n",
         "exit code 1: inside 3"),
        ("#lang racket\n(car (read))\n", "exit code 1: car: contract violation"),
    ],
    "ruby": [(RUBY, "exit code 1: solution.rb:2:in `down': deep (ArgumentError)")],
    "rust": [
        ("", "exit code 101: index out of bounds: the len is 0 but the index is 7"),
        ("fn main() { assert_eq!(1, std::env::args().count() + 1); }\n",
         "exit code 101: assertion `left == right` failed"),
    ],
    "scala": [("", "exit code 1: Caused by: java.lang.NullPointerException: ")],
    "typescript": [("", "exit code 1: Error: on purpose")],
}  # fmt: skip
#: Their runtimes say it on standard output, where it is output like any other, or nothing.
SILENT = {"go_test", "junit", "verilog"}


def test_every_language_is_looked_at() -> None:
    assert HERE
    assert {name for name in HERE if name not in FAILING} <= SILENT


async def test_a_message_says_what_the_runtime_says_of_the_failure(
    start_engine: StartsEngine,
) -> None:
    programs = [
        (name, source or _own(name), begin)
        for name, programs in FAILING.items()
        if name in HERE
        for source, begin in programs
    ]
    async with start_engine() as engine:
        reports = await asyncio.gather(
            *(
                engine.judge(stdio(source, [("3 4\n", "7\n")], language=name), client="t")
                for name, source, _ in programs
            )
        )
    told = {
        f"{name}: {begin}": report.cases[0].message if report.cases else report.message
        for (name, _, begin), report in zip(programs, reports, strict=True)
        if report.verdict.value != "runtime_error" or not report.cases[0].message.startswith(begin)
    }
    assert not told


def _own(name: str) -> str:
    test = ALL[name].entry.test
    assert test is not None
    return test.runtime_error
