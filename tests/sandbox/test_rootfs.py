"""What a slot's file tree is made of."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from scalebox.model import IsolationLevel
from scalebox.sandbox.pool import Interpreter
from tests.sandbox.conftest import INTERPRETER, WAYS, Bench, open_pool


@pytest.fixture
def below_tmp() -> Iterator[Path]:
    """A folder that every run's own /tmp would hide."""
    folder = Path(tempfile.mkdtemp(prefix="sb-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("level", "way"), [pair for pair in WAYS if pair[0] is not IsolationLevel.MINIMAL]
)
@pytest.mark.parametrize("inner_first", [False, True])
async def test_a_path_and_one_inside_it_can_both_be_read(
    level: IsolationLevel, way: str, inner_first: bool, below_tmp: Path, tmp_path: Path
) -> None:
    """As with a Python below /tmp: its prefix, and the folder of its executable."""
    inner = below_tmp / "lib" / "python"
    inner.mkdir(parents=True)
    (inner / "fact").write_text("is here")
    paths = (str(inner), str(below_tmp)) if inner_first else (str(below_tmp), str(inner))
    pool = await open_pool(
        level.value,
        tmp_path,
        read_only_paths=paths,
        accelerator="auto" if way == "native" else "off",
    )
    try:
        bench = Bench(pool, pool.slots[0])
        outcome = await bench.python(f"print(open('{inner}/fact').read())")
        assert outcome.stdout == b"is here\n"
    finally:
        pool.close()


@pytest.mark.parametrize(
    ("level", "way"), [pair for pair in WAYS if pair[0] is not IsolationLevel.MINIMAL]
)
async def test_a_module_of_a_python_below_tmp_is_preloaded_on_demand(
    level: IsolationLevel, way: str, below_tmp: Path, tmp_path: Path
) -> None:
    made = below_tmp / "venv"
    subprocess.run([INTERPRETER, "-m", "venv", "--without-pip", str(made)], check=True)
    (packages,) = made.glob("lib/python3*/site-packages")
    (packages / "largemodule.py").write_text("import os\nloaded_by = os.getpid()\n")
    pool = await open_pool(
        level.value,
        tmp_path,
        interpreter=Interpreter(
            str(made / "bin" / "python3"), (str(made),), preload_on_demand=("largemodule",)
        ),
        accelerator="auto" if way == "native" else "off",
    )
    try:
        bench = Bench(pool, pool.slots[0])
        for _ in range(2):
            outcome = await bench.python("import largemodule; print(largemodule.loaded_by)")
            assert outcome.stdout == b"1\n", outcome.stderr
    finally:
        pool.close()


#: Opens a device that every host has, and asks its driver something that it has no answer to.
CONTROL = """
import errno, fcntl, os
try:
    fcntl.ioctl(os.open("/dev/full", os.O_RDWR), 0x4321, 0)
except OSError as error:
    print(errno.errorcode[error.errno])
try:
    os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
except OSError as error:
    print(errno.errorcode[error.errno])
"""


@pytest.mark.parametrize(("level", "way"), WAYS)
async def test_a_device_that_the_configuration_names_can_be_reached(
    level: IsolationLevel, way: str, tmp_path: Path
) -> None:
    pool = await open_pool(
        level.value,
        tmp_path,
        read_only_paths=("/dev/tty", "/dev/no-such-device"),
        accelerator="auto" if way == "native" else "off",
    )
    try:
        outcome = await Bench(pool, pool.slots[0]).python(CONTROL)
        # Without a terminal of its own the driver refuses what the walls let through.
        assert outcome.stdout == b"ENOTTY\nENXIO\n", outcome.stderr
    finally:
        pool.close()


@pytest.mark.parametrize("level", [level for level, way in WAYS if way == "native"])
async def test_other_devices_are_not_there(level: IsolationLevel, tmp_path: Path) -> None:
    pool = await open_pool(level.value, tmp_path)
    try:
        outcome = await Bench(pool, pool.slots[0]).python(CONTROL)
        (_, tty) = outcome.stdout.split()
        assert tty in (b"ENOENT", b"EACCES"), outcome.stderr
    finally:
        pool.close()
