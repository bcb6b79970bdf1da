"""`/run_code` when there is more to do than can be done: held, told to ask again, let go."""

from __future__ import annotations

import concurrent.futures
import http.client
import json
import socket
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.api.compat.daemon import compat_daemon
from tests.api.compat.fusion import ask, run_code
from tests.daemons import PATIENCE_S, Daemon, until

SLEEP = "import time\ntime.sleep({})\nprint('slept')"
#: What never ends by itself within a test.
ENDLESS = {"code": SLEEP.format(10_000), "run_timeout": 600}
_COMPAT = {"sandboxfusion": "/sandboxfusion"}


@pytest.fixture
def narrow() -> Iterator[tuple[Daemon, str]]:
    """A daemon that takes one case at a time."""
    with compat_daemon(_COMPAT, engine={"max_queued_cases": 1}) as served:
        yield served


def send(url: str, body: dict[str, Any]) -> socket.socket:
    """Ask, and read no answer yet."""
    parts = urlsplit(url)
    content = json.dumps(body).encode()
    connection = socket.create_connection((parts.hostname, parts.port), PATIENCE_S)
    connection.sendall(
        b"POST /sandboxfusion/run_code HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(content), content)
    )
    return connection


def answer(connection: socket.socket) -> tuple[int, Any]:
    """Status and answer of what was sent."""
    response = http.client.HTTPResponse(connection)
    response.begin()
    with connection, response:
        return response.status, json.loads(response.read())


def busy(daemon: Daemon) -> None:
    """Wait until a program runs."""
    until(lambda: daemon.status().running_cases == 1)


def test_a_full_queue_is_waited_for(narrow: tuple[Daemon, str]) -> None:
    _, url = narrow
    body = {"code": SLEEP.format(0.2), "compile_timeout": 60, "run_timeout": 10}
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        for status, said in pool.map(lambda _: ask(url, body), range(6)):
            assert (status, said["status"]) == (200, "Success")
            assert said["run_result"]["stdout"] == "slept\n"


def test_verl_is_told_to_ask_again_before_it_gives_up(narrow: tuple[Daemon, str]) -> None:
    daemon, url = narrow
    with send(url, ENDLESS) as first:
        busy(daemon)
        # As verl reckons, 2 s in all.
        status, said = ask(url, {"code": "print(1)", "compile_timeout": -9, "run_timeout": 1})
        assert status == 504
        assert said["status"] == "SandboxError"
        assert "ask again" in said["message"]
        first.close()
    # What it is told, verl does: then there is room.
    assert run_code(url, code="print(1)")["status"] == "Success"


def test_who_never_asks_again_is_held_for_as_long_as_it_takes(narrow: tuple[Daemon, str]) -> None:
    daemon, url = narrow
    with send(url, {"code": SLEEP.format(4), "run_timeout": 10}) as first:
        busy(daemon)
        # SkyRL's and tinker's bodies: no `compile_timeout`.
        said = run_code(url, code="print(1)", language="python", stdin=None, run_timeout=0.5)
        assert said["run_result"]["stdout"] == "1\n"
        assert answer(first)[1]["run_result"]["stdout"] == "slept\n"


def test_what_is_not_done_in_time_is_dropped(url: str) -> None:
    began = time.monotonic()
    status, said = ask(url, {**ENDLESS, "compile_timeout": 2 - 10 - 600})
    assert (status, said["status"]) == (504, "SandboxError")
    assert time.monotonic() - began < PATIENCE_S / 2


def test_who_goes_away_ends_its_program() -> None:
    with compat_daemon(_COMPAT) as (daemon, url):
        with send(url, ENDLESS):
            busy(daemon)
        until(lambda: daemon.status().running_cases == 0)
        daemon.wait_until_idle()


def test_who_goes_away_while_held_is_forgotten(narrow: tuple[Daemon, str]) -> None:
    daemon, url = narrow
    with send(url, ENDLESS):
        busy(daemon)
        with send(url, ENDLESS):
            until(lambda: _handled(daemon) == 2)
        until(lambda: _handled(daemon) == 1)
    until(lambda: daemon.status().queued_cases + daemon.status().running_cases == 0)
    assert daemon.status().counters["runs"] == 1


def _handled(daemon: Daemon) -> int:
    """Connections open, this one left out."""
    for line in daemon.get("/metrics")[1].decode().splitlines():
        if line.startswith("scalebox_http_connections "):
            return int(float(line.split()[1])) - 1
    raise AssertionError("no such metric")


def test_who_is_held_when_the_daemon_ends_is_told_to_ask_again() -> None:
    with compat_daemon(_COMPAT, engine={"max_queued_cases": 1}) as (daemon, url):
        first = send(url, {"code": SLEEP.format(3), "run_timeout": 10})
        busy(daemon)
        held = send(url, {"code": "print(1)", "compile_timeout": 60})
        until(lambda: _handled(daemon) == 2)
        daemon.process.terminate()
        status, said = answer(held)
        assert (status, said["status"]) == (504, "SandboxError")
        assert "shutting down" in said["message"]
        # What was begun is finished.
        status, said = answer(first)
        assert (status, said["run_result"]["stdout"]) == (200, "slept\n")


def test_one_program_asked_for_64_times_is_compiled_once() -> None:
    with compat_daemon(_COMPAT) as (daemon, url):
        daemon.wait_until_idle()
        before = daemon.status().counters
        code = '#include <cstdio>\nint main() { int x; scanf("%d", &x); printf("%d", x + 1); }'

        def one(number: int) -> str:
            body = {"code": code, "language": "cpp", "compile_timeout": 60, "run_timeout": 10}
            said = run_code(url, **body, stdin=str(number))
            assert said["status"] == "Success"
            assert said["compile_result"]["status"] == "Finished"
            return str(said["run_result"]["stdout"])

        with concurrent.futures.ThreadPoolExecutor(64) as pool:
            assert list(pool.map(one, range(64))) == [str(number + 1) for number in range(64)]
        after = daemon.status().counters
        assert after["compilations"] - before["compilations"] == 1
        assert after["run_finished"] - before.get("run_finished", 0) == 64
