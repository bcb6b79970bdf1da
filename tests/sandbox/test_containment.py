"""What a program sees, touches and leaves behind."""

from __future__ import annotations

import asyncio
import os
import platform
import signal
import socket
from pathlib import Path

import pytest

from scalebox.model import IsolationLevel
from scalebox.sandbox.spec import RunSpec, sealed_memfd
from scalebox.sandbox.zygote import wire
from scalebox.sandbox.zygote.meter import stat_fields
from tests.sandbox.conftest import LIMITS, Bench, take


async def test_nothing_is_left_of_a_run(bench: Bench) -> None:
    source = """
import os, tempfile
open('mine', 'w').write('x'); open(tempfile.gettempdir() + '/mine', 'w').write('x')
os.mkdir('d'); os.chmod('d', 0)
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            import time; time.sleep(60)
        os._exit(0)
"""
    await bench.python(source)
    look = """
import os, tempfile
print(sorted(os.listdir('.')))
print(os.path.exists(tempfile.gettempdir() + '/mine'))
"""
    outcome = await bench.python(look)
    assert outcome.stdout == b"['solution.py']\nFalse\n"


async def test_orphan_is_killed_with_its_run(bench: Bench, tmp_path: Path) -> None:
    mark = f"orphan-{os.getpid()}-{bench.level.value}"
    source = f"""
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open('/proc/self/comm', 'w').write('{mark[:15]}') if os.access('/proc/self/comm', 2) else 0
        time.sleep(600)
    os._exit(0)
os.wait()
"""
    await bench.python(source)
    ours = {bench.slot.pid}
    alive = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) not in ours:
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[1]) == bench.slot.pid and fields[0] != "Z":
                alive.append(entry.name)
    assert not alive


async def test_program_has_no_privileges(bench: Bench) -> None:
    source = """
facts = dict(line.split(':', 1) for line in open('/proc/self/status'))
print(*(facts[k].strip() for k in ('CapPrm', 'CapEff', 'CapInh', 'NoNewPrivs', 'Seccomp')))
"""
    outcome = await bench.python(source)
    capabilities = b"0" * 16
    expected = b" ".join([capabilities] * 3)
    if bench.level is IsolationLevel.MINIMAL and os.geteuid() == 0:
        # Run as root for the test's sake: nobody drops what nobody should have.
        assert outcome.stdout.split()[3:] == [b"1", b"2"]
        return
    assert outcome.stdout.split() == [*expected.split(), b"1", b"2"]


async def test_program_is_not_pid_1_and_not_root(bench: Bench) -> None:
    outcome = await bench.python("import os; print(os.getpid() > 1, os.getuid())")
    first, uid = outcome.stdout.split()
    assert first == b"True"
    if bench.level is IsolationLevel.FULL:
        assert int(uid) >= 1000


async def test_host_files_are_not_there(bench: Bench, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the answer")
    secret.chmod(0o644)
    outcome = await bench.python(f"print(open({str(secret)!r}).read())")
    assert outcome.exit_code == 1
    assert b"the answer" not in outcome.stdout


@pytest.mark.parametrize("path", ["/usr/x", "/etc/x", "/x", "/dev/x"])
async def test_nothing_outside_scratch_can_be_written(bench: Bench, path: str) -> None:
    outcome = await bench.python(f"open({path!r}, 'w')")
    assert outcome.exit_code == 1
    assert not Path(path).exists()


async def test_host_network_is_out_of_reach(bench: Bench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        outcome = await bench.python(
            f"import socket; socket.create_connection(('127.0.0.1', {port}), timeout=2)"
        )
    assert outcome.exit_code == 1
    assert b"Error" in outcome.stderr


async def test_unix_sockets_of_the_host_are_out_of_reach(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "s"
    abstract = f"\0scalebox-test-{os.getpid()}"
    servers = []
    for address in (str(path), abstract):
        server = socket.socket(socket.AF_UNIX)
        server.bind(address)
        server.listen()
        servers.append(server)
        outcome = await bench.python(
            f"import socket; socket.socket(socket.AF_UNIX).connect({address!r})"
        )
        assert outcome.exit_code == 1, address
    for server in servers:
        server.close()


async def test_input_cannot_be_changed_for_the_next_run(bench: Bench) -> None:
    attack = """
import os
for way in (lambda: os.open('/proc/self/fd/0', os.O_RDWR), lambda: os.fchmod(0, 0o777),
            lambda: os.ftruncate(0, 0), lambda: os.write(0, b'forged'),
            lambda: os.open('/proc/self/fd/0', os.O_WRONLY)):
    try:
        fd = way()
        if isinstance(fd, int) and fd > 2:
            os.pwrite(fd, b'forged', 0)
    except OSError:
        pass
"""
    descriptor = sealed_memfd(b"the input")
    try:
        await bench.python(attack, descriptor)  # type: ignore[arg-type]
        outcome = await bench.python("print(input())", descriptor)  # type: ignore[arg-type]
    finally:
        os.close(descriptor)
    assert outcome.stdout == b"the input\n"


async def test_shared_input_is_read_from_its_start_every_time(bench: Bench) -> None:
    descriptor = sealed_memfd(b"0123456789" * 10_000)
    try:
        for _ in range(3):
            outcome = await bench.python("print(len(input()))", descriptor)  # type: ignore[arg-type]
            assert outcome.stdout == b"100000\n"
    finally:
        os.close(descriptor)


@pytest.mark.parametrize(
    "attack",
    [
        "import os; os.kill(1, 9)",
        "import os, signal; os.kill(os.getppid(), signal.SIGINT)",
        "import os; os.kill(os.getppid(), 19)",
        "import os; os.kill(-1, 9)",
        "import resource, os; resource.prlimit(os.getppid(), resource.RLIMIT_CPU, (1, 1))",
        "import os; open(f'/proc/{os.getppid()}/mem', 'r+b')",
        "import os; open(f'/proc/{os.getppid()}/oom_score_adj', 'w').write('1000')",
        "import ctypes; ctypes.CDLL(None).unshare(0x10000000) and exit(1)",
        "import ctypes; ctypes.CDLL(None).unshare(0x40000000) and exit(1)",
        "import ctypes, os; ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0) and exit(1)",
        "import ctypes; ctypes.CDLL(None).mount(b'a', b'/tmp', b'tmpfs', 0, None) and exit(1)",
    ],
)
async def test_attacks_on_pid_1_fail(bench: Bench, attack: str) -> None:
    restarts, pid = bench.slot.restarts, bench.slot.pid
    await bench.python(attack)
    outcome = await bench.python("print('well')")
    assert outcome.stdout == b"well\n"
    assert (bench.slot.restarts, bench.slot.pid) == (restarts, pid)


async def test_modules_are_fresh_in_every_run(bench: Bench) -> None:
    await bench.python("import math, builtins; math.pi = 3; builtins.len = lambda x: 0")
    outcome = await bench.python("import math; print(math.pi > 3.1, len([1]))")
    assert outcome.stdout == b"True 1\n"


async def test_random_differs_between_runs_and_hashes_do_not(bench: Bench) -> None:
    source = "import random; print(random.random(), hash('scalebox'))"
    first = (await bench.python(source)).stdout.split()
    second = (await bench.python(source)).stdout.split()
    assert first[0] != second[0]
    assert first[1] == second[1]


async def test_fetched_files_follow_no_links(bench: Bench) -> None:
    source = """
import os
open('result.txt', 'w').write('made')
os.symlink('/etc/passwd', 'link')
os.mkdir('d'); os.symlink('/etc', 'd/up')
os.mkfifo('pipe')
"""
    outcome = await bench.raw(
        RunSpec(
            program=wire.PYTHON_SOURCE,
            limits=LIMITS,
            source=source.encode(),
            fetch=("result.txt", "link", "d/up/passwd", "pipe", "../x", "/etc/passwd", "none"),
        )
    )
    assert outcome is not None
    assert set(outcome.files) == {"result.txt"}
    assert take(outcome.files.pop("result.txt")) == b"made"
    outcome.close()


async def test_program_cannot_speak_for_the_tester(bench: Bench) -> None:
    tester = "import os\nos.write(5, b'tester ' + os.read(3, 100) + b'\\n')"
    made = await bench.python(tester, program=wire.PYTHON_COMPILE)
    outcome = await bench.python(
        "import os\ntry: os.write(5, b'forged\\n')\nexcept OSError: pass\nos.write(4, b'hello')",
        driver=made.stdout,
        records=1,
    )
    assert outcome.channel == b"tester hello\n"


async def test_native_programs_run_from_a_descriptor(bench: Bench) -> None:
    program = os.open("/bin/cat", os.O_RDONLY)
    try:
        outcome = await bench.raw(
            RunSpec(
                program=wire.EXECUTE, limits=LIMITS, executable_fd=program, argv=("cat",),
                stdin=b"through",
            )
        )  # fmt: skip
    finally:
        os.close(program)
    assert outcome is not None
    assert take(outcome.stdout) == b"through"


async def test_missing_program_is_our_failure_not_the_programs(bench: Bench) -> None:
    outcome = await bench.command("no-such-program")
    assert outcome.flags & wire.EXEC_FAILED
    assert "no-such-program" in outcome.message


async def test_run_can_be_cancelled(bench: Bench) -> None:
    run = asyncio.create_task(bench.python("import time; time.sleep(60)"))
    await asyncio.sleep(0.2)
    bench.slot.cancel()
    outcome = await run
    assert outcome.flags & wire.CANCELLED
    assert (await bench.python("print(1)")).stdout == b"1\n"


async def test_what_has_ended_is_not_cancelled_any_more(bench: Bench) -> None:
    source = "import os, time\ntime.sleep(0.5)\nos.kill(os.getpid(), 11)"
    run = asyncio.create_task(bench.python(source))
    await asyncio.sleep(0.2)
    os.kill(bench.slot.pid, signal.SIGSTOP)
    async with asyncio.timeout(30):
        while not _dead_children(bench.slot.pid):
            await asyncio.sleep(0.02)
    bench.slot.cancel()
    os.kill(bench.slot.pid, signal.SIGCONT)
    outcome = await run
    assert (outcome.signal, outcome.flags) == (11, 0)
    assert (await bench.python("print(1)")).stdout == b"1\n"


def _dead_children(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        fields = stat_fields(int(entry.name)) if entry.name.isdecimal() else None
        if fields and fields[0] == "Z" and int(fields[1]) == parent:
            found.append(int(entry.name))
    return found


async def test_a_program_whose_first_thread_has_ended_can_be_cancelled(bench: Bench) -> None:
    its_exit = {"x86_64": 60, "aarch64": 93}[platform.machine()]
    source = (
        "import ctypes, threading, time\n"
        "threading.Thread(target=time.sleep, args=(60,)).start()\n"
        f"ctypes.CDLL(None).syscall({its_exit}, 0)"
    )
    run = asyncio.create_task(bench.python(source))
    await asyncio.sleep(0.5)
    bench.slot.cancel()
    outcome = await run
    assert outcome.flags & wire.CANCELLED
    assert outcome.wall_s < 3
    assert (await bench.python("print(1)")).stdout == b"1\n"


async def test_death_of_the_zygote_is_told_and_healed(bench: Bench) -> None:
    run = asyncio.create_task(
        bench.raw(
            RunSpec(program=wire.PYTHON_SOURCE, limits=LIMITS, source=b"import time; time.sleep(9)")
        )
    )
    await asyncio.sleep(0.2)
    os.kill(bench.slot.pid, 9)
    assert await run is None
    assert (await bench.python("print('again')")).stdout == b"again\n"
    assert bench.slot.restarts == 1
