"""A full disk under the store, and files there that are damaged."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import daemons
from tests.daemons import Daemon, Kind, Place
from tests.faults.asking import ECHO_C, Line, echoes, is_well, judge, metrics

DISK_BYTES = 96 << 20


class SmallDisk(Place):
    """The store is on a small disk of its own, which only this daemon sees."""

    def prefix(self) -> list[str]:
        self.store.mkdir(exist_ok=True)
        mount = 'mount -t tmpfs -o "size=$1" small-disk "$2" && shift 2 && exec "$@"'
        # An ordinary user may mount something where he calls himself root.
        as_root = ["--user", "--map-root-user"] if self.kind.ordinary or os.geteuid() else []
        return [
            *("unshare", *as_root, "--mount", "--propagation", "private"),
            *("sh", "-c", mount, "sh", str(DISK_BYTES), str(self.store)),
        ]


def fill(daemon: Daemon) -> Path:
    """A file that takes all that is left of the disk."""
    path = Path(f"/proc/{daemon.pid}/root{daemon.place.store}/filler")
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, os.statvfs(path).f_bavail * os.statvfs(path).f_frsize)
        assert os.statvfs(path).f_bavail == 0
    return path


@pytest.fixture(params=daemons.kinds()[:2], ids=str)
def daemon(request: pytest.FixtureRequest) -> Iterator[Daemon]:
    """With a small disk."""
    with daemons.place(request.param, SmallDisk) as place, place.start() as running:
        yield running


def test_a_full_disk_changes_no_verdict(daemon: Daemon) -> None:
    with Line(daemon) as line:
        before = line.metrics()
        filler = fill(daemon)
        if daemon.place.kind.level != "minimal":
            assert line.judge(echoes("python", 4)).accepted
            for _ in range(2):  # compiled each time
                assert line.judge({**echoes("c", 4), "source": ECHO_C}).accepted
            after = line.metrics()
            assert after["artifacts_not_cached"] == before["artifacts_not_cached"] + 2
        else:
            # Runs share that disk: nothing that one writes would arrive.
            report = line.judge(echoes("python"))
            assert report.verdict == "internal_error"
            assert "No space left on device" in report.message
            for compiled in (echoes("c"), echoes("python", 2)):
                assert "No space left on device" in line.refused("/v1/judge", compiled)
            assert line.metrics()["setup_failures"] >= before["setup_failures"] + 8
        data = b"x" * 100_000
        blob = f"/v1/blobs/{hashlib.sha256(data).hexdigest()}"
        problem = {"tests": echoes("python", 10_000)["tests"]}
        for path, body in ((blob, data), ("/v1/problems/p", problem)):
            assert "No space left on device" in line.refused(path, body, "PUT")
        judge_ = {"type": "function", "source": "# long\n" * 40_000}
        kept = {"judge": judge_, "provenance": {"source": "uploaded"}}
        assert "No space left on device" in line.refused("/v1/judges", kept)
        assert line.ask("GET", "/v1/judges")[0] == 200
        filler.unlink()
        daemon.wait_until_idle()
        assert line.ask("PUT", blob, data)[0] == 201
        assert line.ask("PUT", "/v1/problems/p", problem)[0] == 200
        assert line.ask("POST", "/v1/judges", kept)[0] == 201
    is_well(daemon)
    cached = metrics(daemon)
    for _ in range(2):
        assert judge(daemon, {**echoes("c"), "source": ECHO_C}).accepted
    assert metrics(daemon)["artifact_cache_hits"] == cached["artifact_cache_hits"] + 1
    leftovers = [
        path.name for path in Path(f"/proc/{daemon.pid}/root{daemon.place.store}").rglob("*")
    ]
    assert not [name for name in leftovers if "incoming-" in name or ".partial" in name]


def damage(place: Place) -> None:
    """Another instruction, somewhere."""
    (file,) = (place.store / "artifacts").iterdir()
    content = bytearray(file.read_bytes())
    content[100:-100:100] = b"\xcc" * len(content[100:-100:100])
    file.chmod(0o755)
    file.write_bytes(content)


SAME = {**echoes("c", 2), "source": ECHO_C}


@pytest.mark.parametrize("kind", daemons.kinds()[:2], ids=str)
def test_a_damaged_program_is_compiled_again(kind: Kind) -> None:
    with daemons.place(kind) as place:
        with place.start() as daemon:
            assert judge(daemon, SAME).accepted
            damage(place)
            assert judge(daemon, SAME).accepted
            if kind.level == "full":  # elsewhere what is executed is a copy in memory
                assert metrics(daemon)["artifacts_damaged"] == 1
        damage(place)
        with place.start() as daemon:
            report = judge(daemon, SAME)
            assert report.accepted
            assert report.compile is not None
            assert not report.compile.cached
            assert metrics(daemon)["artifacts_damaged"] == 1
            is_well(daemon)
