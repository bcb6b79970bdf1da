"""Programs as people write them, in languages that need more than their interpreter's defaults."""

from __future__ import annotations

import pytest

from tests.engine.conftest import LEVELS, StartsEngine, stdio
from tests.languages.conftest import HERE

#: Ways to read all of standard input; each writes the sum of its numbers.
JAVASCRIPT = {
    "descriptor": "sum(require('fs').readFileSync(0, 'utf8'));",
    "device": "sum(require('fs').readFileSync('/dev/stdin').toString());",
    "module": "import { readFileSync } from 'fs'; sum(readFileSync(0, 'utf8'));",
    "events": """
        let text = '';
        process.stdin.resume();
        process.stdin.setEncoding('utf8');
        process.stdin.on('data', part => { text += part; });
        process.stdin.on('end', () => sum(text));
        """,
    "chunks": """
        let text = '';
        (async () => { for await (const part of process.stdin) text += part; sum(text); })();
        """,
    "lines": """
        const reader = require('readline').createInterface({ input: process.stdin });
        let text = '';
        reader.on('line', line => { text += line + ' '; }).on('close', () => sum(text));
        """,
    "lines with an output": """
        const options = { input: process.stdin, output: process.stdout, terminal: false };
        const reader = require('node:readline').createInterface(options);
        const lines = [];
        reader.on('line', line => lines.push(line));
        reader.on('close', () => sum(lines.join(' ')));
        """,
    "lines awaited": """
        const reader = require('readline').createInterface({ input: process.stdin });
        let text = '';
        (async () => { for await (const line of reader) text += line + ' '; sum(text); })();
        """,
}
SUM = """
function sum(text) {
    console.log(text.trim().split(/\\s+/).map(Number).reduce((a, b) => a + b));
}
"""
READS = {
    "javascript": {way: text + SUM for way, text in JAVASCRIPT.items()},
    "typescript": {
        way: text + SUM.replace("text", "text: string", 1) for way, text in JAVASCRIPT.items()
    },
    "python": {
        "descriptor": "print(sum(map(int, open(0).read().split())))",
        "device": "print(sum(map(int, open('/dev/stdin').read().split())))",
        "lines": "import sys\nprint(sum(int(one) for line in sys.stdin for one in line.split()))",
    },
}

#: Calls itself as often as it is told, and not as a loop.
RECURSIONS = {
    "python": (
        10_000,
        "import sys\nsys.setrecursionlimit(20_000)\n"
        "def down(n): return 0 if n == 0 else 1 + down(n - 1)\nprint(down(int(input())))\n",
    ),
    "java": (
        1_000_000,
        """
        class Deep {
            static int down(int n) { return n == 0 ? 0 : 1 + down(n - 1); }
            public static void main(String[] args) {
                System.out.println(down(new java.util.Scanner(System.in).nextInt()));
            }
        }
        """,
    ),
    "kotlin": (
        1_000_000,
        """
        fun down(n: Int): Int = if (n == 0) 0 else 1 + down(n - 1)
        fun main() { println(down(readln().toInt())) }
        """,
    ),
    "scala": (
        1_000_000,
        """
        object Deep {
          def down(n: Int): Int = if (n == 0) 0 else 1 + down(n - 1)
          def main(args: Array[String]): Unit = println(down(scala.io.StdIn.readInt()))
        }
        """,
    ),
    "csharp": (
        1_000_000,
        """
        class Deep {
            static int Down(int n) { return n == 0 ? 0 : 1 + Down(n - 1); }
            static void Main() {
                System.Console.WriteLine(Down(int.Parse(System.Console.ReadLine())));
            }
        }
        """,
    ),
    "javascript": (
        1_000_000,
        """
        const down = n => n === 0 ? 0 : 1 + down(n - 1);
        console.log(down(+require('fs').readFileSync(0)));
        """,
    ),
    "typescript": (
        1_000_000,
        """
        import * as fs from "fs";
        function down(n: number): number { return n === 0 ? 0 : 1 + down(n - 1); }
        console.log(down(Number(fs.readFileSync(0, "utf8"))));
        """,
    ),
    "php": (
        1_000_000,
        "<?php function down($n) { return $n == 0 ? 0 : 1 + down($n - 1); }\n"
        "echo down((int) fgets(STDIN));",
    ),
    "ruby": (100_000, "def down(n) = n == 0 ? 0 : 1 + down(n - 1)\nputs down(gets.to_i)\n"),
    "perl": (
        1_000_000,
        "sub down { my $n = shift; return $n == 0 ? 0 : 1 + down($n - 1) }\n"
        "print down(<STDIN> + 0);",
    ),
    "lua": (
        100_000,
        "local function down(n) if n == 0 then return 0 end return 1 + down(n - 1) end\n"
        "print(down(io.read('n')))",
    ),
    "r": (
        1_000,
        "down <- function(n) if (n == 0) 0 else 1 + down(n - 1)\n"
        "cat(down(scan(file('stdin'), quiet = TRUE)))\n",
    ),
    "bash": (
        5_000,
        "down() { if (($1 == 0)); then r=0; else down $(($1 - 1)); r=$((r + 1)); fi; }\n"
        "read -r n; down $n; echo $r\n",
    ),
    "racket": (
        1_000_000,
        "#lang racket\n(define (down n) (if (= n 0) 0 (+ 1 (down (- n 1)))))\n"
        "(displayln (down (read)))\n",
    ),
}

#: Writes a character beyond ASCII, then the line that it is given.
LETTERS = {
    "python": "print('漢' + input())\n",
    "java": """
        public class Äpfel {
            record Pair(String a, String b) { }
            public static void main(String[] args) throws java.io.IOException {
                var in = new java.io.BufferedReader(new java.io.InputStreamReader(System.in));
                var pair = new Pair("漢", in.readLine());
                System.out.println(pair.a() + pair.b());
            }
        }
        """,
    "kotlin": 'fun main() = println("漢" + readln())\n',
    "scala": '@main def letters() = println("漢" + scala.io.StdIn.readLine())\n',
    "csharp": """
        class Letters {
            static void Main() { System.Console.WriteLine("漢" + System.Console.ReadLine()); }
        }
        """,
    "javascript": "console.log('漢' + require('fs').readFileSync(0, 'utf8').trim());\n",
    "typescript": """
        import { readFileSync } from "fs";
        const line: string = readFileSync(0, "utf8").trim();
        console.log("漢" + line);
        """,
    "php": "<?php echo '漢', fgets(STDIN);",
    "ruby": "puts '漢' + gets\n",
    "perl": "print '漢' . <STDIN>;\n",
    "lua": "print('漢' .. io.read('l'))\n",
    "r": "cat('漢', readLines(file('stdin')), '\\n', sep = '')\n",
    "bash": 'read -r line; echo "漢$line"\n',
    "racket": '#lang racket\n(displayln (string-append "漢" (read-line)))\n',
}
LINE = "naïve 😀 ✓\n"


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", [name for name in READS if name in HERE])
async def test_ways_to_read(start_engine: StartsEngine, name: str, level: str) -> None:
    cases = [("1 2\n3 4\n", "10"), ("5", "5"), ("1\n" * 20_000, "20000")]
    async with start_engine(sandbox={"slots": 2, "isolation": level}) as engine:
        for way, source in READS[name].items():
            report = await engine.judge(stdio(source, cases, language=name), client="t")
            assert report.accepted, (way, report.message)


@pytest.mark.parametrize("name", [name for name in RECURSIONS if name in HERE])
async def test_recursion_is_as_deep_as_the_language_allows(
    start_engine: StartsEngine, name: str
) -> None:
    depth, source = RECURSIONS[name]
    async with start_engine() as engine:
        cases = [(f"{depth}\n", f"{depth}\n")]
        report = await engine.judge(stdio(source, cases, language=name), client="t")
        assert report.accepted, report.message


@pytest.mark.parametrize("name", [name for name in LETTERS if name in HERE])
async def test_letters_of_all_scripts(start_engine: StartsEngine, name: str) -> None:
    async with start_engine() as engine:
        cases = [(LINE, "漢" + LINE)]
        report = await engine.judge(stdio(LETTERS[name], cases, language=name), client="t")
        assert report.accepted, report.message


#: What a compiler says first of a source with a mistake at its beginning.
MISTAKES = {"kotlin": ("val\n", "Main.kt:1:"), "kotlin_script": ("val\n", "solution.kts:1:")}


@pytest.mark.parametrize("name", [name for name in MISTAKES if name in HERE])
async def test_nothing_is_said_before_the_mistake(start_engine: StartsEngine, name: str) -> None:
    # What a compiler may not do in a slot is no news to who wrote the source.
    source, begin = MISTAKES[name]
    async with start_engine(sandbox={"slots": 1, "isolation": "minimal"}) as engine:
        report = await engine.judge(stdio(source, [("", "")], language=name), client="t")
        assert report.verdict.value == "compile_error"
        assert report.message.startswith(begin), report.message


#: Other versions of a language than its tool chain's, as far as that takes them.
OLDER = {
    "scala": """
        object Main {
            def main(args: Array[String]) { println(io.StdIn.readLine.split(" ").map(_.toInt).sum) }
        }
        """,
}


@pytest.mark.parametrize("name", [name for name in OLDER if name in HERE])
async def test_older_versions_are_right_too(start_engine: StartsEngine, name: str) -> None:
    async with start_engine() as engine:
        report = await engine.judge(stdio(OLDER[name], [("1 2\n", "3")], language=name), client="t")
        assert report.accepted, report.message
