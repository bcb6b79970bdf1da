"""From what a request leaves open to bounds of one run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from scalebox.config import LimitsConfig
from scalebox.errors import BadRequestError
from scalebox.model import Limits
from scalebox.sandbox.spec import RunLimits

#: The main thread's stack is bounded by the memory limit and by what zygotes were laid out for.
LARGEST_STACK_BYTES = 1 << 30
#: A file takes whole pages of the program's file system, and an entry of it.
_PAGE_BYTES = 4096
#: How often a slot holds a request's own bytes (the request, its parts, the files); what is small
#: is within the slot's slack.
_COPIES = 3
_LARGE_BYTES = 256 << 10
#: A harness of ours opens a few files and pipes of its own.
_HARNESS_OPEN_FILES = 32

_MAXIMA = (
    ("cpu_time_s", "max_cpu_time_s"),
    ("wall_time_s", "max_wall_time_s"),
    ("memory_bytes", "max_memory_bytes"),
    ("output_bytes", "max_output_bytes"),
    ("file_bytes", "max_file_bytes"),
    ("processes", "max_processes"),
    ("open_files", "max_open_files"),
)


def merge(asked: Limits, problem: Limits | None) -> Limits:
    """A submission's limits over its problem's."""
    if problem is None:
        return asked
    return Limits(
        **{
            name: own if (own := getattr(asked, name)) is not None else getattr(problem, name)
            for name in Limits.__struct_fields__
        }
    )


def resolve(limits: Limits, config: LimitsConfig) -> RunLimits:
    """Fill in the defaults.

    Raises:
        BadRequestError: a limit is over the most that this daemon allows.
    """
    for name, maximum in _MAXIMA:
        value = getattr(limits, name)
        if value is not None and value > getattr(config, maximum):
            raise BadRequestError(
                f"limits.{name} is {value:g}; this daemon allows at most "
                f"{getattr(config, maximum):g} (limits.{maximum} in scalebox.toml)",
                field=f"limits.{name}",
            )
    cpu_s = config.cpu_time_s if limits.cpu_time_s is None else limits.cpu_time_s
    wall_s = limits.wall_time_s
    if wall_s is None:
        wall_s = cpu_s * config.wall_time_factor + config.wall_time_extra_s
        wall_s = min(wall_s, config.max_wall_time_s)
    memory = limits.memory_bytes or config.memory_bytes
    return RunLimits(
        cpu_ns=int(cpu_s * 1e9),
        wall_ns=int(wall_s * 1e9),
        memory_bytes=memory,
        output_bytes=limits.output_bytes or config.output_bytes,
        file_bytes=limits.file_bytes or config.file_bytes,
        processes=limits.processes or config.processes,
        open_files=limits.open_files or config.open_files,
        stack_bytes=min(memory, LARGEST_STACK_BYTES),
    )


def with_own_files(limits: RunLimits, source: bytes, files: Mapping[str, bytes]) -> RunLimits:
    """Limits under which the program has all of what it was promised: what we put beside it (its
    source, its further files) is not its doing."""
    sizes = [len(source), *map(len, files.values())]
    pages = sum(size // _PAGE_BYTES + 2 for size in sizes)
    own = sum(sizes)
    return replace(
        limits,
        file_bytes=limits.file_bytes + pages * _PAGE_BYTES,
        memory_bytes=limits.memory_bytes + (_COPIES * own if own > _LARGE_BYTES else 0),
    )


def for_harness(limits: RunLimits) -> RunLimits:
    """Limits under which a harness of ours can do its part."""
    return replace(limits, open_files=max(limits.open_files, _HARNESS_OPEN_FILES))
