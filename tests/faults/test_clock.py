"""The wall clock jumps by years, forwards and backwards: nothing that is waited for notices."""

from __future__ import annotations

import email.utils
import hashlib
import mmap
import struct
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from scalebox.model import Report
from tests import daemons
from tests.daemons import Connection, Daemon, Place, until
from tests.faults.asking import Line, echoes, is_well, judge, metrics

YEAR_S = 365 * 24 * 3600
#: Stands before the C library: its clocks of the day are off by what a file says.
SHIFT = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>

static volatile long long *offset_s;

__attribute__((constructor)) static void find(void)
{
    int fd = open(getenv("CLOCK_OFFSET"), O_RDONLY | O_CLOEXEC);
    offset_s = mmap(0, 8, PROT_READ, MAP_SHARED, fd, 0);
}

int clock_gettime(clockid_t which, struct timespec *now)
{
    int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(which, now);
    if (offset_s && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE))
        now->tv_sec += *offset_s;
    return result;
}

time_t time(time_t *place)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (place)
        *place = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *now, void *zone)
{
    struct timespec precise;
    clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}
"""


class Adrift(Place):
    """Where a daemon's wall clock can be made to jump."""

    def __init__(self, directory: Path, kind: daemons.Kind) -> None:
        super().__init__(directory, kind)
        source, self._library = directory / "shift.c", directory / "shift.so"
        source.write_text(SHIFT)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", self._library, source, "-ldl"], check=True)
        self._offset = directory / "offset"
        self.jump(0)

    def environment(self) -> dict[str, str]:
        preload = {"LD_PRELOAD": str(self._library), "CLOCK_OFFSET": str(self._offset)}
        return {**super().environment(), **preload}

    def jump(self, seconds: int) -> None:
        """The clock is off by so many seconds from now on."""
        if not self._offset.exists():
            self._offset.write_bytes(bytes(8))
        with self._offset.open("r+b") as file, mmap.mmap(file.fileno(), 8) as place:
            place[:] = struct.pack("q", seconds)


def date(daemon: Daemon) -> float:
    """What the daemon takes the time of day to be."""
    connection = Connection(daemon.place.socket)
    connection.request("GET", "/healthz")
    response = connection.getresponse()
    response.read()
    connection.close()
    return email.utils.parsedate_to_datetime(response.headers["Date"]).timestamp()


@pytest.fixture
def place() -> Iterator[Adrift]:
    """For a daemon of the first kind."""
    with daemons.place(daemons.kinds()[0], Adrift) as made:
        yield made


def jump_while_it_judges(place: Adrift, daemon: Daemon, jump: int) -> Report:
    """The report about programs that were running when the clock jumped."""
    now = date(daemon)
    source = "import time\nn = input()\ntime.sleep(1)\nprint(n)"
    slow = {**echoes("python", 4, deadline_s=60.0), "source": source}
    reports: list[Report] = []
    judging = threading.Thread(target=lambda: reports.append(judge(daemon, slow)))
    judging.start()
    until(lambda: daemon.status().running_cases > 0)
    place.jump(jump)
    until(lambda: abs(date(daemon) - now) > YEAR_S)
    judging.join()
    return reports[0]


def test_a_clock_that_jumps_ends_and_delays_nothing(place: Adrift) -> None:
    data = b"kept over it"
    blob = f"/v1/blobs/{hashlib.sha256(data).hexdigest()}"
    with place.start() as daemon:
        keyed = echoes("python", 3, idempotency_key="k", deadline_s=60.0)
        with Line(daemon) as line:
            first = line.judge(keyed)
            assert line.ask("PUT", blob, data)[0] == 201
        for jump in (-10 * YEAR_S, 10 * YEAR_S):
            before = metrics(daemon)
            report = jump_while_it_judges(place, daemon, jump)
            assert report.accepted, report.message
            assert all(case.attempts == 1 and case.wall_time_s >= 1 for case in report.cases)
            with Line(daemon) as line:
                # The answer is kept for as long as it was to be, and it is the same one.
                assert line.judge(keyed) == first
                assert line.metrics()["cases"] == before["cases"] + 4
                assert line.ask("HEAD", blob)[0] == 200
                assert 0 < line.metrics()["uptime_seconds"] < YEAR_S
        is_well(daemon)
        assert metrics(daemon)["slot_failures"] == 0
    place.jump(0)
    # Files from the future are as good as others.
    with place.start() as daemon:
        with Line(daemon) as line:
            assert line.ask("HEAD", blob)[0] == 200
        is_well(daemon)
