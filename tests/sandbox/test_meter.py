"""What the meter without cgroups says of a program: only what the program did itself."""

from __future__ import annotations

import os
import sys

from scalebox.sandbox.zygote.meter import ProcessMeter, resident_bytes


def ran(meter: ProcessMeter, limit: int, *command: str) -> int:
    """Run a command as a fork of this process; its largest resident set, bytes."""
    meter.begin(limit, 64)
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(command[0], command)
        finally:
            os._exit(127)
    _, status, usage = os.wait4(pid, 0)
    assert status == 0
    meter.reaped(usage)
    return usage.ru_maxrss * 1024


def test_what_a_program_had_of_its_slot_before_it_began_is_not_its_own() -> None:
    held = bytearray(b"x" * (64 << 20))  # as a slot has where numpy is imported
    meter = ProcessMeter(os.getpid(), False)
    limit = 32 << 20
    # The kernel remembers the fork's size, which has nothing of the files that its parent maps.
    assert ran(meter, limit, "/bin/true") > limit
    assert not meter.finish()[2]
    del held


def test_a_program_over_its_limit_is_told_from_its_slot() -> None:
    meter = ProcessMeter(os.getpid(), False)
    size = resident_bytes(os.getpid()) + (64 << 20)
    source = f"x = bytearray(b'x' * {size})"
    ran(meter, 32 << 20, sys.executable, "-c", source)
    assert meter.finish()[2]
