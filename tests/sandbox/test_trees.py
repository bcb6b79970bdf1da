"""Whatever a program made of its folder, it goes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scalebox.sandbox.zygote.trees import empty_folder, remove_tree
from tests.sandbox.conftest import Bench


def nest(top: Path, depth: int) -> None:
    """Folders in folders, deeper than any path can name."""
    here = os.open(top, os.O_RDONLY | os.O_DIRECTORY)
    for _ in range(depth):
        os.mkdir("d", dir_fd=here)
        inner = os.open("d", os.O_RDONLY | os.O_DIRECTORY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)


def test_folders_deeper_than_recursion_and_paths_go(tmp_path: Path) -> None:
    top = tmp_path / "top"
    top.mkdir()
    for _ in range(2):
        nest(top, 3_000)
        empty_folder(str(top))
        assert list(top.iterdir()) == []


def test_every_kind_of_entry_goes_and_links_are_not_followed(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").write_text("kept")
    top = tmp_path / "top"
    inner = top / "a" / "b"
    inner.mkdir(parents=True)
    for folder in (top, top / "a", inner):
        (folder / "file").write_text("x")
        (folder / "link").symlink_to(kept)
        (folder / "file link").symlink_to(kept / "file")
        (folder / "dangling").symlink_to("nowhere")
        os.mkfifo(folder / "pipe")
        (folder / ".removing-0").mkdir()
        (folder / ".removing-0" / "0").write_text("in the way")
        (folder / "\udcff\n").write_text("a name that is no text")
    remove_tree(str(top))
    assert not top.exists()
    assert (kept / "file").read_text() == "kept"


def test_permissions_taken_away_are_no_hindrance(tmp_path: Path) -> None:
    top = tmp_path / "top"
    inner = top / "a" / "b" / "c"
    inner.mkdir(parents=True)
    (inner / "file").write_text("x")
    child = os.fork()
    if child == 0:
        # Permissions hold for ordinary users only.
        status = 1
        try:
            if os.geteuid() == 0:
                for path in (top, *top.rglob("*")):
                    os.chown(path, 60_991, 60_991)
                os.chown(tmp_path, 60_991, 60_991)
                os.chdir(tmp_path)
                os.setresuid(60_991, 60_991, 60_991)
            else:
                os.chdir(tmp_path)
            for path in ("top/a/b/c/file", "top/a/b/c", "top/a/b", "top/a", "top"):
                os.chmod(path, 0)
            remove_tree("top")
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert not top.exists()


def test_a_missing_folder_is_as_good_as_a_removed_one(tmp_path: Path) -> None:
    remove_tree(str(tmp_path / "none"))
    with pytest.raises(FileNotFoundError):
        empty_folder(str(tmp_path / "none"))


async def test_folders_nested_without_end_do_not_cost_the_slot(bench: Bench) -> None:
    pid = bench.slot.pid
    source = "import os\nfor _ in range(4000):\n    os.mkdir('d')\n    os.chdir('d')\n"
    await bench.python(source, limits={"cpu_ns": 20_000_000_000})
    outcome = await bench.python("import os; print(os.listdir('.'))")
    assert outcome.stdout == b"['solution.py']\n"
    assert bench.slot.pid == pid
