"""The wall limit is for who sleeps: what other load takes of a run's time is not the run's."""

from __future__ import annotations

import marshal
import os

import pytest

from scalebox.model import IsolationLevel
from scalebox.sandbox.zygote import wire
from tests.load import other_load
from tests.sandbox.conftest import LEVELS, Bench

#: To burn CPU time, of which there is a seventh.
BURN = "import time\nend = time.process_time() + 0.4\nwhile time.process_time() < end: pass\n"
LOAD = 6
#: Without the load more than enough for each of these programs, and with it less than half.
LIMITS = {"cpu_ns": 20_000_000_000, "wall_ns": 2_200_000_000}


WAYS = [(LEVELS[0], "native"), (IsolationLevel.MINIMAL, "python")]

pytestmark = [
    # Others would be short of cores meanwhile.
    pytest.mark.alone,
    # A slot where its processes are seen by themselves, and one where they are looked for.
    pytest.mark.parametrize("bench", WAYS, ids=lambda way: way[0].value, indirect=True),
]


async def test_processes_one_after_another(bench: Bench) -> None:
    forks = "import os\nfor _ in range(3):\n    if os.fork() == 0:\n"
    source = forks + "".join(f"        {line}\n" for line in BURN.splitlines())
    source += "        os._exit(0)\n    os.wait()\nprint('well')"
    with other_load(LOAD):
        outcome = await bench.python(source, limits=LIMITS)
    assert outcome.stdout == b"well\n", outcome
    assert outcome.wall_s > 3


async def test_records_one_after_another(bench: Bench) -> None:
    source = "import os\n" + 3 * (BURN + "os.write(5, b'done\\n')\n")
    with other_load(LOAD):
        outcome = await bench.python(source, limits={**LIMITS, "wall_ns": 800_000_000}, records=3)
    assert outcome.channel == b"done\n" * 3, outcome
    assert outcome.wall_s > 3


async def test_programs_that_take_turns(bench: Bench) -> None:
    driver = f"import os\n{BURN}os.write(4, b'x')\nos.read(3, 1)\nos.write(5, b'done\\n')"
    source = f"import os\nos.read(3, 1)\n{BURN}os.write(4, b'x')"
    with other_load(LOAD):
        outcome = await bench.python(
            source,
            driver=marshal.dumps(compile(driver, "driver", "exec")),
            records=1,
            limits={**LIMITS, "wall_ns": 1_500_000_000},
        )
    assert outcome.channel == b"done\n", outcome
    assert outcome.wall_s > 3


async def test_who_sleeps_is_stopped_all_the_same(bench: Bench) -> None:
    source = BURN + "time.sleep(60)"
    with other_load(LOAD):
        outcome = await bench.python(source, limits=LIMITS)
    assert outcome.flags & wire.WALL_EXCEEDED, outcome
    assert outcome.wall_s < 20


async def test_who_talks_is_told_how_long_it_was_kept(bench: Bench) -> None:
    read, write = os.pipe2(os.O_CLOEXEC)
    other, end = os.pipe2(os.O_CLOEXEC)
    with other_load(LOAD):
        outcome = await bench.python(BURN + "time.sleep(0.5)", pipes=(read, end), limits=LIMITS)
    os.close(write)
    os.close(other)
    assert outcome.status == 0, outcome
    assert outcome.kept_s > 1, outcome
    assert outcome.kept_s == pytest.approx(outcome.wall_s - 0.5 - outcome.cpu_s, abs=0.2)
