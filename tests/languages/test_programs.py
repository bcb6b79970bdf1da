"""Programs as people write them, in languages that need more than their interpreter's defaults."""

from __future__ import annotations

import pytest

from tests.engine.conftest import LEVELS, StartsEngine, stdio
from tests.languages.conftest import HERE

#: Ways to read all of standard input; each writes the sum of its numbers.
READS_IN_JAVASCRIPT = {
    "descriptor": "const text = require('fs').readFileSync(0, 'utf8'); sum(text);",
    "device": "const text = require('fs').readFileSync('/dev/stdin').toString(); sum(text);",
    "events": """
        let text = ''; process.stdin.resume(); process.stdin.setEncoding('utf8');
        process.stdin.on('data', part => { text += part; }); process.stdin.on('end', () => sum(text));
    """,
    "chunks": """
        (async () => { let text = ''; for await (const part of process.stdin) text += part; sum(text); })();
    """,
    "lines": """
        const reader = require('readline').createInterface({ input: process.stdin });
        const lines = []; reader.on('line', line => lines.push(line)).on('close', () => sum(lines.join(' ')));
    """,
    "lines with an output": """
        const readline = require('node:readline');
        const reader = readline.createInterface({ input: process.stdin, output: process.stdout, terminal: false });
        const lines = []; reader.on('line', line => lines.push(line)); reader.on('close', () => sum(lines.join(' ')));
    """,
    "lines awaited": """
        const reader = require('readline').createInterface({ input: process.stdin });
        (async () => { let text = ''; for await (const line of reader) text += line + ' '; sum(text); })();
    """,
    "module": "import { readFileSync } from 'fs'; sum(readFileSync(0, 'utf8'));",
}
SUM = "\nfunction sum(text) { console.log(text.trim().split(/\\s+/).map(Number).reduce((a, b) => a + b)); }\n"

#: Calls itself as often as it is told, and not as a loop.
RECURSIONS = {
    "java": (
        1_000_000,
        """
        class Deep {
            static int down(int n) { return n == 0 ? 0 : 1 + down(n - 1); }
            public static void main(String[] a) { System.out.println(down(new java.util.Scanner(System.in).nextInt())); }
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
            static void Main() { System.Console.WriteLine(Down(int.Parse(System.Console.ReadLine()))); }
        }
        """,
    ),
    "javascript": (
        1_000_000,
        "const down = n => n === 0 ? 0 : 1 + down(n - 1); console.log(down(+require('fs').readFileSync(0)));",
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
        "<?php function down($n) { return $n == 0 ? 0 : 1 + down($n - 1); } echo down((int) fgets(STDIN));",
    ),
    "ruby": (100_000, "def down(n) = n == 0 ? 0 : 1 + down(n - 1)\nputs down(gets.to_i)\n"),
    "perl": (
        1_000_000,
        "sub down { my $n = shift; return $n == 0 ? 0 : 1 + down($n - 1) } print down(<STDIN> + 0);",
    ),
    "lua": (
        100_000,
        "local function down(n) if n == 0 then return 0 end return 1 + down(n - 1) end print(down(io.read('n')))",
    ),
    "r": (
        1_000,
        "down <- function(n) if (n == 0) 0 else 1 + down(n - 1)\ncat(down(scan(file('stdin'), quiet = TRUE)))\n",
    ),
    "bash": (
        5_000,
        "down() { if (($1 == 0)); then r=0; else down $(($1 - 1)); r=$((r + 1)); fi; }; read -r n; down $n; echo $r\n",
    ),
    "racket": (
        1_000_000,
        "#lang racket\n(define (down n) (if (= n 0) 0 (+ 1 (down (- n 1)))))\n(displayln (down (read)))\n",
    ),
}

#: Writes a character beyond ASCII, then the line that it is given.
LETTERS = {
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
        class Letters { static void Main() { System.Console.WriteLine("漢" + System.Console.ReadLine()); } }
        """,
    "javascript": "console.log('漢' + require('fs').readFileSync(0, 'utf8').trim());\n",
    "typescript": "declare const require: any; console.log('漢' + require('fs').readFileSync(0, 'utf8').trim());\n",
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
@pytest.mark.parametrize("name", [name for name in ("javascript", "typescript") if name in HERE])
async def test_standard_input_in_javascript(
    start_engine: StartsEngine, name: str, level: str
) -> None:
    cases = [("1 2\n3 4\n", "10"), ("5", "5"), ("1\n" * 20_000, "20000")]
    sum_ = SUM.replace("sum(text)", "sum(text: string): void", 1) if name == "typescript" else SUM
    async with start_engine(sandbox={"slots": 2, "isolation": level}) as engine:
        for way, source in READS_IN_JAVASCRIPT.items():
            report = await engine.judge(stdio(source + sum_, cases, language=name), client="t")
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
