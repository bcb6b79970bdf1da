"""Real clients, from PyPI and unmodified: which there are, where they are installed, their checks.

A client is a module of one of the `ROOMS`: `CLIENT` says what it is, and every function whose name
begins with `check_` is a check, of which the first line says what is exercised.  The list is read
where no client is installed, so the checks import theirs when they run.  Each client has packages
of its own, in a folder of its own, over one environment that has scalebox: no two can disagree.

    python -m bench.clients MODULE --url URL --socket PATH

is one client put to its checks, in that environment: a line of JSON for each.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import importlib
import importlib.machinery
import importlib.metadata
import inspect
import json
import os
import pkgutil
import shutil
import subprocess
import sys
import traceback
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.results import ROOT

ROOMS = ("tests.api.compat.clients", "tests.integrations.clients")
_PREFIX = "check_"
#: Of all checks of a client together, on a machine that does much else.
_TIMEOUT_S = 900.0
_STAMP = ".scalebox-installed"
_SHOWN_CHARS = 2000


class NotInstalledError(Exception):
    """A client did not come; the message says what pip said."""


@dataclass(frozen=True, slots=True)
class Client:
    """A package of somebody else's.

    Attributes:
        name: on PyPI.
        requirement: what pip is told, where that is more than the name.
        requirements: what its checks need beside it.
        alone: why it is installed without its dependencies, and exercised in part; empty: it is
            installed whole.
    """

    name: str
    requirement: str = ""
    requirements: tuple[str, ...] = ()
    alone: str = ""


@dataclass(frozen=True, slots=True)
class Served:
    """Where the daemon is.

    Attributes:
        url: over TCP; protocol P is at URL/P.
        socket: its Unix socket, to which $SCALEBOX_SOCKET is set, too.
    """

    url: str
    socket: str


@dataclass(frozen=True, slots=True)
class Check:
    """A check, and how it went.

    Attributes:
        name: without its prefix.
        exercised: what, in a sentence.
        passed: whether it did.
        message: why not.
    """

    name: str
    exercised: str
    passed: bool = False
    message: str = ""


def all_of_them() -> dict[str, Client]:
    """Every client, by the name of its module."""
    found = {}
    for room in ROOMS:
        for module in pkgutil.iter_modules(importlib.import_module(room).__path__, f"{room}."):
            found[module.name] = importlib.import_module(module.name).CLIENT
    return found


def checks_of(module: str) -> dict[str, tuple[Check, Callable[[Served], Any]]]:
    """The checks of a client's module, none of them run, in the order in which they stand."""
    return {
        name: (
            Check(
                name.removeprefix(_PREFIX).replace("_", " "),
                (inspect.getdoc(value) or "").partition("\n")[0],
            ),
            value,
        )
        for name, value in vars(importlib.import_module(module)).items()
        if name.startswith(_PREFIX) and inspect.isfunction(value)
    }


def import_alone(name: str) -> types.ModuleType:
    """One module of a package, without running the `__init__` of any package above it.

    Parameters:
        name: dotted, of a module of an installed client; its own imports find its siblings.

    Raises:
        ImportError: there is none.
    """
    parts = name.split(".")
    paths: Sequence[str] | None = None
    for depth in range(1, len(parts)):
        package = ".".join(parts[:depth])
        if package not in sys.modules:
            spec = importlib.machinery.PathFinder.find_spec(package, paths)
            if spec is None or spec.submodule_search_locations is None:
                raise ImportError(f"no package {package!r} is installed")
            module = types.ModuleType(package)
            module.__path__ = list(spec.submodule_search_locations)
            sys.modules[package] = module
        paths = sys.modules[package].__path__
    return importlib.import_module(name)


class Environment:
    """Where clients are installed.

    Parameters:
        directory: a virtual environment with scalebox in it.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._python = directory / "bin" / "python"

    def folder(self, module: str) -> Path:
        """Where the packages are that a client's module needs."""
        return self._directory / "clients" / module

    def install(self, module: str, client: Client) -> str:
        """Have a client installed as it is on PyPI; nothing is done the second time.

        Returns:
            Its version.

        Raises:
            NotInstalledError: it cannot be.
        """
        folder = self.folder(module)
        wanted = hashlib.sha256(repr(client).encode()).hexdigest()
        stamp = folder / _STAMP
        if not stamp.exists() or stamp.read_text() != wanted:
            shutil.rmtree(folder, ignore_errors=True)
            itself = client.requirement or client.name
            if client.alone:
                self._pip(folder, "--no-deps", "--ignore-requires-python", itself)
                if client.requirements:
                    self._pip(folder, *client.requirements)
            else:
                self._pip(folder, itself, *client.requirements)
            stamp.write_text(wanted)
        found = importlib.metadata.distributions(name=client.name, path=[str(folder)])
        return next((one.version for one in found), "")

    def _pip(self, folder: Path, *arguments: str) -> None:
        command = [str(self._python), "-m", "pip", "--quiet", "--disable-pip-version-check"]
        command += ["install", "--target", str(folder), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NotInstalledError(done.stderr.strip()[-_SHOWN_CHARS:] or "pip failed")

    def run(self, module: str, served: Served) -> list[Check]:
        """Put a client that is installed to its checks.

        Returns:
            All of them; those that a crash or the timeout left out have not passed.
        """
        command = [str(self._python), "-m", "bench.clients", module]
        command += ["--url", served.url, "--socket", served.socket]
        environment = {
            **os.environ,
            "PATH": os.pathsep.join([str(self._python.parent), os.environ.get("PATH", os.defpath)]),
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(self.folder(module))]),
            "SCALEBOX_SOCKET": served.socket,
        }
        try:
            done = subprocess.run(
                command,
                cwd=self._directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_TIMEOUT_S,
                check=False,
            )
            said, why = done.stdout, done.stderr or f"ended with {done.returncode}"
        except subprocess.TimeoutExpired as error:
            out = error.stdout or b""
            said = out if isinstance(out, str) else out.decode("utf-8", "replace")
            why = f"not done within {_TIMEOUT_S:g} s"
        came = {one.name: one for one in _read(said)}
        return [
            came.get(check.name) or replace(check, message=why[-_SHOWN_CHARS:])
            for check, _ in checks_of(module).values()
        ]


def _read(text: str) -> Iterator[Check]:
    """The lines that are checks; clients print, too."""
    for line in text.splitlines():
        _, mark, document = line.partition(_MARK)
        if mark:
            yield Check(**json.loads(document))


_MARK = "scalebox-check: "


def _put(module: str, served: Served) -> None:
    """Run the checks here, and print how each went."""
    for check, function in checks_of(module).values():
        try:
            found = function(served)
            if inspect.isawaitable(found):
                asyncio.run(_awaited(found))
            done = replace(check, passed=True)
        except Exception:
            done = replace(check, message=traceback.format_exc()[-_SHOWN_CHARS:])
        words = {name: getattr(done, name) for name in Check.__slots__}
        print(f"\n{_MARK}{json.dumps(words)}", flush=True)


async def _awaited(found: Any) -> None:
    await found


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of `python -m bench.clients`: one client, where it is installed."""
    parser = argparse.ArgumentParser(prog="python -m bench.clients", description=__doc__)
    parser.add_argument("module")
    parser.add_argument("--url", required=True)
    parser.add_argument("--socket", required=True)
    options = parser.parse_args(arguments)
    _put(options.module, Served(options.url, options.socket))
    return 0


if __name__ == "__main__":
    sys.exit(main())
