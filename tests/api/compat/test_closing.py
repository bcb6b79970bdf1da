"""Functions whose last braces their test program brings."""

from __future__ import annotations

import time

import pytest

from scalebox.api.compat.closing import closed_by, left_open


@pytest.mark.parametrize(
    ("program", "braces"),
    [
        ("}\nint main() {\n    assert(f(1) == 2);\n}\n", 1),
        ("    }\n    public static void main(String[] args) {\n    }\n\n}\n", 2),
        ('}\nint main() {\n    assert(f("}}") == "{\\"}");\n}\n', 1),
        ("}\nint main() {\n    for (char c : s) if (c == '\"') { f(); }\n}\n", 1),
        ("assert f({1: 2}) == {}\n", 0),
        ("", 0),
    ],
)
def test_what_a_test_program_closes(program: str, braces: int) -> None:
    assert closed_by(program) == braces


def test_a_function_is_left_open() -> None:
    helper = "int one() {\n    return 1;\n}\n"
    function = "int two() {\n    if (one()) {\n        return 2;\n    }\n    return 0;\n"
    assert left_open(f"{helper}{function}}}\n", 1) == f"{helper}{function}"
    main = 'int main() {\n    puts("}");\n    for (;;) { two(); }\n}\n'
    assert left_open(f"{helper}{function}}}\n{main}", 1).rstrip() == f"{helper}{function}".rstrip()
    comment = "// Example: {1, {2}}\n\n# }\n"
    assert left_open(f"{helper}{function}}}\n{comment}", 1) == f"{helper}{function}"
    assert left_open(f"{function}}}\n", 0) == f"{function}}}\n"
    assert left_open("no brace", 3) == "no brace"


@pytest.mark.parametrize("text", ["}", "{", '"', '"\\', "int main(", "//}\n", "}\n", '"}{'])
def test_hostile_texts_take_no_longer_than_others(text: str) -> None:
    many = text * (2_000_000 // len(text))
    began = time.process_time()
    left_open(many, closed_by(many) or 1_000_000)
    assert time.process_time() - began < 20  # seconds; what is quadratic takes hours
