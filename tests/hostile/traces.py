"""What an attack may leave behind: seen from the host, and from inside the slot it was in."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import stat
import time
from collections import Counter
from pathlib import Path

import msgspec
from msgspec import Struct

from scalebox.config import PythonConfig
from scalebox.model import StdioCase, StdioTests, Submission, Verdict
from scalebox.sandbox.zygote.rootfs import GONE_PLACES
from tests.daemons import PLACE_PREFIX
from tests.hostile.stage import Stage

#: Where programs leave things on hosts without walls.
_COMMON = ("/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue")
#: The kernel and the daemon's event loop need a moment to let go.
_SETTLE_S = 5.0
#: Of the daemon's descriptors: compiled programs and uploaded inputs, of which it keeps a bounded
#: number open.
_KEPT = ("/artifacts/", "/blobs/", "/memfd:input", "/memfd:program")
#: Caches of the interpreter grow a little with every kind of error met for the first time.
_MEMORY_SLACK_BYTES = 24 << 20

#: Tells what the next program finds, as one line of JSON.
PROBE = r"""
import json, os, signal, sys
def read(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError as error:
        return type(error).__name__
def listing(path):
    try:
        return sorted(os.listdir(path))
    except OSError as error:
        return type(error).__name__
lines = read("/proc/self/status").splitlines()
limits = read("/proc/self/limits").splitlines()
status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
found = {
    "folder": listing("."),
    "temporary": listing(os.environ.get("TMPDIR", "/tmp")),
    "environment": sorted(os.environ.items()),
    "descriptors": [fd for fd in range(64) if os.path.exists("/proc/self/fd/%d" % fd)],
    "umask": os.umask(0o77),
    "niceness": os.nice(0),
    "cores": sorted(os.sched_getaffinity(0)),
    "oom": read("/proc/self/oom_score_adj"),
    "signals": [status.get(name) for name in ("SigBlk", "SigIgn", "SigCgt")],
    "powers": [status.get(name) for name in ("CapEff", "CapPrm", "NoNewPrivs", "Seccomp")],
    "limits": [line.split()[-3:-1] for line in limits if "processes" not in line],
    "modules": len(sys.modules),
}
if int(input()):
    found.update({
        # Without walls it depends on what else the user has started on this host.
        "process limit": [line.split()[-3:-1] for line in limits if "processes" in line],
        "shared memory": listing("/dev/shm"),
        "queues": [read("/proc/sysvipc/" + kind).count("\n") for kind in ("shm", "sem", "msg")],
        "processes": len([name for name in listing("/proc") if name.isdigit()]),
        "sockets": read("/proc/net/unix").count("\n"),
        "keys": read("/proc/keys").count("\n"),
        "locks": read("/proc/locks").count("\n"),
        "mounts": read("/proc/self/mountinfo").count(" - tmpfs scratch ") > SCRATCHES,
    })
print(json.dumps(found, sort_keys=True))
""".replace("SCRATCHES", str(GONE_PLACES + 1))
# A slot imports some modules when a program first names them; the first probe does, so that all are
# there from then on.
PROBE += "# " + " ".join(PythonConfig().preload_on_demand) + "\n"


class Seen(Struct, frozen=True):
    """A moment on the host.

    Attributes:
        processes: below the daemon.
        mounts, cgroups, ipc, files: lines, names.
        descriptors: of the daemon: what they are, with how many there are of each.
        slots: process ids of the zygotes.
    """

    processes: int
    mounts: frozenset[str]
    cgroups: frozenset[str]
    ipc: tuple[str, ...]
    files: frozenset[str]
    descriptors: dict[str, int]
    slots: tuple[int, ...]


def look(stage: Stage) -> Seen:
    """Now."""
    return Seen(
        processes=len(stage.daemon.family()),
        mounts=frozenset(Path("/proc/self/mountinfo").read_text().splitlines()),
        cgroups=frozenset(
            str(path) for group in stage.daemon.cgroups() for path in _folders(group)
        ),
        ipc=tuple(Path("/proc/sysvipc", kind).read_text() for kind in ("shm", "sem", "msg")),
        files=frozenset(_files(stage)),
        descriptors=_descriptors(stage),
        slots=tuple(slot.pid for slot in stage.daemon.status().slots),
    )


def _descriptors(stage: Stage) -> dict[str, int]:
    found: Counter[str] = Counter()
    folder = f"/proc/{stage.daemon.pid}/fd"
    for fd in os.listdir(folder):
        with contextlib.suppress(OSError):  # closed meanwhile
            what = os.readlink(f"{folder}/{fd}")
            if not any(word in what for word in _KEPT):
                found[re.sub(r"\d+", "N", what)] += 1
    # A client opens another connection whenever the first one is not yet free.
    found["socket:[N]"] -= _connections(str(stage.daemon.place.socket))
    return dict(found)


def _connections(address: str) -> int:
    """How many this process has to the daemon."""
    found = 0
    for fd in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):  # closed meanwhile, or no connection
            if stat.S_ISSOCK(os.fstat(int(fd)).st_mode):
                with socket.socket(fileno=os.dup(int(fd))) as connection:
                    found += connection.getpeername() == address
    return found


def _folders(group: Path) -> list[Path]:
    return [Path(folder) for folder, _, _ in os.walk(group)]


def _files(stage: Stage) -> list[str]:
    directory = stage.daemon.place.directory
    found = [name for name in os.listdir(directory) if name != "log"]
    found += os.listdir(directory / "tmp")
    found += [str(path) for path in stage.daemon.place.staging()]
    for common in _COMMON:
        try:
            with os.scandir(common) as entries:
                found += [entry.path for entry in entries if _is_ours(entry, stage)]
        except OSError:
            continue
    return found


def _is_ours(entry: os.DirEntry[str], stage: Stage) -> bool:
    try:
        owner = entry.stat(follow_symlinks=False).st_uid
    except OSError:
        return False
    # What others on this host make meanwhile is not looked at: other tests, and root, who makes too
    # much.
    if entry.name.startswith(PLACE_PREFIX):
        return False
    slots = range(61_184, 61_184 + 512)
    return owner in slots or (owner == stage.planted.uid and owner != 0)


def left_behind(stage: Stage, before: Seen) -> list[str]:
    """What is not as it was, once everything had time to settle; one text each."""
    deadline = time.monotonic() + _SETTLE_S
    while True:
        differences = _differences(before, look(stage))
        if not differences or time.monotonic() > deadline:
            return differences
        time.sleep(0.02)


def _differences(before: Seen, after: Seen) -> list[str]:
    found = []
    if after.processes > before.processes:
        found.append(f"{after.processes - before.processes} processes are left")
    for name in ("mounts", "cgroups", "files"):
        new = sorted(getattr(after, name) - getattr(before, name))
        if new:
            found.append(f"{name} are left: {', '.join(new)[:300]}")
    if after.ipc != before.ipc:
        found.append("System V IPC objects of the host have changed")
    for what, count in after.descriptors.items():
        if count > before.descriptors.get(what, 0):
            found.append(f"the daemon holds {count} descriptors of {what}")
    if after.slots != before.slots:
        found.append("a slot had to be replaced")
    return found


def memory_bytes(stage: Stage) -> int:
    """Resident memory of the daemon."""
    fields = Path(f"/proc/{stage.daemon.pid}/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


def memory_grew(before: int, after: int) -> bool:
    """Whether more than caches explain."""
    return after - before > _MEMORY_SLACK_BYTES


def probe(stage: Stage, walls: bool) -> dict[str, object]:
    """What an honest program finds in a slot now.

    Parameters:
        stage: with its daemon.
        walls: whether the slot has namespaces of its own to look at.

    Raises:
        AssertionError: it is not even run well.
    """
    case = StdioCase(input=f"{int(walls)}\n", answer="")
    report = stage.client.judge(
        Submission(
            language="python", source=PROBE, tests=StdioTests(cases=[case]), return_output="all"
        )
    )
    [result] = report.cases
    assert result.verdict is Verdict.WRONG_ANSWER, (report.verdict, result)
    assert result.exit_code == 0, result
    found: dict[str, object] = msgspec.json.decode(result.output or "")
    return found


def changed(stage: Stage, walls: bool, clean: dict[str, object]) -> list[str]:
    """What the next program finds otherwise than in a slot nobody attacked; one text each.

    Sockets that were sent through each other are given back by the kernel's own collector, which
    takes its time: nobody can reach them meanwhile.
    """
    deadline = time.monotonic() + _SETTLE_S
    while True:
        found = probe(stage, walls)
        different = [name for name in clean if found[name] != clean[name]]
        if different != ["sockets"] or time.monotonic() > deadline:
            break
        time.sleep(0.05)
    return [
        f"the next program finds {name} = {str(found[name])[:200]}, not {str(clean[name])[:200]}"
        for name in different
    ]
