"""The actor that keeps one daemon alive on one Ray node, and says where it is.

Theory of operation.  The actor is pinned to its node by whoever starts it (`ray.start`).  A thread
of it starts `scaleboxd` as a private daemon, whose configuration lies in a folder that only this
user can read, waits until it is ready, and starts another when it ends.  The daemon watches the
actor's process and ends with it, however that ended; Ray starts a new actor where one died, for as
long as the node lives.  Ports are free ones of the moment unless they were chosen, so after a
restart the daemon may be elsewhere: whoever cannot reach it asks the actor again.

The secrets (the clients' token, the key of the peers) are made once in a job, are arguments of the
actor, and are nowhere else: not in the environment, not on a command line.
"""

from __future__ import annotations

import logging
import os
import random
import socket
import threading
import time
from collections.abc import Mapping
from typing import Any

import msgspec
import ray

from scalebox.client.local import PrivateDaemon
from scalebox.client.sync import Client
from scalebox.errors import ScaleboxError

_log = logging.getLogger("scalebox.ray")

_READY_TIMEOUT_S = 60.0
#: How often it is looked whether the daemon lives.
_LOOK_S = 0.2
#: A daemon that ended is started again after a while, which doubles from the first to the second,
#: and from the first again once one has lived as long as the third.
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 10.0
_LIVED_S = 60.0
#: A daemon is told of so many others; it hears of the rest from them.
_SEEDS = 8
#: How long the actors of other nodes may take to be there, when all are started at once.
_SEEDS_TIMEOUT_S = 10.0


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What is the same for all daemons of a job.

    Attributes:
        token: what clients show over TCP.
        key: what the daemons show each other.
        tcp_port, peer_port: where they listen for either; 0: at a free one.
        overrides: further options of scalebox.toml, nested as there.
    """

    token: str
    key: str
    tcp_port: int = 0
    peer_port: int = 0
    overrides: dict[str, Any] = {}

    def __repr__(self) -> str:
        return "Settings(…)"  # secrets do not belong in logs


class Whereabouts(msgspec.Struct, frozen=True, kw_only=True):
    """Where the daemon of a node is.

    Attributes:
        socket: for who is on the same node.
        url, token: for others.
        slots: programs that it runs at once.
        pid: of its process.
        starts: how many daemons there have been.
    """

    socket: str
    url: str
    token: str
    slots: int
    pid: int
    starts: int

    def __repr__(self) -> str:
        return f"Whereabouts(url={self.url!r}, starts={self.starts})"


def name_of(job_id: str, node_id: str) -> str:
    """The name of a node's actor."""
    return f"scaleboxd-{job_id}-{node_id}"


class Keeper:
    """See the module's docstring.  An actor class: `ray.remote(Keeper)`.

    Parameters:
        settings: of the job.
        job_id, node_id: which job's, and which node this is.
    """

    def __init__(self, settings: Settings, job_id: str, node_id: str) -> None:
        self._settings = settings
        self._job_id = job_id
        self._node_id = node_id
        self._host = ray.util.get_node_ip_address()
        # Known to others before the daemon listens there, so that all can start at once.
        self._peer_port = settings.peer_port or _free_port(self._host)
        self._changed = threading.Condition()
        self._here: Whereabouts | None = None
        self._trouble = "it has not been started yet"
        self._starts = 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="scaleboxd-keeper", daemon=True)
        self._thread.start()

    def where(self, timeout_s: float = 0.0) -> Whereabouts | None:
        """Where the daemon is; None: it is not ready, and was not within that time."""
        with self._changed:
            self._changed.wait_for(lambda: self._here is not None, timeout_s)
            return self._here

    def trouble(self) -> str:
        """Why it is not ready; empty: it is."""
        with self._changed:
            return "" if self._here is not None else self._trouble

    def peer_address(self) -> str:
        """Where other daemons reach this one."""
        return _address(self._host, self._peer_port)

    def stop(self) -> None:
        """End the daemon, after what it has at hand, and start no other."""
        self._end.set()
        self._thread.join()

    def _keep(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while not self._end.is_set():
            began = time.monotonic()
            try:
                self._run_one()
            except (ScaleboxError, OSError, ray.exceptions.RayError) as error:
                self._set(None, str(error))
                # Somebody may have taken the port in between.
                self._peer_port = self._settings.peer_port or _free_port(self._host)
            if time.monotonic() - began >= _LIVED_S:
                pause_s = _FIRST_PAUSE_S
            if not self._end.wait(pause_s):
                _log.warning("starting scaleboxd again: %s", self._trouble)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _run_one(self) -> None:
        """Start a daemon, say where it is, and wait for its end.

        Raises:
            ScaleboxError, OSError: it did not become ready.
        """
        self._starts += 1
        tcp = _address(self._host, self._settings.tcp_port or _free_port(self._host))
        daemon = PrivateDaemon(self._configuration(tcp))
        try:
            daemon.start()
            daemon.wait_until_ready(_READY_TIMEOUT_S)
            with Client(daemon.socket) as client:
                slots = len(client.status().slots)
            here = Whereabouts(
                socket=str(daemon.socket),
                url=f"http://{tcp}",
                token=self._settings.token,
                slots=slots,
                pid=daemon.pid,
                starts=self._starts,
            )
            self._set(here, "")
            while not daemon.has_ended() and not self._end.wait(_LOOK_S):
                pass
            self._set(None, f"it ended. It had said:\n{daemon.last_words()}")
        finally:
            daemon.stop()

    def _set(self, here: Whereabouts | None, trouble: str) -> None:
        with self._changed:
            self._here, self._trouble = here, trouble
            self._changed.notify_all()

    def _configuration(self, tcp: str) -> dict[str, Any]:
        settings = self._settings
        tables: dict[str, Any] = {
            "node": self._node_id,
            "server": {"tcp": tcp, "tokens": {"ray": settings.token}},
            "cluster": self.cluster(),
        }
        for name, value in settings.overrides.items():
            ours = tables.get(name)
            if isinstance(ours, dict) and isinstance(value, Mapping):
                value = {**ours, **value}
            tables[name] = value
        return tables

    def cluster(self) -> dict[str, Any]:
        """The daemon's table `[cluster]`: who it is, whom it asks first, and the key."""
        return {
            "listen": self.peer_address(),
            "seeds": self._seeds(),
            "key": self._settings.key,
        }

    def _seeds(self) -> list[str]:
        """The peer addresses of some other nodes' daemons, by Ray's table of nodes.

        When all are started at once, the actors of other nodes may not be there yet; two that did
        not wait for each other would stay strangers.
        """
        others = [
            node["NodeID"]
            for node in ray.nodes()
            if node["Alive"] and node["NodeID"] != self._node_id
        ]
        # The first few are the same for all, so that there is one cluster and not several.
        others.sort()
        chosen = others[: _SEEDS // 2]
        rest = others[_SEEDS // 2 :]
        chosen += random.sample(rest, min(len(rest), _SEEDS - len(chosen)))
        deadline = time.monotonic() + _SEEDS_TIMEOUT_S
        asked: list[Any] = []
        while chosen and time.monotonic() < deadline and not self._end.is_set():
            for node_id in list(chosen):
                try:
                    actor = ray.get_actor(name_of(self._job_id, node_id))
                    asked.append(actor.peer_address.remote())
                except ValueError:  # there is none of that name, not yet
                    continue
                chosen.remove(node_id)
            if chosen:
                self._end.wait(_LOOK_S)
        left_s = max(0.1, deadline - time.monotonic())
        ready, _ = ray.wait(asked, num_returns=len(asked), timeout=left_s) if asked else ([], [])
        seeds = []
        for answer in ready:
            try:
                seeds.append(ray.get(answer))
            except ray.exceptions.RayError as error:
                _log.info("a node is not a seed: %s", error)
        return seeds


def _free_port(host: str) -> int:
    """A port that is free now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def secret() -> str:
    """A new one, that nobody guesses."""
    return os.urandom(32).hex()
