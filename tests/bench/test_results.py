"""Results are written as DESIGN §9 says, and a promise that does not hold is named."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from bench import results


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SCALEBOX_BENCH_RESULTS", str(tmp_path / "results"))
    return tmp_path / "results"


def test_a_result_has_the_schema_and_no_name_of_this_machine(folder: Path) -> None:
    promise = results.at_least("rate", 3.0, 2.0)
    path = results.write("some", {"rate": 1 / 3, "count": 7}, [{"row": 1.0}], promises=[promise])
    data = json.loads(path.read_text())
    assert path == folder / "some.json"
    assert set(data) == {"target", "date", "host", "figures", "rows", "promises"}
    assert data["figures"] == {"rate": 0.333333, "count": 7}
    assert data["promises"][0]["holds"] is True
    assert data["host"]["cores"] >= 1
    assert str(results.ROOT) not in path.read_text()


def test_an_interrupted_write_leaves_the_former_result(folder: Path) -> None:
    results.write("some", {"rate": 1}, [])
    with pytest.raises(TypeError):
        results.write("some", {"rate": 2}, [{"row": object()}])
    assert json.loads((folder / "some.json").read_text())["figures"] == {"rate": 1}


@pytest.mark.parametrize(
    ("promise", "holds"),
    [
        (results.at_least("x", 2.0, 2.0), True),
        (results.at_least("x", 1.9, 2.0), False),
        (results.at_least("x", None, 2.0), False),
        (results.at_most("x", 2.0, 2.0), True),
        (results.at_most("x", 2.1, 2.0), False),
        (results.at_most("x", None, 2.0), False),
    ],
)
def test_bounds(promise: results.Promise, holds: bool) -> None:
    assert promise.holds is holds


def test_the_exit_status_says_whether_all_hold_and_the_text_which_do_not() -> None:
    written = io.StringIO()
    console = Console(file=written, width=200)
    kept, broken = results.at_most("a", 1.0, 2.0), results.at_most("b", 3.0, 2.0)
    assert results.conclude([kept], console) == 0
    assert results.conclude([kept, broken], console) == 1
    assert "DOES NOT HOLD: b <= 2 (measured: 3)" in written.getvalue()


def test_a_table_shows_every_column_and_brackets_as_they_are() -> None:
    written = io.StringIO()
    results.show("t", [{"a": 1.5}, {"b": "[red]x"}], Console(file=written, width=80))
    assert "1.5" in written.getvalue()
    assert "[red]x" in written.getvalue()
