"""Functions that come alone, in every language that the original calls them in."""

from __future__ import annotations

from typing import Any

import pytest

from scalebox.api.compat import functions
from scalebox.errors import BadRequestError
from scalebox.model import CallCase
from tests.api.compat.asking import ask
from tests.api.compat.evaluating import body_of, passed
from tests.languages.conftest import HERE

#: Says how often one text is in another, and is wrong where it is there three times.
COUNT = {
    "bash": 'count() {\n  local n; n=$(grep -oF -- "$2" <<< "$1" | wc -l)\n  echo $((n % 3))\n}',
    "cpp": "int count(string a, string b) {\n"
           "  int n = 0;\n  for (size_t p = 0; (p = a.find(b, p)) != string::npos; p++) n++;\n"
           "  return n % 3;\n}",
    "csharp": "using System;\npublic static int count(string a, string b) {\n"
              "  return (a.Length - a.Replace(b, \"\").Length) / b.Length % 3;\n}",
    "d": "import std.algorithm;\nint count(string a, string b) {\n"
         "  return cast(int) std.algorithm.count(a, b) % 3;\n}",
    "go": "import (\n  \"strings\"\n)\nfunc count(a string, b string) int {\n"
          "  return strings.Count(a, b) % 3\n}",
    "java": "import java.util.regex.*;\npublic static int count(String a, String b) {\n"
            "  return a.split(Pattern.quote(b), -1).length - 1 == 3 ? 0\n"
            "    : a.split(Pattern.quote(b), -1).length - 1;\n}",
    "javascript": "function count(a, b) { return (a.split(b).length - 1) % 3; }",
    "lua": "function count(a, b)\n  local n, p = 0, 1\n  while true do\n"
           "    p = string.find(a, b, p, true)\n    if not p then return n % 3 end\n"
           "    n, p = n + 1, p + 1\n  end\nend",
    "perl": "sub count {\n  my ($a, $b) = @_;\n  my $n = () = $a =~ /\\Q$b\\E/g;\n"
            "  return $n % 3;\n}",
    "php": "function count_of($a, $b) { return substr_count($a, $b) % 3; }",
    "python": "def count(a, b):\n  return a.count(b) % 3",
    "r": "count <- function(a, b) {\n"
         "  (length(strsplit(paste0(a, '|'), b, fixed = TRUE)[[1]]) - 1) %% 3\n}",
    "racket": "#lang racket\n(define (count a b)\n"
              "  (remainder (- (length (string-split a b #:trim? #f)) 1) 3))",
    "ruby": "def count(a, b)\n  a.scan(b).length % 3\nend",
    "rust": "fn count(a: &str, b: &str) -> i32 { (a.matches(b).count() % 3) as i32 }",
    "scala": "def count(a: String, b: String): Int = {\n"
             "  (a.length - a.replace(b, \"\").length) / b.length % 3\n}",
    "typescript": "function count(a: string, b: string): number {\n"
                  "  return (a.split(b).length - 1) % 3;\n}",
}  # fmt: skip
#: Signs that mean something to a language or another.
TEXTS: list[tuple[list[str], int]] = [
    (["a$b@c'd", "a"], 1),
    (["%d {0} \\ \" $x @y '", '"'], 1),
    (["aXa", "a"], 2),
    (["aXaXa", "a"], 3),
]


@pytest.mark.parametrize("language", [one for one in COUNT if one in HERE])
def test_a_function_alone_is_called(url: str, language: str) -> None:
    name = "count_of" if language == "php" else "count"
    cases = [
        {"type": "function_call", "fn_name": name, "input": args, "output": [expected]}
        for args, expected in TEXTS
    ]
    code = COUNT[language]
    if language == "cpp":
        code = f"#include <bits/stdc++.h>\nusing namespace std;\n{code}"
    body = body_of(code, cases, language=language, run_all_cases=True)
    # The fence of a model that names no language.
    body["completion"] = f"```\n{code}\n```"
    status, answer = ask(f"{url}/common_evaluate/common_evaluate", body)
    assert status == 200, answer
    assert passed(answer) == [True, True, True, False], answer
    weak = language in functions.ASSERTED
    assert answer["extra"]["integrity"] == ("weak" if weak else "strong")


def test_all_languages_whose_calls_are_asserts_are_tried() -> None:
    assert set(COUNT) >= functions.ASSERTED - {"julia"}


@pytest.mark.parametrize("language", sorted(functions.ASSERTED))
def test_values_that_a_language_cannot_be_given_are_refused(language: str) -> None:
    for value in ([1], {"a": 1}, None, float("nan"), "\x00", "\x1b"):
        for case in (CallCase(args=[value], expected=1), CallCase(args=[1], expected=value)):
            with pytest.raises(BadRequestError, match="texts, numbers and booleans"):
                functions.asserts(language, "f", [case], "cases")
    for name in ("f(); exit", "f\n", "", "$(f)", "f'"):
        with pytest.raises(BadRequestError, match="name of a function"):
            functions.asserts(language, name, [CallCase(args=[], expected=1)], "cases")


@pytest.mark.parametrize(
    ("language", "code", "program"),
    [
        ("java", "class Solution {}", "class Solution {}"),
        ("java", "import a.b;\nint f() {}", "import a.b;\nclass Solution {\nint f() {}\n}\n"),
        ("csharp", "using System;\nint f() {}", "using System;\nclass Solution {\nint f() {}\n}\n"),
        ("go", "package main\nfunc f() {}", "package main\nfunc f() {}"),
        ("go", "func f() {}", "package main\nfunc f() {}"),
        ("php", "function f() {}", "<?php\nfunction f() {}"),
        ("php", "\n<?php\nfunction f() {}", "\n<?php\nfunction f() {}"),
        ("rust", "fn f() {}", "fn f() {}"),
    ],
)
def test_what_a_language_asks_for_is_put_around(language: str, code: str, program: str) -> None:
    made: Any = functions.whole(language)(code)
    assert made == program
