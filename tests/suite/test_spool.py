"""What is put aside comes back as it was, and only what is large is."""

from __future__ import annotations

import errno
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from scalebox.suite.errors import SuiteError
from scalebox.suite.spool import SMALL_BYTES, Aside, Spool, size_of, value_of


@pytest.mark.parametrize("value", [None, True, 3, 2.5, "text", ["1", {"a": "b"}], {}])
def test_what_is_small_stays_as_it_is(value: Any) -> None:
    assert Spool().aside(value) is value
    assert value_of(value) is value
    assert size_of(value) == 0


def test_what_is_large_comes_back_as_it_was() -> None:
    spool = Spool()
    values: list[Any] = [
        "é\ud800" * SMALL_BYTES,
        [{"input": "1" * SMALL_BYTES, "output": None}],
        {"inputs": [str(number) for number in range(SMALL_BYTES)]},
    ]
    kept = [spool.aside(value) for value in values]
    assert all(isinstance(one, Aside) for one in kept)
    assert all(size_of(one) >= SMALL_BYTES for one in kept)
    # In any order, as often as needed, from several threads.
    with ThreadPoolExecutor(max_workers=4) as pool:
        found = list(pool.map(value_of, [*reversed(kept), *kept]))
    assert found == [*reversed(values), *values]


def test_the_file_has_no_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    kept = Spool().aside("x" * SMALL_BYTES)
    assert isinstance(kept, Aside)
    assert list(tmp_path.iterdir()) == []
    assert kept.value() == "x" * SMALL_BYTES


def test_a_full_disk_is_said_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_: Any) -> Any:
        return open("/dev/full", "wb")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with pytest.raises(SuiteError, match=r"No space left.*\$TMPDIR"):
        Spool().aside("x" * SMALL_BYTES)


def test_a_file_that_cannot_be_read_is_an_error_of_the_suite(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = Spool().aside("x" * SMALL_BYTES)

    def broken(*_: Any) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "pread", broken)
    with pytest.raises(SuiteError, match="Input/output error"):
        value_of(kept)
    monkeypatch.setattr(os, "pread", lambda *_: b"")
    with pytest.raises(SuiteError, match="was cut"):
        value_of(kept)
