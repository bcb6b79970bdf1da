"""What is looked for in a source is found in time that grows with its length, whatever is in it."""

from __future__ import annotations

import time

import pytest

from scalebox.judging import callers, joining, signatures
from scalebox.languages import table

LENGTH = 50_000
#: Beginnings without an end, and what could be the beginning of something that is looked for.
PIECES = [
    "/*", "/**\n", '"', '"\\', "'", "'\\", "`", '"""', 'R"(', 'R"a(', "\n", " ", "{", "(", "<",
    "f<", "f(", "f <a", "fn f<", "fn f<a ", "func (a *", "package ", "import\n", "@param {", "f = ",
    "f=", "def f", "class ", "TreeNode ", "main(", "a, ", "sort.", "1'", "Array<f<f: ", "f\nf(",
    "/**\nf=",
]  # fmt: skip
HARNESSES = sorted({entry.call_harness for entry in table.load([])} - {""})
MOST_S = 3.0


@pytest.mark.parametrize("piece", PIECES)
def test_a_source_that_is_one_piece_over_and_over(piece: str) -> None:
    text = piece * (LENGTH // len(piece))
    began = time.process_time()
    joining.joined(text.encode(), "tests", main="main")
    code = signatures.code_of(text)
    signatures.is_at_top(code, "f")
    signatures.nodes_lacking(code)
    signatures.node_shapes(text, "f")
    assert time.process_time() - began < MOST_S
    for harness in HARNESSES:
        began = time.process_time()
        callers.join(harness, text.encode(), "f")
        assert time.process_time() - began < MOST_S, harness
