"""The sandbox's tests where cgroup v2 has its controllers, on any host: in User Mode Linux.

Many development machines and most containers have no version 2 hierarchy with controllers to test
on.  This boots one: a Linux kernel that is an ordinary program (Debian's and Ubuntu's package
`user-mode-linux`), with this host's files as its own, read-only.  It needs no root and no network
once that package is there.

    python3 scripts/cgroup_test.py [--timeout SECONDS] [--if-possible] [PYTEST ARGUMENT ...]

The same file is both sides: started so it is the driver on the host, and as the guest's first
process it mounts what a system has and runs pytest (see `PASSES`).  No exit status comes out of a
virtual machine, so results come back as files in a shared folder.  Exit status: 0, every test
passed; 1, one did not, or the guest did not come to its end; 2, there is no kernel, or this host
does not let it boot (with --if-possible: 0, and words).
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import dataclasses
import fcntl
import json
import os
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KERNEL = "linux.uml"
PACKAGE = "user-mode-linux"
GUEST_MEMORY_MIB = 2048
TIMEOUT_S = 900.0
CGROUPS = Path("/sys/fs/cgroup")
CONTROLLERS = ("cpu", "memory", "pids")
CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
#: Folders that the guest has of its own.
TEMPORARY = ("/tmp", "/dev/shm", "/var/cache", "/var/tmp")
#: Where the guest sees the folder that it shares with the driver.
SHARE = Path("/run/share")
#: An ordinary user of the guest: only there, and only for these tests.
ORDINARY_UID = 60_990

EXIT_FAILED = 1
EXIT_IMPOSSIBLE = 2
EXIT_DIED = 3
#: In the share: the guest lives.
BOOTED = "booted"


@dataclasses.dataclass(frozen=True)
class Pass:
    """One run of pytest in the guest.

    Attributes:
        name: of its files in the share.
        group: cgroup that it runs in, below the mount; empty: the top one.
        uid: who runs it; that user owns the group, as with systemd's `Delegate=yes`.
        namespace: whether the group is all that it sees of the hierarchy, as in a container.
        tests: pytest's arguments.
    """

    name: str
    group: str
    uid: int
    namespace: bool
    tests: tuple[str, ...]


# What the cgroup decides; that a warm run is like a cold one does not depend on it.
_ALL = tuple(f"tests/sandbox/test_{name}.py" for name in ("cgroups", "limits", "death"))
_CGROUPS = _ALL[:1]
#: The kernel has no Landlock, so that level `minimal` is not what it is elsewhere.
PASSES = (
    Pass("root", "", 0, False, (*_ALL, "-k", "not minimal and not user-")),
    Pass("service", "service/daemon", 0, False, (*_CGROUPS, "-k", "not [")),
    # Here is no group beside one's own to try things in.
    Pass("container", "container/daemon", 0, True, (*_CGROUPS, "-k", "best or back_where")),
    Pass("user", "user/daemon", ORDINARY_UID, False, (*_CGROUPS, "-k", "not minimal")),
)


# --- the driver, on the host ---------------------------------------------------------------------


def main() -> int:
    """Boot, wait, report; the exit status."""
    parser = argparse.ArgumentParser(description="run the sandbox's tests under cgroup v2")
    parser.add_argument("--timeout", type=float, default=TIMEOUT_S, metavar="SECONDS")
    parser.add_argument(
        "--if-possible", action="store_true", help="where it cannot be booted, say so and succeed"
    )
    options, arguments = parser.parse_known_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(EXIT_FAILED))  # never without the clean-up
    kernel = find_kernel()
    status = EXIT_IMPOSSIBLE if kernel is None else run(kernel, arguments, options.timeout)
    return 0 if status == EXIT_IMPOSSIBLE and options.if_possible else status


def run(kernel: str, arguments: list[str], timeout_s: float) -> int:
    """The tests in a guest, or in a second one if the first dies; the exit status."""
    status = attempt(kernel, arguments, timeout_s)
    if status == EXIT_DIED:
        # Killed from outside, or a fault of the virtual machine: no test has said anything.
        print("cgroup-test: once more")
        status = attempt(kernel, arguments, timeout_s)
    return EXIT_FAILED if status == EXIT_DIED else status


def attempt(kernel: str, arguments: list[str], timeout_s: float) -> int:
    """The tests in one guest; the exit status, or `EXIT_DIED`."""
    with tempfile.TemporaryDirectory(prefix="cgroup-test-") as directory:
        share = Path(directory)
        started = time.monotonic()
        died = boot(kernel, share, arguments, timeout_s)
        took_s = time.monotonic() - started
        if not (share / BOOTED).exists():
            print(f"cgroup-test: {kernel} does not boot on this host", file=sys.stderr)
            return EXIT_IMPOSSIBLE
        if died:
            print(f"cgroup-test: the guest died with status {died} after {took_s:.0f} s")
            return EXIT_DIED
        good = report(share, arguments)
    if died is None:
        print(f"cgroup-test: the guest did not come to its end within {timeout_s:g} s")
        good = False
    print(f"cgroup-test: {'passed' if good else 'FAILED'} in {took_s:.0f} s")
    return 0 if good else EXIT_FAILED


def find_kernel() -> str | None:
    """The guest's kernel; installed if this is root on Debian or Ubuntu, else asked for."""
    found = shutil.which(KERNEL)
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        install = ["apt-get", "install", "-qy", "--no-install-recommends", PACKAGE]
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        # Package lists that are there will do; a fresh container has none.
        for command in (install, ["apt-get", "update", "-q"], install):
            done = subprocess.run(command, env=quiet, stdout=subprocess.DEVNULL, check=False)
            found = shutil.which(KERNEL)
            if found or (command is not install and done.returncode):
                break
    if found is None:
        print(
            f"cgroup-test: there is no {KERNEL}; on Debian and Ubuntu: "
            f"sudo apt-get install {PACKAGE}",
            file=sys.stderr,
        )
    return found


def boot(kernel: str, share: Path, arguments: list[str], timeout_s: float) -> int | None:
    """Run the guest; its status, 0 if it has powered itself off; None: not in time."""
    python = sys.executable
    covered, reached = hidden_ways([str(ROOT), sys.prefix, sys.base_prefix])
    order = {
        "share": str(share),
        "python": python,
        "arguments": arguments,
        "covered": covered,
        "reached": reached,
    }
    (share / "order.json").write_text(json.dumps(order))
    init = share / "init"
    words = [python, "-I", "-S", "-u", str(Path(__file__).resolve()), str(share / "order.json")]
    init.write_text("#!/bin/sh\nexec " + " ".join(f"'{word}'" for word in words) + "\n")
    init.chmod(0o755)
    command = [
        kernel, f"mem={GUEST_MEMORY_MIB}M", "rootfstype=hostfs", "rootflags=/", "ro",
        f"init={init}", "con=null", "con0=fd:0,fd:1", "quiet", "loglevel=1",
    ]  # fmt: skip
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, "TMPDIR": memory_folder(share), "HOME": str(share)},
    )
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        return None
    finally:
        # The guest's processes are processes of the host, in the kernel's session.
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return process.returncode


def hidden_ways(needed: list[str]) -> tuple[list[str], list[str]]:
    """What the guest must show anew: its own /tmp hides it, or other users may not pass to it.

    Returns:
        folders to cover with empty ones, and the paths to mount again below those or below
        `TEMPORARY`.
    """
    covered, reached = set(), set()
    for path in needed:
        for parent in reversed(Path(path).parents):
            if str(parent) in (*TEMPORARY, "/run"):
                reached.add(path)
                break
            if not parent.stat().st_mode & stat.S_IXOTH:
                covered.add(str(parent))
                reached.add(path)
                break
    inner = {path for path in reached for other in reached if path.startswith(other + "/")}
    return sorted(covered), sorted(reached - inner)


def memory_folder(share: Path) -> str:
    """Where the guest's memory is a file, from which it executes.

    The /dev/shm of a container may be too small for that, and may not be executed from.
    """
    try:
        facts = os.statvfs("/dev/shm")
    except OSError:
        return str(share)
    free = facts.f_bavail * facts.f_frsize
    usable = free > GUEST_MEMORY_MIB << 20 and not facts.f_flag & os.ST_NOEXEC
    return "/dev/shm" if usable else str(share)


def report(share: Path, arguments: list[str]) -> bool:
    """Say what came back; whether all of it is good."""
    good = True
    for each in PASSES:
        status = share / f"{each.name}.status"
        counts = "no results"
        try:
            suite = ElementTree.parse(share / f"{each.name}.xml").getroot().find("testsuite")
            if suite is not None:
                counts = ", ".join(
                    f"{suite.get(what)} {what}" for what in ("tests", "failures", "errors")
                )
        except (OSError, ElementTree.ParseError):
            good = False
        try:
            text = status.read_text()
        except OSError:
            text = "not run"
        # 5: the arguments given on the command line leave no test in this pass.
        good = good and text in (("0", "5") if arguments else ("0",))
        print(f"cgroup-test: {each.name}: {counts} (pytest's status: {text})")
    return good


# --- the guest's first process -------------------------------------------------------------------


def guest(order_path: str) -> None:
    """Make a system of this kernel, run every pass, power off."""
    try:
        with open(order_path) as file:
            order = json.load(file)
        make_system(order)
        for each in PASSES:
            status = run_pass(each, order)
            (SHARE / f"{each.name}.status").write_text(str(status))
    except BaseException as error:
        # Whatever happens, pid 1 must not end otherwise: the kernel would panic.
        print(f"cgroup-test: the guest failed: {type(error).__name__}: {error}", flush=True)
    os.sync()
    Path("/proc/sysrq-trigger").write_text("o")
    signal.pause()


def make_system(order: dict) -> None:  # type: ignore[type-arg]
    """Mount what a system has; make cgroups; let every user read what the tests are."""
    mount("proc", "/proc", "proc")
    mount("sysfs", "/sys", "sysfs")
    mount("cgroup2", str(CGROUPS), "cgroup2")
    mount("run", "/run", "tmpfs", "mode=755")
    SHARE.mkdir()
    mount("share", str(SHARE), "hostfs", order["share"])
    (SHARE / BOOTED).touch()
    for path in TEMPORARY:
        if path == "/dev/shm":
            os.mkdir(path)
        mount("temporary", path, "tmpfs", "mode=1777")
    for path in order["covered"]:
        mount("cover", path, "tmpfs", "mode=755")
    for path in order["reached"]:
        os.makedirs(path)
        mount("host", path, "hostfs", path)
    bring_up_loopback()
    (CGROUPS / "cgroup.subtree_control").write_text(_all_controllers())
    # No udev makes these here.
    for name, target in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
        os.symlink(f"/proc/self/fd{target}", f"/dev/{name}")


def run_pass(each: Pass, order: dict) -> int:  # type: ignore[type-arg]
    """Run pytest as a pass says; its exit status."""
    group = CGROUPS / each.group
    if each.group:
        # What may be delegated is a folder with a group in it, so that the tests can make groups
        # beside their own.
        delegate(group.parent, each.uid)
        (group.parent / "cgroup.subtree_control").write_text(_all_controllers())
        delegate(group, each.uid)
    home = Path(tempfile.mkdtemp(prefix=f"home-{each.name}-", dir="/tmp"))
    os.chown(home, each.uid, each.uid)
    print(f"cgroup-test: {each.name}: uid {each.uid}, in {group}", flush=True)
    child = os.fork()
    if child == 0:
        try:
            become(each, group, home, order)
        except OSError as error:
            print(f"cgroup-test: {each.name}: {error}", flush=True)
        finally:
            os._exit(70)
    while True:
        # As any init: whoever loses its parent is waited for here.
        pid, status = os.wait()
        if pid == child:
            break
    with contextlib.suppress(OSError):
        shutil.copyfile(home / "results.xml", SHARE / f"{each.name}.xml")
    return os.waitstatus_to_exitcode(status)


def become(each: Pass, group: Path, home: Path, order: dict) -> None:  # type: ignore[type-arg]
    """Turn this process into pytest, alone in its group; does not return."""
    (group / "cgroup.procs").write_text("0")
    if each.namespace:
        libc("unshare", CLONE_NEWCGROUP | CLONE_NEWNS)
        libc("umount", str(CGROUPS).encode())
        mount("cgroup2", str(CGROUPS), "cgroup2")
    if each.uid:
        os.setgroups([])
        os.setresgid(each.uid, each.uid, each.uid)
        os.setresuid(each.uid, each.uid, each.uid)
    os.chdir(ROOT)
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    words = [
        order["python"], "-m", "pytest", "-q", "-p", "no:cacheprovider",
        f"--junitxml={home}/results.xml", *each.tests, *order["arguments"],
    ]  # fmt: skip
    os.execve(words[0], words, environment)


def delegate(group: Path, uid: int) -> None:
    """Make a group, and give it to a user as systemd does: its folder, and three of its files."""
    group.mkdir()
    os.chown(group, uid, uid)
    for name in ("procs", "subtree_control", "threads"):
        os.chown(group / f"cgroup.{name}", uid, uid)


def _all_controllers() -> str:
    return " ".join(f"+{name}" for name in CONTROLLERS)


def mount(source: str, target: str, kind: str, data: str = "") -> None:
    """mount(2)."""
    libc("mount", source.encode(), target.encode(), kind.encode(), 0, data.encode())


def libc(function: str, *arguments: object) -> None:
    """Call a function of the C library that returns 0, or -1 and errno."""
    if getattr(ctypes.CDLL(None, use_errno=True), function)(*arguments):
        code = ctypes.get_errno()
        raise OSError(code, f"{function} {arguments}: {os.strerror(code)}")


def bring_up_loopback() -> None:
    """`ip link set lo up`, without needing the program."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(probe, 0x8913, request))[1]
        fcntl.ioctl(probe, 0x8914, struct.pack("16sh14x", b"lo", flags | 1))


if __name__ == "__main__":
    if os.getpid() == 1:
        guest(sys.argv[1])
    else:
        sys.exit(main())
