"""Life and death of `scaleboxd`: no verdict changes, none is lost, and nothing is left behind."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import msgspec
import pytest

import scalebox
from scalebox.model import BatchItem, Limits, StdioCase, StdioTests, Submission, Verdict
from tests.daemons import (
    Connection,
    Daemon,
    Kind,
    Place,
    alive,
    children,
    ended,
    kinds,
    named,
    place,
    until,
    with_argument,
)

KINDS = kinds()
STRONGEST = KINDS[0]
_COUNTER = itertools.count(1)

DOUBLES = StdioTests(cases=[StdioCase(input=f"{n}", answer=f"{2 * n}") for n in (2, 7)])
SHORT = Limits(cpu_time_s=0.3, wall_time_s=20.0, memory_bytes=64 << 20)
#: Leaves its session and its parents, and sleeps for a time that names it.
DAEMONIZE = """
import os
for _ in range(2):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execv('/bin/sleep', ['sleep', MARK])
        os._exit(0)
"""
WELL = "print(int(input()) * 2)"
CHEAP = [
    ("python", WELL, Verdict.ACCEPTED),
    ("python", "print(4)", Verdict.WRONG_ANSWER),
    ("python", "input(); print(1 / 0)", Verdict.RUNTIME_ERROR),
    ("python", "def f(:", Verdict.COMPILE_ERROR),
    ("python", WELL + "\nimport os; os._exit(3)", Verdict.RUNTIME_ERROR),
    ("python", DAEMONIZE.replace("MARK", "'1000'") + WELL, Verdict.ACCEPTED),
    ("c", '#include <stdio.h>\nint main() { int n; scanf("%d", &n); printf("%d", 2 * n); }',
     Verdict.ACCEPTED),
    ("c", "int main() { return *(volatile int *)0; }", Verdict.RUNTIME_ERROR),
    ("c", "int main() { return x; }", Verdict.COMPILE_ERROR),
]  # fmt: skip
COSTLY = [
    ("python", "while True: pass", Verdict.TIME_LIMIT_EXCEEDED),
    ("python", "x = bytearray(300 << 20); import time; time.sleep(1)",
     Verdict.MEMORY_LIMIT_EXCEEDED),
]  # fmt: skip


@pytest.fixture(params=KINDS, ids=str)
def here(request: pytest.FixtureRequest) -> Iterator[Place]:
    """A place for each kind of daemon."""
    with place(request.param) as made:
        yield made


def mixed(count: int) -> tuple[list[Submission], list[Verdict]]:
    """Submissions of every sort, and what they deserve."""
    chosen = [*itertools.islice(itertools.cycle(CHEAP), count - len(COSTLY)), *COSTLY]
    submissions = [
        Submission(language=language, source=source, tests=DOUBLES, limits=SHORT)
        for language, source, _ in chosen
    ]
    return submissions, [verdict for _, _, verdict in chosen]


def mark() -> str:
    """A number of seconds that nobody else sleeps for."""
    return f"8{os.getpid()}.{next(_COUNTER)}"


# --- the death of zygotes ------------------------------------------------------------------------


KILLS = 8
BATCH = 200
#: A slot gets so many runs done before it is hit again: a case that is hit time after time is given
#: up, and rightly.
RUNS_BETWEEN = 10


class Killer(threading.Thread):
    """Kills the zygote of one busy slot after the other, in the midst of its work."""

    def __init__(self, daemon: Daemon) -> None:
        super().__init__()
        self._daemon = daemon
        self._done = threading.Event()
        self.killed: list[int] = []

    def run(self) -> None:
        next_at = [1, 1]
        for index in itertools.cycle((0, 1)):
            until(lambda: self._done.is_set() or self._busy(index, next_at[index]))  # noqa: B023
            if self._done.is_set() or len(self.killed) == KILLS:
                return
            slot = self._daemon.status().slots[index]
            with contextlib.suppress(ProcessLookupError):
                os.kill(slot.pid, signal.SIGKILL)
                self.killed.append(slot.pid)
            next_at[index] = slot.runs + RUNS_BETWEEN

    def _busy(self, index: int, runs: int) -> bool:
        slot = self._daemon.status().slots[index]
        return slot.state == "busy" and slot.runs >= runs and slot.pid not in self.killed

    def stop(self) -> None:
        """No more."""
        self._done.set()
        self.join()


def test_killed_zygotes_change_no_verdict_and_slots_come_back(here: Place) -> None:
    daemon = here.start()
    killer = Killer(daemon)
    killer.start()
    try:
        with scalebox.Client(str(here.socket)) as client:
            while len(killer.killed) < KILLS:
                submissions, expected = mixed(BATCH)
                reports = client.judge_all(submissions)
                assert [report.verdict for report in reports] == expected
    finally:
        killer.stop()
    slots = daemon.wait_until_idle().slots
    assert sum(slot.restarts for slot in slots) >= KILLS
    assert not {slot.pid for slot in slots} & set(killer.killed)
    assert daemon.terminate() == 0


# --- the orderly end -----------------------------------------------------------------------------


def rester(seconds: float, number: int) -> Submission:
    """A submission of its own that takes some time and is right."""
    source = f"import time; time.sleep({seconds}); {WELL}  # {number}"
    return Submission(id=str(number), language="python", source=source, tests=DOUBLES)


def post(connection: Connection, path: str, content: object) -> None:
    """Send JSON."""
    headers = {"Content-Type": "application/json"}
    connection.request("POST", path, msgspec.json.encode(content), headers)


def get(connection: Connection, path: str) -> int:
    """Ask over a connection that is kept; the status."""
    connection.request("GET", path)
    response = connection.getresponse()
    response.read()
    return response.status


def test_sigterm_answers_what_was_taken_refuses_the_rest_and_leaves_nothing(here: Place) -> None:
    daemon = here.start()
    groups = daemon.cgroups()
    batch, later = Connection(here.socket), Connection(here.socket)
    assert get(later, "/healthz") == 200
    count = 40
    post(batch, "/v1/judge/batch", {"submissions": [rester(0.05, n) for n in range(count)]})
    answer = batch.getresponse()
    items = [msgspec.json.decode(answer.readline(), type=BatchItem)]
    family = daemon.family()
    daemon.process.terminate()
    until(lambda: get(later, "/healthz") == 503)
    post(later, "/v1/judge", rester(0, count))
    refusal = later.getresponse()
    assert refusal.status == 503
    assert refusal.getheader("Retry-After")
    assert b"shutting down" in refusal.read()
    with pytest.raises((ConnectionRefusedError, FileNotFoundError)):
        daemon.get("/healthz")
    items += [msgspec.json.decode(line, type=BatchItem) for line in answer]
    assert sorted(item.index for item in items) == list(range(count))
    assert {item.report.verdict for item in items if item.report} == {Verdict.ACCEPTED}
    assert daemon.process.wait(60) == 0
    assert not alive(family)
    assert not here.socket.exists()
    assert here.files() - {".cache"} == {"log", "scalebox.toml", "store", "tmp"}
    assert not list((here.directory / "tmp").iterdir())
    assert not here.staging()
    assert not any(group.exists() for group in groups)
    assert "Traceback" not in daemon.said()


def test_work_that_outlasts_the_drain_is_broken_off_and_nothing_of_it_is_left(here: Place) -> None:
    daemon = here.start(server={"drain_timeout_s": 0.5})
    which = mark()
    connection = Connection(here.socket)
    post(connection, "/v1/judge", everlasting(which))
    until(lambda: len(sleeping(which)) == SLEEPERS)
    family = daemon.family()
    assert daemon.terminate() == 0
    assert not alive(family)
    assert not sleeping(which)
    with pytest.raises((OSError, http.client.HTTPException)):
        connection.getresponse()
    assert "Traceback" not in daemon.said()


#: How many processes sleep in such a run.
SLEEPERS = 4


def everlasting(which: str) -> Submission:
    """Starts daemons that sleep for a time of their own, a child that does, and sleeps on."""
    source = f"""{DAEMONIZE.replace("MARK", repr(which))}
if os.fork() == 0:
    os.execv('/bin/sleep', ['sleep', {which!r}])
os.execv('/bin/sleep', ['sleep', {which!r}])
"""
    limits = Limits(wall_time_s=1000.0)
    tests = StdioTests(cases=[StdioCase(answer="")])
    return Submission(language="python", source=source, tests=tests, limits=limits)


def sleeping(which: str) -> list[int]:
    """Who sleeps for that long."""
    return with_argument(which)


# --- sudden death --------------------------------------------------------------------------------


def test_nothing_survives_a_killed_daemon_and_the_next_one_cleans_up(here: Place) -> None:
    daemon = here.start()
    groups = daemon.cgroups()
    which = mark()
    connection = Connection(here.socket)
    others, _ = mixed(50)
    submissions = [everlasting(which), *others, everlasting(which)]
    post(connection, "/v1/judge/batch", {"submissions": submissions})
    until(lambda: len(sleeping(which)) == 2 * SLEEPERS)
    family = daemon.family()
    assert len(family) >= 2 * SLEEPERS + 2
    daemon.kill()
    until(lambda: not alive(family) and not sleeping(which))
    assert here.socket.exists()
    assert len(here.staging()) == 1
    (here.store / "artifacts" / "half.partial").write_text("half of a program")
    (here.store / "blobs" / "incoming" / "half").write_text("half of a blob")

    again = Place(here.directory, another(here.kind)).start()
    assert len(here.staging()) == 1
    assert here.staging()[0].name.startswith(f"scalebox.{again.pid}.")
    assert not any(group.exists() for group in groups)
    assert not [path for path in here.store.rglob("half*")]
    with scalebox.Client(str(here.socket)) as client:
        assert client.judge(rester(0, 0)).accepted
    assert again.terminate() == 0
    assert not here.staging()


def another(kind: Kind) -> Kind:
    """Of the same user, at another level."""
    return next(k for k in KINDS if k.ordinary == kind.ordinary and k.level != kind.level)


def test_a_program_that_forks_without_end_does_not_survive_its_daemon(here: Place) -> None:
    # Level `minimal` as root knows no other limit on processes.
    daemon = here.start(limits={"processes": 100, "max_processes": 100})
    name = f"bomb{os.getpid()}"
    source = f"""
import ctypes, os
ctypes.CDLL(None).prctl(15, {name.encode()!r})  # PR_SET_NAME; children inherit it
while True:
    try:
        if os.fork() == 0:
            os.setsid()
    except OSError:
        pass
"""
    limits = Limits(cpu_time_s=600.0, wall_time_s=600.0)
    submission = Submission(language="python", source=source, tests=DOUBLES, limits=limits)
    connection = Connection(here.socket)
    post(connection, "/v1/judge", submission)
    until(lambda: len(named(name)) > 40)
    family = daemon.family()
    daemon.kill()
    until(lambda: not alive(family) and not named(name))
    with here.start():
        pass


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.level == "minimal"], ids=str)
def test_what_survives_daemon_and_keeper_does_not_survive_the_next_start(kind: Kind) -> None:
    with place(kind) as here:
        daemon = here.start()
        which = mark()
        connection = Connection(here.socket)
        post(connection, "/v1/judge", everlasting(which))
        until(lambda: len(sleeping(which)) == SLEEPERS)
        daemon.process.send_signal(signal.SIGSTOP)
        for keeper in children(daemon.pid):
            os.kill(keeper, signal.SIGKILL)
        daemon.kill()
        until(lambda: 0 < len(sleeping(which)) < SLEEPERS)  # those that hung on the zygote are gone
        with here.start():
            until(lambda: not sleeping(which))


# --- one beside another --------------------------------------------------------------------------


@contextlib.contextmanager
def two_places(kind: Kind) -> Iterator[tuple[Place, Place]]:
    """Places for two daemons of one user."""
    with place(kind) as first, place(kind) as second:
        yield first, second


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_daemons_with_stores_of_their_own_do_not_touch_each_other(kind: Kind) -> None:
    with two_places(kind) as (first, second), first.start() as steady:
        count = 30
        batch = Connection(first.socket)
        post(batch, "/v1/judge/batch", {"submissions": [rester(0.1, n) for n in range(count)]})
        groups = steady.cgroups()
        other = second.start()
        other.kill()
        with second.start():
            pass
        items = [msgspec.json.decode(line, type=BatchItem) for line in batch.getresponse()]
        assert len(items) == count
        assert {item.report.verdict for item in items if item.report} == {Verdict.ACCEPTED}
        status = steady.status()
        assert [slot.restarts for slot in status.slots] == [0, 0]
        assert status.counters.get("slot_failures", 0.0) == 0.0
        assert len(first.staging()) == 1
        assert all(group.exists() for group in groups)


@pytest.fixture
def spot() -> Iterator[Place]:
    """A place for the strongest kind of daemon."""
    with place(STRONGEST) as made:
        yield made


def test_a_second_daemon_on_a_store_is_refused_with_words(spot: Place) -> None:
    with spot.start() as daemon:
        (spot.store / "blobs" / "incoming" / "half").write_text("an upload under way")
        status, words = spot.refused()
        assert status == 2
        assert f"another daemon uses the store {spot.store}" in words
        assert f"process {daemon.pid} " in words
        assert str(spot.socket) in words
        assert "store.directory" in words
        assert "Traceback" not in words
        assert (spot.store / "blobs" / "incoming" / "half").exists()
        assert daemon.get("/healthz")[0] == 200


def test_a_second_daemon_on_a_socket_is_refused_with_words(spot: Place) -> None:
    with spot.start() as daemon:
        status, words = spot.refused(store={"directory": str(spot.directory / "another")})
        assert status == 2
        assert f"a daemon already listens on {spot.socket}" in words
        assert "server.socket" in words
        assert "Traceback" not in words
        assert daemon.get("/healthz")[0] == 200
    assert not list((spot.directory / "another" / "slots").iterdir())


# --- starts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ({"sandbox": {"slotss": 2}}, "slotss"),
        ({"sandbox": {"isolation": "total"}}, "sandbox.isolation"),
        ({"server": {"tcp": "nonsense"}}, "server.tcp"),
        ({"server": {"tcp": "0.0.0.0:0"}}, "server.tokens"),
        ({"server": {"socket": "/proc/none/s"}}, "/proc/none/s"),
        ({"store": {"directory": "/proc/none"}}, "/proc/none"),
        ({"languages": {"python": {"interpreter": "/no/such/python"}}}, "/no/such/python"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_is_refused_with_words(
    spot: Place, tables: dict[str, dict[str, object]], words: str
) -> None:
    status, said = spot.refused(**tables)
    assert status == 2, said
    assert words in said
    assert said.count("\n") == 1, said
    assert not spot.socket.exists()
    assert not spot.staging()


def test_a_configuration_that_is_not_there_or_no_toml_is_refused(spot: Place) -> None:
    status, said = spot.refused("--config", "/no/such/file.toml")
    assert (status, "/no/such/file.toml" in said) == (2, True), said
    broken = spot.directory / "broken.toml"
    broken.write_text("[sandbox\n")
    status, said = spot.refused("--config", str(broken))
    assert (status, "not valid TOML" in said) == (2, True), said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda n: n.name)
def test_a_signal_during_the_start_ends_it_and_leaves_nothing(
    spot: Place, number: signal.Signals
) -> None:
    daemon = spot.begin()
    until(lambda: bool(daemon.family()))
    daemon.process.send_signal(number)
    family = daemon.family()
    assert daemon.process.wait(60) == 0
    assert not alive(family)
    assert not spot.socket.exists()
    assert not spot.staging()


#: Starts what its arguments say, tells its process id, and waits.
STARTER = """
import subprocess, sys
print(subprocess.Popen(sys.argv[1:]).pid, flush=True)
sys.stdin.read()
"""


def test_a_daemon_ends_with_its_parent_and_leaves_nothing(spot: Place) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", STARTER, *spot.command("--exit-with-parent")],
        env=spot.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        until(spot.answers)
        assert spot.staging()
    finally:
        parent.kill()
        parent.communicate()
    assert ended(pid)
    assert not spot.socket.exists()
    assert not spot.staging()


def test_a_daemon_whose_parent_is_gone_already_does_not_start(spot: Place) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    status, words = spot.refused("--exit-with-parent", str(gone.pid))
    assert status == 2
    assert f"the process {gone.pid} that started this daemon is gone" in words
    assert not spot.store.exists()
