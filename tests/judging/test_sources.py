"""The harnesses as they are sent: self-contained, and in what Python 3.8 understands."""

from __future__ import annotations

import ast
import sys
from importlib import resources

import pytest

from scalebox.judging.sources import harness_source

HARNESSES = ("call", "candidate", "tester", "single")
#: What a slot's Python runs, as it stands in the tree.
FILES = [
    item
    for package in ("scalebox.judging.harness", "scalebox.sandbox.zygote")
    for item in sorted(resources.files(package).iterdir(), key=lambda item: item.name)
    if item.name.endswith(".py")
]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_what_runs_in_a_slot_is_python_3_8(file) -> None:
    text = file.read_text(encoding="utf-8")
    tree = ast.parse(text, file.name, feature_version=(3, 8))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names] if isinstance(node, ast.Import)
            else [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
        )
    }  # fmt: skip
    foreign = imported - set(sys.stdlib_module_names) - {"scalebox", "zygote"}
    assert not foreign, "the standard library only"
    newer = {"tomllib", "zoneinfo", "graphlib"}
    assert not imported & newer


@pytest.mark.parametrize("name", HARNESSES)
def test_a_harness_is_self_contained(name: str) -> None:
    source = harness_source(name).decode()
    assert "import" in source
    assert "from scalebox" not in source
    assert "import scalebox" not in source
    ast.parse(source, feature_version=(3, 8))
    assert source.count("def dumps(") == 1


def test_there_is_no_other_harness() -> None:
    with pytest.raises(FileNotFoundError):
        harness_source("nonsense")
