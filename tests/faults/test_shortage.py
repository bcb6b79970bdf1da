"""No process, no memory, no descriptor left: in slots, and in the daemon."""

from __future__ import annotations

import contextlib
import errno
import http.client
import itertools
import os
import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from scalebox.model import Report
from tests import daemons
from tests.daemons import Daemon, until
from tests.faults.asking import Line, echoes, is_well, judge, metrics
from tests.faults.injection import Injected, is_pid_1

#: What a slot's pid 1 asks of the kernel for every run, and what a host answers that has no more.
SHORTAGES = [
    ("clone", errno.EAGAIN),
    ("memfd_create", errno.ENOMEM),
    ("memfd_create", errno.EMFILE),
    ("mount", errno.ENOMEM),
]


@pytest.fixture(scope="module")
def place() -> Iterator[Injected]:
    """Where system calls fail on demand; a daemon is running there."""
    with daemons.place(daemons.kinds()[0], Injected) as made, made.started(engine={"retries": 1}):
        yield made


@pytest.mark.parametrize(("call", "error"), SHORTAGES, ids=lambda value: str(value))
def test_a_slot_that_runs_out_of_something_is_replaced_and_its_work_done_again(
    place: Injected, call: str, error: int
) -> None:
    daemon = place.daemon
    before = metrics(daemon)
    victim = daemon.wait_until_idle().slots[0].pid
    with place.failing(lambda pid, name: error if (pid, name) == (victim, call) else 0):
        report = judge(daemon, echoes("python", 20))
    assert report.accepted, report.message
    assert max(case.attempts for case in report.cases) == 2
    after = metrics(daemon)
    for name in ("slot_failures", "retries", "slot_restarts"):
        until(lambda name=name: metrics(daemon)[name] > before[name])
    assert after["verdict_internal_error"] == before["verdict_internal_error"]
    is_well(daemon)


@pytest.mark.parametrize(("call", "error"), SHORTAGES[:2], ids=lambda value: str(value))
def test_a_host_that_has_run_out_of_something_is_named_as_the_reason(
    place: Injected, call: str, error: int
) -> None:
    daemon = place.daemon
    before = metrics(daemon)
    with place.failing(lambda pid, name: error if name == call and is_pid_1(pid) else 0):
        report = judge(daemon, echoes("python"))
        with Line(daemon) as line:
            assert os.strerror(error) in line.refused("/v1/judge", echoes("c"))
    assert report.verdict == "internal_error"
    assert "2 times for reasons of ours" in report.message
    assert os.strerror(error) in report.message
    after = metrics(daemon)
    assert after["slot_failures"] >= before["slot_failures"] + 4
    assert after["verdict_internal_error"] == before["verdict_internal_error"] + 1
    is_well(daemon)


def descriptors(daemon: Daemon) -> set[int]:
    """Those that it has open."""
    return {int(name) for name in os.listdir(f"/proc/{daemon.pid}/fd")}


def count_transient(daemon: Daemon) -> int:
    """Descriptors that it should not have for long; its compiled programs stay open."""
    count = 0
    for number in descriptors(daemon):
        with contextlib.suppress(FileNotFoundError):
            count += "/artifacts/" not in os.readlink(f"/proc/{daemon.pid}/fd/{number}")
    return count


@contextlib.contextmanager
def no_more_descriptors(daemon: Daemon) -> Iterator[None]:
    """Not one, from now until the end of the block."""
    limits = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
    lowest_free = next(n for n in itertools.count() if n not in descriptors(daemon))
    resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (lowest_free, limits[1]))
    try:
        yield
    finally:
        resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, limits)


def test_without_descriptors_the_daemon_says_so_and_goes_on(place: Injected) -> None:
    daemon = place.daemon
    is_well(daemon)
    long_input, long_output = echoes("python"), echoes("python")
    long_input["tests"]["cases"] = [{"input": "x" * 100_000, "answer": "x" * 100_000}]
    long_output["source"] = "print('x' * 100_000)"
    no_descriptor = os.strerror(errno.EMFILE)
    with Line(daemon) as line:
        before = line.metrics()
        with no_more_descriptors(daemon):
            report = line.judge(long_input)
            assert report.verdict == "internal_error"
            assert no_descriptor in report.message
            assert no_descriptor in line.refused("/v1/blobs/" + "0" * 64, b"x", "PUT")
            assert line.judge(echoes("python")).accepted, "what needs none goes on"
            # The slot that it comes from is given up, and then there may be descriptors again.
            report = line.judge(long_output)
            assert report.verdict in ("internal_error", "wrong_answer"), report
        after = line.metrics()
        assert after["unmade_runs"] >= before["unmade_runs"] + 2
        assert after["slot_failures"] >= before["slot_failures"] + 1
        assert after["verdict_internal_error"] >= before["verdict_internal_error"] + 1
        assert line.judge(long_input).accepted
    is_well(daemon)


def test_slots_that_die_while_there_are_no_descriptors_come_back(place: Injected) -> None:
    daemon = place.daemon
    is_well(daemon)
    before = metrics(daemon)
    open_before = count_transient(daemon)
    with Line(daemon) as line:
        slots = daemon.status().slots
        with no_more_descriptors(daemon):
            for slot in slots:
                os.kill(slot.pid, signal.SIGKILL)
            until(lambda: line.metrics()["slot_restarts"] > before["slot_restarts"])
    is_well(daemon)
    until(lambda: count_transient(daemon) <= open_before)


#: Beyond what the daemon has: for less than a request, for about one, for one and a half.
ROOM = [20 << 20, 70 << 20, 110 << 20]


@pytest.mark.parametrize("room", ROOM, ids=lambda size: f"{size >> 20}-MiB")
def test_without_memory_the_daemon_says_so_or_breaks_the_connection(
    place: Injected, room: int
) -> None:
    daemon = place.daemon
    before = failures(daemon)
    text = Path(f"/proc/{daemon.pid}/status").read_text()
    size = 1024 * int(text.split("VmSize:")[1].split()[0])
    limits = resource.prlimit(daemon.pid, resource.RLIMIT_AS)
    length = 64 << 20
    large = {**echoes("python"), "source": "print(len(input()))"}
    large["tests"]["cases"] = [{"input": "x" * length, "answer": str(length)}]
    status = 0
    resource.prlimit(daemon.pid, resource.RLIMIT_AS, (size + room, limits[1]))
    try:
        with Line(daemon) as line, contextlib.suppress(ConnectionError, http.client.HTTPException):
            status, answer = line.ask("POST", "/v1/judge", large)
    finally:
        resource.prlimit(daemon.pid, resource.RLIMIT_AS, limits)
    if status == 200:
        assert msgspec.json.decode(answer, type=Report).verdict in ("accepted", "internal_error")
    else:
        assert status in (0, 500)
        until(lambda: failures(daemon) == before + 1)
    assert judge(daemon, large).accepted
    is_well(daemon)


def failures(daemon: Daemon) -> float:
    """Requests that were not answered, or by a failure of ours."""
    return sum(
        count
        for name, count in metrics(daemon).items()
        if name.startswith("http_requests") and ('"499"' in name or '"500"' in name)
    )
