"""One program, both ways, in the same slot; and all that may differ."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from scalebox.sandbox.spec import RunOutcome, RunSpec
from scalebox.sandbox.zygote import wire
from tests.sandbox.conftest import INTERPRETER, LIMITS, Bench, take

#: What a program can find out if it looks, beside addresses, process ids and random numbers, which
#: differ from run to run either way:
PERMITTED = (
    "how long the start took, and the CPU time spent so far",
    "modules that are in sys.modules before the program imports them",
    "objects in memory: gc.get_objects(), gc.get_stats(), sys.getrefcount() of shared ones",
    "the memory map: /proc/self/maps, ru_maxrss",
    "/proc/self/cmdline: the zygote's",
)
#: And what probes show, by probe:
SEEN = {
    "stack": "below the program's frame there is one of the zygote",
    "exit_in_atexit": "a C function that raises in atexit is reported with that frame",
    "syntax_nul": "a source with NUL bytes is refused, as by Python 3.12",
    "bad_utf8_cookie": "an unknown encoding of the source is reported in other words",
    "del_in_module": "what a program puts into another module is not destroyed at the end",
}

#: Real programs may need more than the unit tests' programs do.
_LIMITS = replace(LIMITS, cpu_ns=3_000_000_000, wall_ns=120_000_000_000, memory_bytes=1 << 30)


@dataclass(frozen=True)
class Shown:
    """What a run shows of itself: outputs without addresses, and how it ended.

    Of one that was stopped only that: how far it had come by then is chance.
    """

    stdout: str = ""
    stderr: str = ""
    status: int = 0
    stopped: bool = False


async def warm(bench: Bench, source: bytes, stdin: bytes) -> Shown:
    """By the zygote: its text, compiled in the child."""
    spec = RunSpec(program=wire.PYTHON_SOURCE, limits=_LIMITS, source=source, stdin=stdin)
    return await _shown(bench, spec)


async def warm_compiled(bench: Bench, source: bytes, stdin: bytes) -> Shown:
    """By the zygote, as the engine does it: compiled by a run of its own, then loaded."""
    first = await bench.raw(RunSpec(program=wire.PYTHON_COMPILE, limits=_LIMITS, source=source))
    assert first is not None, bench.slot.failure
    if first.flags & wire.COMPILE_FAILED:
        return _tidied(first)
    code = take(first.stdout)
    spec = RunSpec(program=wire.PYTHON_CODE, limits=_LIMITS, source=source, code=code, stdin=stdin)
    return await _shown(bench, spec)


async def cold(bench: Bench, source: bytes, stdin: bytes) -> Shown:
    """By a new interpreter."""
    spec = RunSpec(
        program=wire.EXECUTE,
        limits=_LIMITS,
        argv=(INTERPRETER, "-B", "-s", "solution.py"),
        files={"solution.py": (source, 0o644)},
        stdin=stdin,
    )
    return await _shown(bench, spec)


async def _shown(bench: Bench, spec: RunSpec) -> Shown:
    outcome = await bench.raw(spec)
    assert outcome is not None, bench.slot.failure
    assert not outcome.flags & wire.SETUP_FAILED, outcome.message
    return _tidied(outcome)


def _tidied(outcome: RunOutcome) -> Shown:
    outputs = take(outcome.stdout), take(outcome.stderr)
    if outcome.flags & (wire.CPU_EXCEEDED | wire.WALL_EXCEEDED):
        return Shown(stopped=True)
    stdout, stderr = (_without_addresses(text) for text in outputs)
    return Shown(stdout, stderr, outcome.status)


def _without_addresses(text: bytes) -> str:
    return re.sub(r"0x[0-9a-f]{6,}", "ADDRESS", text.decode("utf-8", "backslashreplace"))
