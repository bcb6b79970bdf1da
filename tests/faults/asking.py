"""A few requests, and what `/metrics` says of them."""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import Any

import msgspec

from scalebox.model import Report
from tests.daemons import Connection, Daemon

ECHO_C = '#include <stdio.h>\nint main(void){int n; scanf("%d", &n); printf("%d\\n", n);}'


_COUNTER = itertools.count()


def echoes(language: str, count: int = 1, **more: Any) -> dict[str, Any]:
    """A submission that is right, with so many cases; in C one that was never compiled before,
    unless it brings its `source`."""
    source = "print(input())" if language == "python" else f"{ECHO_C}\n// {next(_COUNTER)}"
    cases = [{"input": str(n), "answer": str(n)} for n in range(count)]
    submission = {"language": language, "source": source}
    return {**submission, "tests": {"type": "stdio", "cases": cases}, **more}


class Line:
    """One connection that stays open: under some faults there would be no other."""

    def __init__(self, daemon: Daemon) -> None:
        self._connection = Connection(daemon.place.socket)
        self._connection.connect()

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        """Status and body of the answer."""
        kind = "application/octet-stream" if isinstance(body, bytes) else "application/json"
        data = body if isinstance(body, bytes | None) else msgspec.json.encode(body)
        self._connection.request(method, path, data, {"Content-Type": kind})
        response = self._connection.getresponse()
        return response.status, response.read()

    def judge(self, submission: dict[str, Any]) -> Report:
        """The report, which there has to be."""
        status, body = self.ask("POST", "/v1/judge", submission)
        assert status == 200, body
        return msgspec.json.decode(body, type=Report)

    def refused(self, path: str, body: Any, method: str = "POST") -> str:
        """A failure of ours: code and words."""
        status, answer = self.ask(method, path, body)
        assert status == 500, answer
        error = msgspec.json.decode(answer)
        return f"{error['error']}: {error['message']}"

    def metrics(self) -> dict[str, float]:
        """Every metric, with its labels as they are; 0: it is not there yet."""
        found: dict[str, float] = defaultdict(float)
        for line in self.ask("GET", "/metrics")[1].decode().splitlines():
            if not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                found[name.removeprefix("scalebox_").removesuffix("_total")] = float(value)
        return found


def judge(daemon: Daemon, submission: dict[str, Any]) -> Report:
    """On a connection of its own."""
    with Line(daemon) as line:
        return line.judge(submission)


def metrics(daemon: Daemon) -> dict[str, float]:
    """On a connection of its own."""
    with Line(daemon) as line:
        return line.metrics()


def is_well(daemon: Daemon) -> None:
    """Whether it judges rightly again, with every slot, and nothing of the fault is left over."""
    status = daemon.wait_until_idle()
    count = 4 * len(status.slots)
    assert judge(daemon, echoes("python", count)).accepted
    assert judge(daemon, echoes("c", count)).accepted
    status = daemon.wait_until_idle()
    assert status.queued_cases == 0
    assert status.running_cases == 0
    assert "unexpected failure" not in daemon.said(), daemon.said()
    assert "Traceback" not in daemon.said(), daemon.said()
