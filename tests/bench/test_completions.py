"""A model's answer as a submission: what is cut off, what is brought along, how it is broken."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from bench import completions
from bench.completions import SHAPES, Task

CPP = """Here it is:
```cpp
#include <vector>
int main_size(int x) { return x; }
int main() {
    if (square(2) != 4) { return 1; } // }
    return '}' == 0;
}
int square(int x) {
    return main_size(x) * x;
}
```
Good luck!
"""
JAVA = """```java
class Problem {
    static String brace = "{";
    public static void main(String[] args) throws Exception {
        System.out.println(square(4));
    }
    public static long square(long x) {
        return x * x;
    }
}
class Other { }
```"""


def task(tmp_path: Path, ending: str, prompt: str, answer: str, tests: str = "") -> Task:
    """As read from a file of one row."""
    row = {"name": "t", "prompt": prompt, "gpt_solution": answer, "tests": tests}
    path = tmp_path / f"some-{ending}.jsonl.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
    (found,) = completions.read(path)
    return found


def test_a_closing_test_program_finds_the_function_open(tmp_path: Path) -> None:
    found = task(tmp_path, "cpp", "#include <map>\nint square(int x) {\n", CPP)
    assert found.language == "cpp"
    assert found.source == (
        "#include <map>\n#include <vector>\nint main_size(int x) { return x; }\n\n"
        "int square(int x) {\n    return main_size(x) * x;\n"
    )
    assert "int square(int x) {\nreturn {};\n" in found.hollow


def test_a_class_is_left_open_and_its_main_is_cut_off(tmp_path: Path) -> None:
    found = task(tmp_path, "java", "    public static long square(long x) {\n", JAVA)
    assert "main" not in found.source
    assert found.source.rstrip().endswith("return x * x;")
    assert "if (true) return 0L;" in found.hollow


def test_a_body_alone_follows_its_prompt(tmp_path: Path) -> None:
    found = task(tmp_path, "js", "function square(x){\n", "```js\n  return x * x;\n}\n```")
    assert found.source == "function square(x){\n  return x * x;\n}"


@pytest.mark.parametrize(
    ("ending", "prompt", "answer", "line"),
    [
        ("pl", "sub square {\n    my($x) = @_;\n", "sub square { my ($x) = @_; }", "return undef;"),
        ("r", "square <- function(x) {", "square <- function(x) {\n x }", "return(NULL)"),
        ("rb", "def square(x)\n", "def square(x)\n  x\nend", "return nil"),
        ("lua", "local function square(x)\n", "local function square(x)\n", "do return nil end"),
        ("go", "func square(x int) []int {\n", "func square(x int) []int {\n}", "var none []int;"),
        ("d", "long square(long x) \n", "long square(long x)\n{\n}", "typeof(return).init;"),
        ("rkt", "(define (square x)\n", "(define (square x) x)", "(define (square . given)"),
        (
            "scala",
            "    def square(x : Long) : Long = {\n",
            "object Problem {\n    def square(x: Long): Long = {\n        x\n    }\n}",
            "return null.asInstanceOf[Long];",
        ),
    ],
)
def test_hollow_functions_return_at_once(
    tmp_path: Path, ending: str, prompt: str, answer: str, line: str
) -> None:
    assert line in task(tmp_path, ending, prompt, f"```\n{answer}\n```").hollow


def test_every_shape_is_of_one_language() -> None:
    languages = [shape.language for shape in SHAPES.values()]
    assert len(set(languages)) == len(languages)
