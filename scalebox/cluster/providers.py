"""Where the hosts of a cluster come from: a list, DNS, or Slurm's node list.

A provider only says where to knock.  Who is there, and whether it is a peer, the answers tell: a
host that is named in vain costs a failed connection, and one that is found knows the others.
Whoever asks does so again and again, since names change with the hosts behind them.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
from collections.abc import Mapping
from typing import Protocol

import structlog

from scalebox.config import ClusterConfig
from scalebox.errors import ConfigError
from scalebox.tcp import join, parse_tcp

_log = structlog.get_logger("scalebox.cluster")

#: Hosts of one node list: more than Slurm has for a job (its MAX_SLURM_NODES is 65,536).
MAX_HOSTS = 65_536

_BRACKETS = re.compile(r"\[([^\[\]]*)\]")
_RANGE = re.compile(r"([0-9]{1,18})(?:-([0-9]{1,18}))?")
#: What names and numbers may hold; the rest would not be a host's name in any case.
_PLAIN = re.compile(r"[A-Za-z0-9._-]*")


class Provider(Protocol):
    """Says where other daemons may be."""

    async def seeds(self) -> list[str]:
        """Addresses as `host:port`; may be none, and may be wrong.  Never raises."""
        ...


class Static:
    """The same hosts, always.

    Parameters:
        addresses: as `host:port`.
    """

    def __init__(self, addresses: list[str]) -> None:
        self._addresses = addresses

    async def seeds(self) -> list[str]:
        """Them."""
        return list(self._addresses)


class Dns:
    """All addresses that a name has at the moment, as a headless service of Kubernetes lists them.

    Parameters:
        name: looked up by the host's resolver.
        port: of the daemons there.
        also: further addresses.
    """

    def __init__(self, name: str, port: int, also: list[str]) -> None:
        self._name = name
        self._port = port
        self._also = also
        self._found: list[str] = []
        self._failure = ""

    async def seeds(self) -> list[str]:
        """Those of now; while the resolver fails, those of before."""
        try:
            records = await asyncio.get_running_loop().getaddrinfo(
                self._name, self._port, type=socket.SOCK_STREAM
            )
        except (OSError, ValueError) as error:
            # A service whose first host is only starting has no addresses: nothing is wrong.
            words = getattr(error, "strerror", None) or str(error)
            if words != self._failure:
                _log.info("no addresses", name=self._name, reason=words)
            self._failure = words
        else:
            self._failure = ""
            found = [join(str(where[0]), int(where[1])) for _, _, _, _, where in records]
            self._found = found
        return list(dict.fromkeys([*self._also, *self._found]))


def make_provider(config: ClusterConfig, environment: Mapping[str, str] = os.environ) -> Provider:
    """The provider that the configuration names.

    Parameters:
        config: its `seeds` are taken with any provider.
        environment: where Slurm has put the job's nodes.

    Raises:
        ConfigError: it lacks what it needs; the message names it.
    """
    seeds = [with_port(seed, config.port) for seed in config.seeds]
    match config.provider:
        case "dns":
            if not config.dns_name:
                raise ConfigError('cluster.provider = "dns" needs cluster.dns_name')
            return Dns(config.dns_name, config.port, seeds)
        case "slurm":
            nodes = [join(node, config.port) for node in _job_nodes(environment)]
            return Static(list(dict.fromkeys([*seeds, *nodes])))
        case "static" | "ray":  # Ray's nodes are named by what starts the daemons there
            return Static(seeds)


def with_port(seed: str, port: int) -> str:
    """A seed as `host:port`.

    Parameters:
        seed: `host`, `host:port`, or an IPv6 address with or without brackets and port.
        port: the one to add where there is none.

    Raises:
        ConfigError: it is none of these.
    """
    bare = seed.startswith("[") and seed.endswith("]")
    if bare or ":" not in seed:
        text = f"{seed}:{port}"
    elif seed.count(":") > 1 and not seed.startswith("["):
        text = f"[{seed}]:{port}"
    else:
        text = seed
    parsed = parse_tcp(text, "cluster.seeds")
    if parsed is None or parsed[1] == 0:
        raise ConfigError(f"cluster.seeds: {seed!r} names no port that one can connect to")
    return join(*parsed)


def _job_nodes(environment: Mapping[str, str]) -> list[str]:
    """The nodes of the Slurm job that this daemon is part of.

    `SLURM_NODELIST` is the older name of the same (sbatch(1), "OUTPUT ENVIRONMENT VARIABLES").

    Raises:
        ConfigError: there is no job, or its list cannot be read.
    """
    for name in ("SLURM_JOB_NODELIST", "SLURM_NODELIST"):
        if text := environment.get(name):
            try:
                return expand_hosts(text)
            except ValueError as error:
                raise ConfigError(f"{name} = {text!r} cannot be read: {error}") from error
    raise ConfigError(
        'cluster.provider = "slurm" needs SLURM_JOB_NODELIST, which Slurm sets for the processes '
        "of a job; start scaleboxd by srun in the job, or name the hosts in cluster.seeds"
    )


def expand_hosts(text: str) -> list[str]:
    """The hosts of a Slurm node list, in its order.

    A list is names separated by commas or spaces; a name may hold groups of numbers and ranges in
    brackets, `rack[1-2]node[01-16,20]`, and stands for every combination, the last group
    changing fastest (Slurm::Hostlist(3), slurm_hostlist_create(3)).  A range's numbers are as wide
    as its first one: `[8-11]` is 8, 9, 10, 11 and `[08-11]` is 08, 09, 10, 11.

    Raises:
        ValueError: it is no such list, or of more than `MAX_HOSTS` hosts.
    """
    hosts: list[str] = []
    for name in _split(text):
        parts = _BRACKETS.split(name)
        found = [""]
        for index, part in enumerate(parts):
            if index % 2:
                numbers = _numbers(part)
                if len(hosts) + len(found) * len(numbers) > MAX_HOSTS:
                    raise ValueError(f"more than {MAX_HOSTS} hosts")
                found = [begun + number for begun in found for number in numbers]
            elif _PLAIN.fullmatch(part):
                found = [begun + part for begun in found]
            else:
                raise ValueError(f"{name!r} is no name of hosts")
        hosts += found
        if len(hosts) > MAX_HOSTS:
            raise ValueError(f"more than {MAX_HOSTS} hosts")
    return hosts


def _split(text: str) -> list[str]:
    """The names of a list: its commas and spaces outside brackets part them."""
    names: list[str] = []
    start = depth = 0
    for index, character in enumerate(text):
        if character == "[":
            depth += 1
        elif character == "]":
            depth -= 1
        elif not depth and character in ", \t\n":
            names.append(text[start:index])
            start = index + 1
        if depth not in (0, 1):
            raise ValueError("brackets that do not match")
    if depth:
        raise ValueError("brackets that do not match")
    names.append(text[start:])
    return [name for name in names if name]


def _numbers(text: str) -> list[str]:
    """The numbers in one pair of brackets."""
    numbers: list[str] = []
    for part in text.split(","):
        match = _RANGE.fullmatch(part.strip())
        if match is None:
            raise ValueError(f"{part!r} is neither a number nor a range")
        first, last = match[1], match[2] or match[1]
        count = int(last) - int(first) + 1
        if count < 1:
            raise ValueError(f"the range {part!r} runs backwards")
        if len(numbers) + count > MAX_HOSTS:
            raise ValueError(f"more than {MAX_HOSTS} hosts")
        numbers += [
            str(number).zfill(len(first)) for number in range(int(first), int(first) + count)
        ]
    return numbers
