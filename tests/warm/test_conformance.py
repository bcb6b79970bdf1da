"""Several hundred programs, executed by the zygote and by `python3 solution.py`: no difference."""

from __future__ import annotations

import pytest

from scalebox.model import IsolationLevel
from tests.sandbox.conftest import WAYS, Bench, bench
from tests.warm import conformance, programs
from tests.warm.programs import Program

__all__ = ["bench"]

_PART = 20

#: Real programs show what people write; that every level is alike the probes show.
best_level = pytest.mark.parametrize(
    "bench",
    [way for way in WAYS if way[0] is WAYS[0][0]],
    ids=lambda pair: f"{pair[0].value}-{pair[1]}",
    indirect=True,
)


def test_there_are_hundreds() -> None:
    assert len(programs.probes()) + len(programs.examples()) >= 250


def in_parts(found: list[Program]) -> list[list[Program]]:
    """Many in one slot: its start takes longer than they do."""
    return [found[first : first + _PART] for first in range(0, len(found), _PART)]


def part_name(part: list[Program]) -> str:
    return f"{part[0].name}..{part[-1].name}"


@pytest.mark.parametrize("part", in_parts(programs.probes()), ids=part_name)
async def test_probes(part: list[Program], bench: Bench) -> None:
    for program in part:
        expected = await conformance.cold(bench, program.source, program.stdin)
        got = await conformance.warm(bench, program.source, program.stdin)
        if program.name in conformance.SEEN:
            assert got != expected, f"{program.name} does not differ any more: off the list"
        else:
            assert got == expected, program


@best_level
@pytest.mark.parametrize(
    "part", in_parts([*programs.examples(), *programs.submissions()]), ids=part_name
)
async def test_real_programs(part: list[Program], bench: Bench) -> None:
    for program in part:
        expected = await conformance.cold(bench, program.source, program.stdin)
        got = await conformance.warm_compiled(bench, program.source, program.stdin)
        assert got == expected, program


#: Semaphores are files in /dev/shm, which at level `minimal` is the host's own and stays closed.
NEEDS_SHARED_MEMORY = """
from multiprocessing import get_context
def f(x): return x * x
if __name__ == '__main__':
    with get_context('fork').Pool(2) as pool: print(pool.map(f, range(5)))
"""


async def test_process_pool_works_where_the_slot_has_shared_memory(bench: Bench) -> None:
    outcome = await bench.python(NEEDS_SHARED_MEMORY)
    if bench.level is IsolationLevel.MINIMAL:
        assert outcome.exit_code == 1
        assert b"Permission denied" in outcome.stderr
    else:
        assert outcome.stdout == b"[0, 1, 4, 9, 16]\n"
