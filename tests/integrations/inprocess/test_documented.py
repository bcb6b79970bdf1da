"""The table of LiveCodeBench's quirks in the docs is that of the tests."""

from __future__ import annotations

import re
from pathlib import Path

from tests.integrations.inprocess.quirks import QUIRKS

PAGE = Path(__file__).parents[3] / "docs" / "integrations.md"
_TABLE = re.compile(r"^\| quirk \| [^\n]*\n\| --- [^\n]*\n((?:\|[^\n]*\n)+)", re.M)


def test_every_quirk_has_its_row_and_every_row_its_test() -> None:
    (rows,) = _TABLE.findall(PAGE.read_text(encoding="utf-8"))
    cells = [row.strip("|\n ").split(" | ") for row in rows.splitlines()]
    assert [cell[0] for cell in cells] == [quirk.name for quirk in QUIRKS]
    assert all(len(cell) == 3 and all(len(text) > 2 for text in cell) for cell in cells)
