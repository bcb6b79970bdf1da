"""Every run's files are its own: new at its start, out of reach at its end."""

from __future__ import annotations

import pytest

from scalebox.model import IsolationLevel
from scalebox.sandbox.zygote.rootfs import GONE, GONE_PLACES
from tests.sandbox.conftest import WAYS, Bench

#: Without namespaces there are no mounts of a slot's own.
with_mounts = pytest.mark.parametrize(
    "bench",
    [way for way in WAYS if way[0] is not IsolationLevel.MINIMAL],
    ids=lambda pair: f"{pair[0].value}-{pair[1]}",
    indirect=True,
)

#: What is there, and a file in each place for a later run to find.
LOOK_AND_LEAVE = """
import os, sys
places = os.getcwd(), os.environ.get('TMPDIR', '/tmp'), '/dev/shm'
found = [name for place in places for name in os.listdir(place)]
for place in places:
    os.close(os.open(os.path.join(place, 'left'), os.O_CREAT | os.O_WRONLY))
    os.mkdir(os.path.join(place, 'folder'))
print('left' in found or 'folder' in found, 'solution.py' in found)
"""
COUNT_SCRATCHES = """
with open('/proc/self/mountinfo') as mounts:
    print(sum(' - tmpfs scratch ' in line for line in mounts))
"""


async def test_what_a_run_leaves_no_later_run_finds(bench: Bench) -> None:
    source = LOOK_AND_LEAVE
    if bench.level is IsolationLevel.MINIMAL:
        source = source.replace(", '/dev/shm'", "")
    for _ in range(2 * GONE_PLACES + 3):
        outcome = await bench.python(source)
        assert outcome.stdout == b"False True\n", outcome.stderr


async def test_the_same_where_native_and_python_programs_take_turns(bench: Bench) -> None:
    for _ in range(GONE_PLACES + 2):
        outcome = await bench.command("/bin/sh", "-c", "ls | wc -l; echo x > left; mkdir folder")
        assert outcome.stdout == b"0\n", outcome.stderr
        outcome = await bench.python("import os; print(sorted(os.listdir()))")
        assert outcome.stdout == b"['solution.py']\n", outcome.stderr


@with_mounts
async def test_former_scratches_are_few_and_closed(bench: Bench) -> None:
    for _ in range(2 * GONE_PLACES + 3):
        outcome = await bench.python(COUNT_SCRATCHES)
        assert 1 <= int(outcome.stdout) <= GONE_PLACES + 1, outcome.stderr
        for attempt in (
            f"os.listdir('{GONE}')",
            f"os.chdir('{GONE}')",
            f"os.open('{GONE}/0', os.O_RDONLY)",
            f"os.open('{GONE}/0/box/solution.py', os.O_RDONLY)",
            f"os.chmod('{GONE}', 0o777)",
        ):
            outcome = await bench.python(f"import os\n{attempt}")
            assert outcome.status >> 8 == 1, attempt
            assert b"PermissionError" in outcome.stderr or b"Read-only" in outcome.stderr


@with_mounts
async def test_a_run_that_wrote_much_holds_no_memory_afterwards(bench: Bench) -> None:
    await bench.python("open('big', 'wb').write(bytes(8 << 20))")
    outcome = await bench.python(COUNT_SCRATCHES)
    assert outcome.stdout == b"1\n"
