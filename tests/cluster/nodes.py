"""Several daemons on loopback that are one cluster, and what to ask of them."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import msgspec

from scalebox.client.sync import Client
from scalebox.model import ClusterView, Report, StdioCase, StdioTests, Submission
from tests import daemons
from tests.daemons import Daemon, Place, until

KEY = "a key of a cluster of tests, long enough to be one"
SLEEPER = "import time\ntime.sleep(0.1)\nprint(input())"


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody has now."""
    with contextlib.ExitStack() as stack:
        found = []
        for _ in range(count):
            one = stack.enter_context(socket.socket())
            one.bind(("127.0.0.1", 0))
            found.append(int(one.getsockname()[1]))
        return found


class Node:
    """A place for one node of a cluster.

    Attributes:
        name, port: its own.
        daemon: the one that runs there.
    """

    daemon: Daemon

    def __init__(self, where: Place, number: int, port: int, seeds: list[int]) -> None:
        self.name = f"node{number}"
        self.port = port
        self.address = f"127.0.0.1:{port}"
        self._where = where
        self._number = number
        self._seeds = [f"127.0.0.1:{one}" for one in seeds]

    def start(self, **tables: Any) -> Node:
        """Start a daemon; it need not be ready."""
        own: dict[str, dict[str, Any]] = {
            "sandbox": {"uid_base": 61_184 + 100 * self._number},
            "languages": {"cpp": {"precompiled_header": False}},
            "cluster": {
                "listen": self.address, "key": KEY, "seeds": self._seeds, "gossip_period_s": 0.2,
            },
        }  # fmt: skip
        for name, table in tables.items():
            own[name] = {**own.get(name, {}), **table}
        # The one option that is not in a table.
        self._where.node = self.name  # type: ignore[attr-defined]
        self.daemon = self._where.begin(**own)
        return self

    @property
    def socket(self) -> str:
        """For clients."""
        return str(self._where.socket)

    def view(self) -> ClusterView:
        """`/v1/cluster`."""
        return msgspec.json.decode(self.daemon.get("/v1/cluster")[1], type=ClusterView)

    def states(self) -> dict[str, str]:
        """Of all nodes that it knows."""
        return {one.node: one.state for one in self.view().nodes}

    def counter(self, name: str) -> float:
        """One of `/v1/status`."""
        return self.daemon.status().counters.get(f"cluster_{name}", 0.0)

    def judge(self, submission: Submission) -> Report:
        """Over its socket."""
        with Client(self.socket) as client:
            return client.judge(submission)


class Named(Place):
    """A place whose daemon has a name."""

    node = ""

    def command(self, *arguments: str, **tables: Any) -> list[str]:
        words = super().command(*arguments, **tables)
        file = self.directory / "scalebox.toml"
        file.write_text(f'node = "{self.node}"\n{file.read_text()}')
        return words


@contextlib.contextmanager
def nodes(count: int) -> Iterator[list[Node]]:
    """Places for so many nodes, whose seeds are the first two; nothing is left at the end."""
    ports = free_ports(count)
    with contextlib.ExitStack() as stack:
        kind = daemons.kinds()[0]
        yield [
            Node(stack.enter_context(daemons.place(kind, Named)), number, port, ports[:2])
            for number, port in enumerate(ports)
        ]


@contextlib.contextmanager
def cluster(count: int, **tables: Any) -> Iterator[list[Node]]:
    """So many nodes that know each other."""
    with nodes(count) as made:
        for node in made:
            node.start(**tables)
        for node in made:
            node.daemon.when_ready()
        wait_for(made, {node.name: "alive" for node in made})
        yield made


def wait_for(those: list[Node], states: dict[str, str]) -> None:
    """Until all of them see this."""
    until(lambda: all(node.states() == states for node in those))


def sleepers(count: int, **more: Any) -> Submission:
    """A submission that is right, and takes a tenth of a second in each case."""
    cases = [StdioCase(input=str(number), answer=str(number)) for number in range(count)]
    return Submission(
        language="python", source=SLEEPER, tests=StdioTests(cases=cases),
        **{"stop": "never", **more},
    )  # fmt: skip


def ran_on(report: Report) -> dict[str, int]:
    """How many cases each node ran; empty: the one that answered."""
    found: dict[str, int] = {}
    for case in report.cases:
        found[case.node] = found.get(case.node, 0) + 1
    return found
