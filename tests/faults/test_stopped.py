"""Processes that are stopped: a slot's pid 1, idle and at work, and the daemon itself."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from scalebox.model import Report
from tests import daemons
from tests.daemons import Daemon, Kind, Place, children, until
from tests.faults.asking import echoes, is_well, judge, metrics

pytestmark = pytest.mark.alone

#: A daemon that is given up on in seconds instead of half a minute.
IMPATIENT = """
from scalebox.sandbox import slot
slot.FIRST_PING_S, slot.PING_INTERVAL_S = 1.0, 0.2
from scalebox.daemon import main
main()
"""
WAITS = "import time\nn = input()\ntime.sleep(0.5)\nprint(n)"


class Impatient(Place):
    """Where a slot that hangs is soon noticed."""

    def command(self, *arguments: str, **tables: Mapping[str, Any]) -> list[str]:
        words = super().command(*arguments, **tables)
        place = words.index("-m")
        return [*words[:place], "-c", IMPATIENT, *words[place + 2 :]]


@pytest.fixture(scope="module", params=daemons.kinds()[:2], ids=str)
def daemon(request: pytest.FixtureRequest) -> Iterator[Daemon]:
    """An impatient one."""
    kind: Kind = request.param
    with daemons.place(kind, Impatient) as place, place.start() as running:
        yield running


class Judging:
    """A submission being judged meanwhile."""

    def __init__(self, daemon: Daemon, submission: dict[str, Any]) -> None:
        self._thread = threading.Thread(target=self._judge)
        self._daemon, self._submission = daemon, submission
        self._report: Report | None = None
        self._thread.start()

    def _judge(self) -> None:
        self._report = judge(self._daemon, self._submission)

    @property
    def report(self) -> Report:
        """Once it is there."""
        self._thread.join()
        assert self._report is not None
        return self._report


def is_stopped(pid: int) -> bool:
    fields = daemons.stat_fields(pid)
    return fields is not None and fields[0] == "T"


def stop(pid: int) -> None:
    """SIGSTOP, and wait until it is so."""
    os.kill(pid, signal.SIGSTOP)
    until(lambda: is_stopped(pid))


def test_a_slot_that_hangs_when_it_is_given_work_is_replaced(daemon: Daemon) -> None:
    before = metrics(daemon)
    hangs = daemon.wait_until_idle().slots[1].pid
    stop(hangs)
    report = judge(daemon, echoes("python", 10))
    assert report.accepted, report.message
    assert metrics(daemon)["slot_failures"] == before["slot_failures"] + 1
    is_well(daemon)
    assert hangs not in {slot.pid for slot in daemon.status().slots}
    assert "the zygote does not answer" in daemon.said()


def test_a_slot_that_hangs_in_the_middle_of_a_run_is_replaced(daemon: Daemon) -> None:
    before = metrics(daemon)
    daemon.wait_until_idle()
    judging = Judging(daemon, {**echoes("python", 2), "source": WAITS})
    until(lambda: all(slot.state == "busy" for slot in daemon.status().slots))
    until(lambda: all(children(slot.pid) for slot in daemon.status().slots))
    stop(daemon.status().slots[0].pid)
    report = judging.report
    assert report.accepted, report.message
    assert sorted(case.attempts for case in report.cases) == [1, 2]
    after = metrics(daemon)
    assert after["slot_failures"] == before["slot_failures"] + 1
    assert after["retries"] == before["retries"] + 1
    is_well(daemon)


def test_a_stopped_daemon_blames_nobody_when_it_goes_on(daemon: Daemon) -> None:
    before = metrics(daemon)
    daemon.wait_until_idle()
    pids = [slot.pid for slot in daemon.status().slots]
    judging = Judging(daemon, {**echoes("python", 6), "source": WAITS})
    until(lambda: all(children(pid) for pid in pids))
    stop(daemon.pid)
    # What runs ends, and is not heard of.
    until(lambda: not any(children(pid) for pid in pids))
    os.kill(daemon.pid, signal.SIGCONT)
    report = judging.report
    assert report.accepted, report.message
    assert {case.attempts for case in report.cases} == {1}
    after = metrics(daemon)
    assert after["slot_failures"] == before["slot_failures"]
    is_well(daemon)
    assert [slot.pid for slot in daemon.status().slots] == pids
