"""Submissions and test programs in every language that has `assert` tests: what each must come to.

The function under test squares a number; the test program asks for the squares of 2 and 3.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Programs:
    """Those of one language.

    Attributes:
        tests: the test program, in MultiPL-E's form.
        right, wrong: wrong is 4 for 2, too.
        fails: raises something that is no assertion.
        early: ways to end with success before the tests do.
        uncompilable: empty: nothing is compiled before it runs.
        fails_as: the verdict of `fails`; a test framework may tell an error from no failure.
    """

    tests: str
    right: str
    wrong: str
    fails: str
    early: tuple[str, ...]
    uncompilable: str = ""
    fails_as: str = "runtime_error"


_JAVA = (
    "import java.util.*;\nclass Problem {{ {more}\n"
    "    public static long square(long x) {{ {body}\n"
)
_OTHER_JAVA = "class First { public static void main/**/(String[] a) { } }\n"
_OTHER_CSHARP = "class First { static void Main/**/() { } }\n"
_CSHARP = (
    "using System;\nusing System.Diagnostics;\nclass Problem {{ {more}\n"
    "    public static long Square(long x) {{ {body}\n"
)
_SCALA = "object Problem {{ {more}\n    def square(x : Long) : Long = {{ {body}\n"
_GO = 'package square_test\n\nimport (\n    "testing"\n    "fmt"\n    "os"\n)\n{more}\n' + (
    "var _ = os.Args\n\nfunc square(x int) int {{ {body} }}\n"
)
_RACKET = "#lang racket\n(define (square x) {body})\n{more}"

PROGRAMS = {
    "javascript": Programs(
        tests="const assert = require('node:assert');\n\nfunction test() {\n"
        "  let candidate = square;\n  assert.deepEqual(candidate(2),4);\n"
        "  assert.deepEqual(candidate(3),9);\n}\n\ntest();",
        right="const square = x => x * x;\nconsole.log(square(4));",
        wrong="const square = x => x + x;",
        fails="const square = x => { throw new Error('on purpose'); };",
        early=(
            "const square = x => process.exit(0);",
            "const square = x => x;\nprocess.exit(0);",
            "const square = x => x;\nreturn;",
            "const square = x => { process.on('exit', () => process.reallyExit(0)); return 0; };",
            "const square = x => { process.on('uncaughtException', () => {}); return 0; };",
            "const square = x => x;\nif (false)",
            "const square = x => x;\n/*",
        ),
    ),
    "typescript": Programs(
        tests="declare var require: any;\nconst assert = require('node:assert');\n\n"
        "function test() {\n  let candidate = square;\n  assert.deepEqual(candidate(2),4);\n"
        "  assert.deepEqual(candidate(3),9);\n}\n\ntest();",
        right="function square(x: number): number { return x * x; }\nconsole.log(square(4));",
        wrong="function square(x: number): number { return x + x; }",
        fails="function square(x: number): number { throw new Error('on purpose'); }",
        early=(
            "declare var process: any;\nfunction square(x: number): number { process.exit(0); }",
            "function square(x: number): number { return 0; }\nreturn;",
        ),
        uncompilable="function square(x: number: number { return x * x; }",
    ),
    "php": Programs(
        tests="function candidate(...$args) {\n    return square(...$args);\n}\n\n"
        "function test(): void {\n"
        '    if (candidate(2) !== 4) { throw new Exception("Test failed!"); }\n'
        '    if (candidate(3) !== 9) { throw new Exception("Test failed!"); }\n}\n\ntest();',
        right="<?php\nfunction square($x) { return $x * $x; }\necho square(4);\n?>\n",
        wrong="<?php\nfunction square($x) { return $x + $x; }\n",
        fails="<?php\nfunction square($x) { throw new Exception('on purpose'); }",
        early=(
            "<?php\nfunction square($x) { exit(0); }",
            "<?php\nfunction square($x) { return 0; }\nreturn;",
            "<?php\nfunction square($x) { return 0; }\nexit;",
            "<?php\nfunction square($x) { return 0; }\n__halt_compiler();",
            "<?php\nset_exception_handler(fn () => exit(0));\nfunction square($x) { return 0; }",
            "<?php\nregister_shutdown_function(fn () => exit(0));\n"
            "function square($x) { return 0; }",
        ),
    ),
    "ruby": Programs(
        tests="require 'test/unit'\nclass TestHumanEval < Test::Unit::TestCase\n  def test_square\n"
        "    candidate = method(:square)\n    assert_equal(4, candidate.call(2))\n"
        "    assert_equal(9, candidate.call(3))\n  end\nend",
        right="def square(x)\n  x * x\nend\nputs square(4)",
        wrong="def square(x)\n  x + x\nend",
        fails="def square(x)\n  raise 'on purpose'\nend",
        fails_as="wrong_answer",
        early=(
            "def square(x)\n  exit(0)\nend",
            "def square(x)\n  exit!(0)\nend",
            "def square(x)\n  0\nend\nexit",
            "def square(x)\n  0\nend\nreturn",
            "def square(x)\n  0\nend\n__END__",
            "def square(x)\n  0\nend\nat_exit { exit!(0) }",
        ),
    ),
    "perl": Programs(
        tests="use Test::Deep;\n\n\nsub testhumaneval {\n    my $candidate = \\&square;\n"
        '        if(eq_deeply($candidate->(2),4)) {\n        print "ok!" }else{\n        exit 1;\n'
        '        }\n        if(eq_deeply($candidate->(3),9)) {\n        print "ok!" }else{\n'
        "        exit 1;\n        }\n}\n\ntesthumaneval();",
        right="sub square {\n    my ($x) = @_;\n    return $x * $x;\n}\nprint square(4);",
        wrong="sub square { my ($x) = @_; return $x + $x; }",
        fails="sub square { die 'on purpose'; }",
        early=(
            "sub square { exit 0; }",
            "use POSIX;\nsub square { POSIX::_exit(0); }",
            "sub square { 0 }\nexit;",
            "sub square { 0 }\n__END__",
            "sub square { 0 }\nEND { $? = 0 }",
        ),
    ),
    "lua": Programs(
        tests="lu = require('luaunit')\n\nfunction test_humaneval()\nlocal candidate = square\n"
        "    lu.assertEquals(candidate(2), 4)\n    lu.assertEquals(candidate(3), 9)\nend\n\n"
        "os.exit(lu.LuaUnit.run())",
        right="local function square(x)\n    return x * x\nend\nprint(square(4))",
        wrong="local function square(x)\n    return x + x\nend",
        fails="local function square(x)\n    error('on purpose')\nend",
        fails_as="wrong_answer",
        early=(
            "local function square(x)\n    os.exit(0)\nend",
            "local function square(x)\n    os.exit(true)\nend",
            "local function square(x)\n    return 0\nend\ndo return end",
            "local function square(x)\n    return 0\nend\nos.exit(0)",
        ),
    ),
    "r": Programs(
        tests="test_humaneval <- function() {\n    candidate <- square\n"
        "    stopifnot(isTRUE(all.equal(candidate(2), 4)))\n"
        "    stopifnot(isTRUE(all.equal(candidate(3), 9)))\n}\ntest_humaneval()",
        right="square <- function(x) {\n  return(x * x)\n}\nprint(square(4))",
        wrong="square <- function(x) {\n  return(x + x)\n}",
        fails="square <- function(x) {\n  stop('on purpose')\n}",
        early=(
            "square <- function(x) quit(status = 0)",
            "square <- function(x) 0\nq('no')",
            "square <- function(x) 0\noptions(error = quote(q('no', status = 0)))",
        ),
    ),
    "bash": Programs(
        tests='}\n\ncandidate() {\n    square "$@"\n}\n\nset -e\nrun_test() {\n'
        '    [[ $(candidate "2") = "4" ]]\n    [[ $(candidate "3") = "9" ]]\n}\n\nrun_test',
        right="#!/bin/bash\nsquare() {\n    echo $(($1 * $1))\n",
        wrong="#!/bin/bash\nsquare() {\n    echo $(($1 + $1))\n",
        fails="#!/bin/bash\nsquare() {\n    no_such_command\n",
        fails_as="wrong_answer",
        early=(
            "exit 0\nsquare() {\n    echo 0\n",
            "trap 'exit 0' EXIT\nsquare() {\n    echo 0\n",
            "trap 'exit 0' ERR\nsquare() {\n    echo 0\n",
            "square() {\n    kill -9 $$\n",
            "square() {\n    kill -TERM 0\n",
            "exec true\nsquare() {\n",
        ),
    ),
    "racket": Programs(
        tests="(require rackunit)\n\n(define (test-humaneval) \n\n  (let (( candidate square))\n"
        "    (check-within (candidate 2) 4 0.001)\n    (check-within (candidate 3) 9 0.001)\n"
        "))\n\n(test-humaneval)",
        right=_RACKET.format(body="(* x x)", more="(square 4)"),
        wrong=_RACKET.format(body="(+ x x)", more=""),
        fails=_RACKET.format(body="(error 'purpose)", more=""),
        fails_as="wrong_answer",
        early=(
            _RACKET.format(body="(exit 0)", more=""),
            _RACKET.format(body="0", more="(exit 0)"),
            _RACKET.format(body="0", more="#;"),
        ),
        uncompilable=_RACKET.format(body="(", more=""),
    ),
    "julia": Programs(
        tests="using Test\n\n@testset begin\n\ncandidate = square;\n\t@test(candidate(2) == 4)\n"
        "\t@test(candidate(3) == 9)\nend",
        right="function square(x::Int64)::Int64\n    return x * x\nend\nprintln(square(4))",
        wrong="function square(x::Int64)::Int64\n    return x + x\nend",
        fails='function square(x::Int64)::Int64\n    error("on purpose")\nend',
        fails_as="wrong_answer",
        early=("function square(x::Int64)::Int64\n    exit(0)\nend", "square(x) = 0\nexit(0)"),
    ),
    "java": Programs(
        tests="    }\n    public static void main(String[] args) {\n"
        "    assert(square((2l)) == (4l));\n"
        "    assert(square((3l)) == (9l));\n    }\n\n}",
        right=_JAVA.format(more="static class Node { int[] n = {1}; }", body="return x * x;"),
        wrong=_JAVA.format(more="", body="return x + x;"),
        fails=_JAVA.format(more="", body='throw new IllegalStateException("on purpose");'),
        early=(
            _JAVA.format(more="", body="System.exit(0); return 0;"),
            _JAVA.format(more="", body="Runtime.getRuntime().halt(0); return 0;"),
            _JAVA.format(more="static { System.exit(0); }", body="return 0;"),
            _JAVA.format(
                more="static { Runtime.getRuntime().addShutdownHook("
                "new Thread(() -> Runtime.getRuntime().halt(0))); }",
                body="return 0;",
            ),
            _JAVA.format(more="", body="return 0;").replace("class", _OTHER_JAVA + "class"),
            _JAVA.format(
                more="static { Thread.setDefaultUncaughtExceptionHandler("
                "(t, e) -> System.exit(0)); }",
                body="return 0;",
            ),
        ),
        uncompilable=_JAVA.format(more="", body="return y;"),
    ),
    "csharp": Programs(
        tests="    }\n    public static void Main(string[] args) {\n"
        "    Debug.Assert(Square((2L)) == (4L));\n"
        "    Debug.Assert(Square((3L)) == (9L));\n    }\n\n}",
        right=_CSHARP.format(more="", body="return x * x;"),
        wrong=_CSHARP.format(more="", body="return x + x;"),
        fails=_CSHARP.format(more="", body='throw new Exception("on purpose");'),
        early=(
            _CSHARP.format(more="", body="Environment.Exit(0); return 0;"),
            _CSHARP.format(more="static Problem() { Environment.Exit(0); }", body="return 0;"),
            _CSHARP.format(more="", body="return 0;").replace("class", _OTHER_CSHARP + "class"),
        ),
        uncompilable=_CSHARP.format(more="", body="return y;"),
    ),
    "scala": Programs(
        tests="    }\n    def main(args: Array[String]) = {\n    assert(square((2l)) == (4l));\n"
        "    assert(square((3l)) == (9l));\n    }\n\n}",
        right=_SCALA.format(more="class Node(val n: Int) { }", body="x * x"),
        wrong=_SCALA.format(more="", body="x + x"),
        fails=_SCALA.format(more="", body='throw new IllegalStateException("on purpose")'),
        early=(
            _SCALA.format(more="", body="sys.exit(0)"),
            _SCALA.format(more="", body="Runtime.getRuntime.halt(0); 0"),
            _SCALA.format(more="sys.exit(0)", body="0"),
        ),
        uncompilable=_SCALA.format(more="", body="y"),
    ),
    "kotlin": Programs(
        tests="fun main() {\n    check(square(2) == 4L)\n    assert(square(3) == 9L)\n}\n",
        right="fun square(x: Long): Long = x * x\n",
        wrong="fun square(x: Long): Long = x + x\n",
        fails='fun square(x: Long): Long = throw IllegalStateException("on purpose")\n',
        early=(
            "import kotlin.system.exitProcess\nfun square(x: Long): Long = exitProcess(0)\n",
            "fun square(x: Long): Long = 0\nval end = Runtime.getRuntime().halt(0)\n",
        ),
        uncompilable="fun square(x: Long): Long = y\n",
    ),
    "go": Programs(
        tests="func TestSquare(t *testing.T) {\n  candidate := square\n\ttype test struct {\n"
        "\t\tactual   interface{}\n\t\texpected interface{}\n\t}\n   tests := []test{\n"
        "     { actual: candidate(2), expected: 4 },\n     { actual: candidate(3), expected: 9 },\n"
        '   }\n\n\tfor i, tc := range tests {\n\t\tt.Run(fmt.Sprintf("test num % d", i), '
        'func(t *testing.T) {\n\t\t\tif fmt.Sprintf("%v", tc.actual) != '
        'fmt.Sprintf("%v", tc.expected) {\n'
        "\t\t\t\tt.Errorf(\"expected '%s', got '%s'\", tc.expected, tc.actual)\n"
        "\t\t\t}\n\t\t})\n\t}\n}\n",
        right=_GO.format(more="", body="return x * x"),
        wrong=_GO.format(more="", body="return x + x"),
        fails=_GO.format(more="", body='panic("on purpose")'),
        early=(
            _GO.format(more="", body="os.Exit(0); return 0"),
            _GO.format(more="func init() { os.Exit(0) }", body="return 0"),
            _GO.format(more="func TestMain(m *testing.M) { os.Exit(0) }", body="return 0"),
            _GO.format(more="", body="return 0") + "/*",
        ),
        uncompilable=_GO.format(more="", body="return y"),
    ),
    "rust": Programs(
        tests="}\n\nfn main() {\n    let candidate = square;\n    assert_eq!(candidate(2), 4);\n"
        "    assert_eq!(candidate(3), 9);\n}\n",
        right='fn main() { println!("{}", square(4)); }\nfn square(x: i64) -> i64 {\n    x * x\n',
        wrong="fn square(x: i64) -> i64 {\n    x + x\n",
        fails='fn square(x: i64) -> i64 {\n    panic!("on purpose")\n',
        early=(
            "fn square(x: i64) -> i64 {\n    std::process::exit(0)\n",
            "fn square(x: i64) -> i64 {\n"
            "    std::panic::set_hook(Box::new(|_| std::process::exit(0))); 0\n",
        ),
        uncompilable="fn square(x: i64) -> i64 {\n    y\n",
    ),
    "d": Programs(
        tests="unittest\n{\n    alias candidate = square;\n\n    assert(candidate(2L) == 4L);\n"
        "    assert(candidate(3L) == 9L);\n}\nvoid main(){}",
        right="import std.stdio;\nlong square(long x) { return x * x; }\n"
        "void main() { writeln(square(4)); }\n",
        wrong="long square(long x) { return x + x; }\n",
        fails='long square(long x) { throw new Exception("on purpose"); }\n',
        fails_as="wrong_answer",
        early=(
            "import core.stdc.stdlib;\nlong square(long x) { exit(0); return 0; }\n",
            "long square(long x) { return 0; }\nversion(none)",
            "long square(long x) { return 0; }\nversion(none):",
            "import core.runtime;\nlong square(long x) { return 0; }\n"
            "shared static this() { Runtime.moduleUnitTester = () => true; }\n",
            'extern(C) __gshared string[] rt_options = ["testmode=run-main"];\n'
            "long square(long x) { return 0; }\n",
        ),
        uncompilable="long square(long x) { return y; }\n",
    ),
}
