"""The single file, with a small tree in it: how it unpacks, starts, refuses, and sweeps up.

What `make dist` really builds takes minutes to build and to check: `make check-dist` does that.
"""

from __future__ import annotations

import fcntl
import json
import os
import random
import shlex
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts import check_dist, dist
from scripts.onefile import drive, launch, pack, tree

ROOT = Path(__file__).parent.parent
#: What the stub may call, but for what unpacks.
TOOLS = ("sh", "id", "ls", "mkdir", "mktemp", "rm", "chmod", "uname", "tail")

#: In the place of launch.py: says what it was started as, does as it is told.
PROGRAM = """
import json, os, sys
print(json.dumps({"pid": os.getpid(), "argv": sys.argv[1:], "file": __file__}), flush=True)
sys.exit(int(os.environ.get("EXIT", 0)))
"""


class Single:
    """A single file and the directory that it unpacks in."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.file = directory / "scaleboxd"
        self.cache = directory / "cache"
        self.cache.mkdir()
        self.source = directory / "tree"
        self.write("bin/scaleboxd", f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
        (self.source / "bin/scaleboxd").chmod(0o755)
        self.write("launch.py", PROGRAM)
        # What does not become small by compression: there is something to damage.
        (self.source / "data").write_bytes(random.Random(1).randbytes(20_000))

    def write(self, name: str, text: str) -> None:
        path = self.source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def pack(self) -> Single:
        pack.pack(self.source, self.file, glibc="2.99")
        return self

    @property
    def base(self) -> Path:
        return self.cache / f"scaleboxd-{os.geteuid()}"

    def unpacked(self) -> list[Path]:
        return sorted(self.base.iterdir()) if self.base.exists() else []

    def popen(self, *arguments: str, file: Path | None = None, **env: str) -> Any:
        environment = {
            "PATH": os.environ["PATH"],
            "SCALEBOX_UNPACK_DIRECTORY": str(self.cache),
            **env,
        }
        return subprocess.Popen(
            [file or self.file, *arguments],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, **how: Any) -> tuple[int, str, str]:
        """Exit status, output, and what it said beside."""
        process = self.popen(*arguments, **how)
        output, said = process.communicate()
        return process.returncode, output, said

    def started(self, *arguments: str, **how: Any) -> dict[str, Any]:
        """What the program said of itself."""
        status, output, said = self.run(*arguments, **how)
        assert status == 0, said
        facts: dict[str, Any] = json.loads(output)
        return facts


@pytest.fixture
def single(tmp_path: Path) -> Single:
    return Single(tmp_path).pack()


# --- starting -------------------------------------------------------------------------------------


def test_the_program_takes_the_place_of_the_file(single: Single) -> None:
    arguments = ["--config", "a file", "", "*", "$HOME", 'quo"te', "--", "-x"]
    for _ in ("first start", "second start"):
        process = single.popen(*arguments)
        output, said = process.communicate()
        facts = json.loads(output)
        assert facts["pid"] == process.pid, said
        assert facts["argv"] == [str(single.file), *arguments]


def test_the_exit_status_is_the_programs(single: Single) -> None:
    assert single.run(EXIT="7")[0] == 7


def test_only_the_first_start_unpacks(single: Single) -> None:
    place = Path(single.started()["file"])
    place.write_text("print('the one that lies there')")
    assert single.run()[:2] == (0, "the one that lies there\n")
    assert single.unpacked() == [place.parent]


def test_another_content_is_another_tree(single: Single) -> None:
    first = single.started()["file"]
    single.write("launch.py", PROGRAM + "# new\n")
    second = single.pack().started()["file"]
    assert first != second
    assert "# new" in Path(second).read_text()
    assert "# new" not in Path(first).read_text()


def test_first_starts_at_the_same_time_share_one_tree(single: Single) -> None:
    processes = [single.popen() for _ in range(4)]
    said = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, said
    assert len({json.loads(output)["file"] for output, _ in said}) == 1
    assert len(single.unpacked()) == 1


def test_a_symbolic_link_gives_its_name(single: Single) -> None:
    link = single.directory / "scalebox"
    link.symlink_to(single.file)
    assert single.started("status", file=link)["argv"] == [str(link), "status"]


def test_only_its_user_may_enter_and_what_is_inside_may_be_read(single: Single) -> None:
    place = Path(single.started()["file"]).parent
    assert single.base.stat().st_mode & 0o777 == 0o700
    assert place.stat().st_mode & 0o777 == 0o755
    assert (place / "launch.py").stat().st_mode & 0o777 == 0o644
    assert (place / "bin/scaleboxd").stat().st_mode & 0o777 == 0o755


def test_packing_is_reproducible(single: Single, tmp_path: Path) -> None:
    packed = single.file.read_bytes()
    other = tmp_path / "other"
    shutil.copytree(single.source, other)
    for path in other.rglob("*"):
        os.utime(path, (1, 1))
        path.chmod(path.stat().st_mode & 0o700)
    pack.pack(other, tmp_path / "again", glibc="2.99")
    assert (tmp_path / "again").read_bytes() == packed


# --- refusing -------------------------------------------------------------------------------------


def bare_path(directory: Path, *further: str) -> str:
    """A PATH with nothing on it but what the stub needs, and what is named."""
    directory.mkdir()
    for tool in (*TOOLS, *further):
        found = sys.executable if tool == "python3" else shutil.which(tool)
        assert found
        # A script, not a link: a virtual environment's Python finds its home by its own place.
        (directory / tool).write_text(f'#!/bin/sh\nexec {shlex.quote(found)} "$@"\n')
        (directory / tool).chmod(0o755)
    return str(directory)


def test_python_unpacks_where_there_is_no_tar(single: Single, tmp_path: Path) -> None:
    place = Path(single.started(PATH=bare_path(tmp_path / "bin", "python3"))["file"]).parent
    shutil.copytree(place, tmp_path / "by python", symlinks=True)
    shutil.rmtree(single.base)
    single.started()
    names = {path.relative_to(place) for path in place.rglob("*")}
    by_python = tmp_path / "by python"
    assert {path.relative_to(by_python) for path in by_python.rglob("*")} == names


def test_without_tar_and_python_it_says_what_it_needs(single: Single, tmp_path: Path) -> None:
    status, output, said = single.run(PATH=bare_path(tmp_path / "bin"))
    assert (status, output) == (2, "")
    assert "tar and gzip, or python3" in said
    assert not single.unpacked()


@pytest.mark.parametrize("damage", ["cut", "changed"])
def test_a_damaged_file_is_not_run(single: Single, damage: str) -> None:
    content = bytearray(single.file.read_bytes())
    if damage == "cut":
        del content[-200:]
    else:
        content[-400:-300] = bytes(100)
    single.file.write_bytes(content)
    status, output, said = single.run()
    assert (status, output) == (2, "")
    assert "cannot unpack" in said
    assert not single.unpacked()


def open_to_all(place: Path) -> None:
    place.mkdir()
    place.chmod(0o777)


def linked_elsewhere(place: Path) -> None:
    (place.parent / "elsewhere").mkdir(mode=0o700)
    place.symlink_to("elsewhere")


def of_another_user(place: Path) -> None:
    place.mkdir(mode=0o700)
    os.chown(place, 65_534, 65_534)


@pytest.mark.parametrize(
    "prepare",
    [open_to_all, linked_elsewhere, *([of_another_user] if os.geteuid() == 0 else [])],
)
def test_what_others_may_have_put_there_is_not_run(single: Single, prepare: Any) -> None:
    prepare(single.base)
    status, output, said = single.run()
    assert (status, output) == (2, "")
    assert "must be a directory of yours with mode 0700" in said


def test_a_host_that_cannot_run_it_is_told_why(single: Single) -> None:
    single.write("bin/scaleboxd", "#!/bin/sh\necho version GLIBC_2.99 not found >&2\nexit 1\n")
    status, output, said = single.pack().run()
    assert (status, output) == (2, "")
    assert "version GLIBC_2.99 not found" in said
    assert "glibc 2.99 or newer" in said
    assert not single.unpacked()


def test_a_place_that_cannot_be_had_is_named(single: Single) -> None:
    status, _, said = single.run(SCALEBOX_UNPACK_DIRECTORY="/proc/nowhere")
    assert status == 2
    assert "/proc/nowhere" in said


# --- sweeping up ----------------------------------------------------------------------------------


def test_a_start_killed_while_unpacking_harms_no_later_one(single: Single, tmp_path: Path) -> None:
    path = bare_path(tmp_path / "bin", "gzip")
    began = tmp_path / "began"
    # Unpacks nothing, and stays: what a slow disk looks like.
    (tmp_path / "bin" / "tar").write_text(f"#!/bin/sh\necho $$ > {began}.part\n"
                                          f"{shutil.which('mv')} {began}.part {began}\n"
                                          f"exec {shutil.which('sleep')} 1000\n")  # fmt: skip
    (tmp_path / "bin" / "tar").chmod(0o755)
    process = single.popen(PATH=path)
    drive.wait_for(began.exists, "the unpacking to begin")
    process.kill()
    process.wait()
    os.kill(int(began.read_text()), signal.SIGKILL)
    process.communicate()
    (draft,) = single.unpacked()

    place = Path(single.started()["file"]).parent
    assert single.unpacked() == sorted([draft, place])
    old = time.time() - 2 * launch.DRAFT_S
    os.utime(draft, (old, old))
    launch.sweep(str(place))
    assert single.unpacked() == [place]


def make_tree(base: Path, name: str, age_s: float) -> Path:
    place = base / name
    place.mkdir()
    (place / "lock").touch()
    used = time.time() - age_s
    os.utime(place / "lock", (used, used))
    return place


@pytest.fixture
def in_use() -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that hold trees."""
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.communicate("")


def test_trees_that_nobody_uses_any_more_are_removed(
    tmp_path: Path, in_use: list[subprocess.Popen[str]]
) -> None:
    long_ago = 2 * launch.UNUSED_S
    own = make_tree(tmp_path, "own", long_ago)
    make_tree(tmp_path, "abandoned", long_ago)
    make_tree(tmp_path, "recent", 60)
    running = make_tree(tmp_path, "running", long_ago)
    (tmp_path / "something else").mkdir()
    program = "import sys; sys.path[:0] = sys.argv[2:]\nfrom scripts.onefile import launch\n"
    program += "held = launch.hold(sys.argv[1]); print(held >= 0, flush=True); input()"
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(running), str(ROOT)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    in_use.append(holder)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "True\n"

    launch.sweep(str(own))
    assert sorted(os.listdir(tmp_path)) == ["own", "recent", "running", "something else"]
    holder.communicate("\n")
    launch.sweep(str(own))
    assert sorted(os.listdir(tmp_path)) == ["own", "recent", "something else"]


def test_a_start_marks_its_tree_as_used(single: Single) -> None:
    place = Path(single.started()["file"]).parent
    long_ago = time.time() - 2 * launch.UNUSED_S
    os.utime(place / "lock", (long_ago, long_ago))
    single.started()
    assert (place / "lock").stat().st_mtime > time.time() - launch.UNUSED_S


def test_what_is_started_from_the_file_does_not_keep_its_lock(tmp_path: Path) -> None:
    place = make_tree(tmp_path, "own", 0)
    held = launch.hold(str(place))
    child = subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, close_fds=False
    )

    def is_free() -> bool:
        with (place / "lock").open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
        return True

    try:
        assert not is_free()
        os.close(held)
        # The kernel lets the parent go on a moment before it closes what ends at exec.
        drive.wait_for(is_free, "the lock to be let go")
        assert child.poll() is None
    finally:
        child.communicate(b"\n")


def test_python_settings_of_the_caller_are_kept_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {"PYTHONPATH": "/x", "PYTHONHOME": "/y", "HOME": "/z"})
    monkeypatch.setattr(sys, "executable", sys.executable)
    launch.keep_settings_out("/a tree")
    assert os.environ["HOME"] == "/z"
    assert not {"PYTHONPATH", "PYTHONHOME"} & os.environ.keys()
    assert sys.executable == "/a tree/bin/python3"


# --- building -------------------------------------------------------------------------------------


def test_the_libraries_of_a_program_are_found_but_for_the_c_library(tmp_path: Path) -> None:
    (tmp_path / "one.c").write_text("int one(void) { return 1; }\n")
    (tmp_path / "main.c").write_text("int one(void);\nint main(void) { return one(); }\n")
    for command in (
        "gcc -shared -fPIC -o libone.so one.c",
        "gcc -o lost main.c -L. -lone",
        "gcc -o found main.c -L. -lone -lm -Wl,--no-as-needed -lpthread -Wl,-rpath,$ORIGIN",
    ):
        subprocess.run(command.split(), cwd=tmp_path, check=True)
    assert tree.libraries(tmp_path / "lost") == {"libone.so": ""}
    assert tree.libraries(tmp_path / "found") == {"libone.so": str(tmp_path / "libone.so")}


def test_packages_carry_everything_that_they_should() -> None:
    hatch = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    wheel, sdist = hatch["targets"]["wheel"], hatch["targets"]["sdist"]
    assert wheel["packages"] == ["scalebox"]
    assert wheel["force-include"] == {"judges": "scalebox/_judges"}
    at_the_top = {path.split("/")[0] for path in check_dist.tracked()}
    # These two hatchling adds by itself.
    assert at_the_top - {".gitignore", "pyproject.toml"} <= {
        path.removeprefix("/") for path in sdist["include"]
    }


def test_a_check_of_a_file_that_does_nothing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "scaleboxd").write_text("#!/bin/sh\necho > stray\nexit 0\n")
    (tmp_path / "scalebox-1.2.3-py3-none-any.whl").touch()
    monkeypatch.setattr(dist, "DIST", tmp_path)
    check = check_dist.Check()
    check.part("a file that does nothing", check_dist.single_file(None))
    broken = [promise.text for promise in check.promises if not promise.holds]
    assert any("prints the version" in text for text in broken)
    assert any("no file is left" in text for text in broken)
    assert any("comes to its end" in text for text in broken)
    assert check.rows[0]["hold"] < check.rows[0]["promises"]


def test_a_process_that_is_left_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "scaleboxd").write_text("#!/bin/sh\nread line\n")
    monkeypatch.setattr(drive, "DEATH_S", 0.05)
    home = drive.Home(tmp_path / "scaleboxd")
    try:
        process = subprocess.Popen([home.file], stdin=subprocess.PIPE)
        drive.wait_for(lambda: process.pid in home.processes(), "the process to be there")
        before = drive.identities(home.processes())
        assert [words.split()[0] for words in drive.survivors(before)] == [str(process.pid)]
        process.communicate(b"\n")
        assert drive.survivors(before) == []
    finally:
        home.close()
    assert not home.directory.exists()
