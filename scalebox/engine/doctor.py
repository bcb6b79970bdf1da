"""What this host gives, found by trying, in words that an operator can act on.

Every level of isolation is started for a moment, cgroups are made and removed, tool chains are
asked for their versions.  Nothing of a running daemon is touched.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

import msgspec

from scalebox.config import Config, SandboxConfig
from scalebox.engine import host
from scalebox.errors import HostError
from scalebox.languages.toolchains import Toolchains
from scalebox.model import Enforcement, IsolationLevel
from scalebox.sandbox import cgroups
from scalebox.sandbox.pool import REMEDY, Interpreter, Pool
from scalebox.sandbox.slot import Slot
from scalebox.sandbox.zygote import kernel

_GIB = 1 << 30


class Check(msgspec.Struct, frozen=True):
    """One thing that was looked at.

    Attributes:
        name: what.
        ok: whether it is as it should be.
        detail: what was found.
        remedy: what to do if it is not.
    """

    name: str
    ok: bool
    detail: str
    remedy: str = ""


class Diagnosis(msgspec.Struct, frozen=True):
    """All checks, and what the configuration would get.

    Attributes:
        isolation, enforcement: with this configuration; isolation is empty if it cannot be had.
        checks: in the order of importance.
    """

    isolation: str
    enforcement: str
    checks: list[Check]

    @property
    def ok(self) -> bool:
        """Whether a daemon would start."""
        return bool(self.isolation)


async def diagnose(config: Config) -> Diagnosis:
    """Look at this host with a configuration.

    Raises:
        ConfigError: a language's entry is not valid.
    """
    tools = Toolchains(config.languages, shown=config.sandbox.read_only_paths)
    checks: list[Check] = []
    isolation = enforcement = ""
    interpreter_found = bool(tools.interpreter.path)
    if interpreter_found:
        isolation, enforcement, words = await _try(config.sandbox, tools.interpreter)
        checks.append(
            Check(
                f'isolation = "{config.sandbox.isolation}"',
                bool(isolation),
                words or f"gives {isolation} with {enforcement}",
                "" if isolation else "see the levels below",
            )
        )
        checks += [
            await _check_level(config.sandbox, tools.interpreter, level) for level in IsolationLevel
        ]
    checks += [_check_cgroups(config), _check_memory(config), *_check_kernel()]
    checks += [*_check_tools(tools), *_check_noise()]
    return Diagnosis(isolation, enforcement, checks)


async def _try(sandbox: SandboxConfig, interpreter: Interpreter) -> tuple[str, str, str]:
    """(level, enforcement, why not)."""

    def ignore(_: Slot) -> None:
        return

    with tempfile.TemporaryDirectory(prefix="scalebox-doctor-") as directory:
        one = msgspec.structs.replace(sandbox, slots=1)
        bare = Interpreter(interpreter.path, interpreter.binds)
        pool = Pool(one, bare, Path(directory), 16, ignore, ignore)
        try:
            await pool.start()
        except HostError as error:
            return "", "", str(error)
        finally:
            pool.close()
        return pool.level.value, pool.enforcement.value, ""


async def _check_level(
    sandbox: SandboxConfig, interpreter: Interpreter, level: IsolationLevel
) -> Check:
    if level is IsolationLevel.FULL and os.geteuid() != 0:
        return Check(f"level {level.value}", False, "this is not root", REMEDY[level])
    wanted = msgspec.structs.replace(sandbox, isolation=level.value)
    found, _, words = await _try(wanted, interpreter)
    return Check(
        f"level {level.value}",
        bool(found),
        words or "a slot starts",
        "" if found else REMEDY[level],
    )


def _check_cgroups(config: Config) -> Check:
    hierarchy, reasons = cgroups.find(config.sandbox.cgroup_parent)
    enforcement = hierarchy.enforcement if hierarchy else Enforcement.RLIMIT
    if hierarchy is not None:
        hierarchy.close()
    said = {
        Enforcement.CGROUP2: "cgroup v2: memory, processes and CPU time are exact",
        Enforcement.CGROUP1: "cgroup v1 memory and pids, CPU time from v2: exact",
        Enforcement.RLIMIT: "no cgroup: memory is only looked at every 50 ms, CPU time of "
        "processes that nobody waited for is missed",
    }[enforcement]
    return Check(
        "cgroups",
        enforcement is Enforcement.CGROUP2,
        "; ".join([said, *reasons]),
        ""
        if enforcement is Enforcement.CGROUP2
        else "boot with cgroup v2 alone (systemd.unified_cgroup_hierarchy=1) and delegate memory, "
        "pids and cpu to the daemon (systemd: Delegate=yes; containers: --cgroupns=private with a "
        "writable /sys/fs/cgroup), or name such a group in sandbox.cgroup_parent",
    )


def _check_memory(config: Config) -> Check:
    available = host.program_memory_bytes(config)
    slots = config.sandbox.slots or len(os.sched_getaffinity(0))
    fit = min(slots, available // config.limits.memory_bytes)
    return Check(
        "memory",
        fit == slots,
        f"{available / _GIB:.1f} GiB for all programs together: {fit} of {slots} slots can run a "
        f"program of {config.limits.memory_bytes / _GIB:g} GiB (limits.memory_bytes) at once",
        ""
        if fit == slots
        else "lower limits.memory_bytes or sandbox.slots, or give more by engine.memory_bytes or "
        "the container's limit: programs wait for memory while slots are idle",
    )


def _check_kernel() -> list[Check]:
    abi = kernel.landlock_abi()
    checks = [
        Check(
            "Landlock",
            abi > 0,
            f"ABI {abi}" if abi else "not in this kernel",
            "" if abi else "Linux 5.13 with CONFIG_SECURITY_LANDLOCK; matters at level minimal",
        )
    ]
    swap = Path("/proc/swaps").read_text().splitlines()[1:]
    checks.append(
        Check(
            "swap",
            not swap,
            "in use" if swap else "none",
            "swapoff -a, or cgroup v2 (memory.swap.max): with swap, memory limits are soft and "
            "times vary"
            if swap
            else "",
        )
    )
    return checks


def _check_tools(tools: Toolchains) -> list[Check]:
    return [
        Check(
            f"language {info.name}",
            info.available,
            info.toolchain or "no tool chain",
            info.missing,
        )
        for info in tools.infos()
    ]


def _check_noise() -> list[Check]:
    """What disturbs measurements."""
    checks = []
    governors = set()
    for path in Path("/sys/devices/system/cpu").glob("cpu[0-9]*/cpufreq/scaling_governor"):
        with contextlib.suppress(OSError):
            governors.add(path.read_text().strip())
    if governors:
        steady = governors == {"performance"}
        checks.append(
            Check(
                "CPU frequency",
                steady,
                f"governor {', '.join(sorted(governors))}",
                "" if steady else "cpupower frequency-set -g performance: CPU times vary otherwise",
            )
        )
    threads = Path("/sys/devices/system/cpu/smt/active")
    with contextlib.suppress(OSError):
        active = threads.read_text().strip() == "1"
        checks.append(
            Check(
                "hyper-threading",
                not active,
                "on: two programs on one core slow each other" if active else "off",
                "set sandbox.slots to the number of real cores" if active else "",
            )
        )
    return checks


def render(diagnosis: Diagnosis) -> str:
    """Plain text, for `scaleboxd --doctor` without a table library."""
    lines = [
        f"isolation: {diagnosis.isolation or 'none'}   enforcement: {diagnosis.enforcement or '-'}"
    ]
    for check in diagnosis.checks:
        lines.append(f"[{'ok' if check.ok else '--'}] {check.name}: {check.detail}")
        if check.remedy:
            lines.append(f"     {check.remedy}")
    return "\n".join(lines)
