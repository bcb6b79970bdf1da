"""Python's parser from many threads."""

from __future__ import annotations

import ast
import gc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from scalebox.syntax import parsed

SOURCE = Path(ast.__file__).read_text()


@pytest.fixture
def collected_at_every_turn() -> Iterator[None]:
    """A collection of garbage is where one thread gives way to another."""
    before = gc.get_threshold()
    gc.set_threshold(20)
    yield
    gc.set_threshold(*before)


@pytest.mark.usefixtures("collected_at_every_turn")
def test_threads_parse_at_once() -> None:
    wanted = ast.dump(ast.parse(SOURCE))
    with ThreadPoolExecutor(8) as pool:
        for tree in pool.map(parsed, [SOURCE] * 40):
            assert ast.dump(tree) == wanted


@pytest.mark.parametrize(
    ("source", "error"), [("def", SyntaxError), ("x = '\0'", (SyntaxError, ValueError))]
)
def test_what_does_not_parse_is_said(source: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        parsed(source)


def test_newer_syntax_is_refused() -> None:
    source = "match x:\n    case 1: pass\n"
    assert parsed(source).body
    with pytest.raises(SyntaxError):
        parsed(source, (3, 8))
