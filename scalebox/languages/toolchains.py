"""Which compilers and interpreters this host has, and what identifies them.

The identity of a tool chain is part of every artifact's address: another compiler, other flags, or
a new version of either never reuses an old program.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec

from scalebox.config import LanguagesConfig
from scalebox.errors import UnknownLanguageError
from scalebox.languages import table
from scalebox.languages.table import LanguageEntry
from scalebox.model import LanguageInfo
from scalebox.sandbox.pool import Interpreter
from scalebox.sandbox.slot import base_environment

_PROBE_TIMEOUT_S = 30
_PYTHON_PROBE = (
    "import sys, json; print(json.dumps([sys.executable, sys.version.split()[0],"
    " [sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix],"
    " list(sys.version_info[:2])]))"
)
_OLDEST_PYTHON = [3, 8]


@dataclass(frozen=True, slots=True)
class Language:
    """A language on this host, under one of its names.

    Attributes:
        entry: its line in the table.
        tool: path of the compiler or interpreter; empty: not found.
        version: for people.
        flags: the configured flags and the variant's.
        identity: hash over tool chain and flags.
        missing: why it cannot be used, and the remedy; empty: it can.
    """

    entry: LanguageEntry
    tool: str
    version: str
    flags: tuple[str, ...]
    identity: str
    missing: str = ""


class Toolchains:
    """All languages of this daemon.

    Parameters:
        config: of the languages.

    Raises:
        ConfigError: an entry of the table is not valid.
    """

    def __init__(self, config: LanguagesConfig) -> None:
        self._config = config
        self._by_name: dict[str, Language] = {}
        self._languages: list[Language] = []
        self.interpreter, self._python_version, self._python_problem = _find_python(config)
        tools: dict[str, tuple[str, str]] = {}
        for entry in table.load(config.directories):
            if entry.tool not in tools:
                tools[entry.tool] = self._find_tool(entry.tool)
            base = self._make(entry, tools[entry.tool], ())
            self._languages.append(base)
            for name in (entry.name, *entry.aliases):
                self._by_name[name] = base
            for name, flags in entry.variants.items():
                self._by_name[name] = self._make(entry, tools[entry.tool], flags)

    def find(self, name: str) -> Language:
        """The language of that name.

        Raises:
            UnknownLanguageError: there is none, or its tool chain is missing.
        """
        language = self._by_name.get(name) or self._by_name.get(name.lower())
        if language is None:
            known = ", ".join(language.entry.name for language in self._languages)
            raise UnknownLanguageError(
                f"no language {name!r} here; there are: {known}", field="language"
            )
        if language.missing:
            raise UnknownLanguageError(language.missing, field="language")
        return language

    def infos(self) -> list[LanguageInfo]:
        """What `GET /v1/languages` answers."""
        return [
            LanguageInfo(
                name=language.entry.name,
                aliases=[*language.entry.aliases, *language.entry.variants],
                available=not language.missing,
                toolchain=language.version,
                missing=language.missing,
            )
            for language in self._languages
        ]

    def all(self) -> list[Language]:
        """Every language, missing tool chains included, without variants."""
        return list(self._languages)

    def identities(self) -> set[str]:
        """The identities of all of them, variants included."""
        return {language.identity for language in self._by_name.values()}

    def _find_tool(self, tool: str) -> tuple[str, str]:
        """(path, version) of a compiler; empty where it is missing."""
        if tool == "python":
            return self.interpreter.path, self._python_version
        path = shutil.which(self._tool_name(tool))
        if path is None:
            return "", ""
        try:
            done = _probe([path, "--version"])
        except (OSError, subprocess.SubprocessError):
            return "", ""
        # Not every tool knows the option; its identity holds the file itself besides.
        said = (done.stdout or done.stderr).decode("utf-8", "replace").split("\n", 1)[0].strip()
        return path, said if done.returncode == 0 and said else os.path.basename(path)

    def _tool_name(self, tool: str) -> str:
        return {"cc": self._config.cpp.cc, "cxx": self._config.cpp.cxx}.get(tool, tool)

    def _make(
        self, entry: LanguageEntry, found: tuple[str, str], extra: tuple[str, ...]
    ) -> Language:
        path, version = found
        missing = ""
        if entry.tool == "python" and self._python_problem:
            missing = self._python_problem
        elif not path:
            missing = (
                f"{entry.name} needs {self._tool_name(entry.tool)}, which is not on PATH or does "
                f"not run: install the package {entry.package}, or name the tool in scalebox.toml"
            )
        cpp = self._config.cpp
        flags = {"cc": cpp.c_flags, "cxx": cpp.cxx_flags}.get(entry.tool, ())
        if entry.tool in ("cc", "cxx") and cpp.static:
            flags = (*flags, "-static")
        if not cpp.precompiled_header:
            entry = msgspec.structs.replace(entry, precompiled_header="")
        flags = (*flags, *extra)
        return Language(
            entry=entry,
            tool=path,
            version=version,
            flags=flags,
            identity=_identity(path, version, flags, entry),
            missing=missing,
        )


def _probe(command: list[str]) -> subprocess.CompletedProcess[bytes]:
    """Ask a tool as it will be run: the daemon's environment and directory mean nothing in a slot.

    A user's `types.py` beside a notebook is what an interpreter would import from there.
    """
    return subprocess.run(
        command, capture_output=True, timeout=_PROBE_TIMEOUT_S, check=False,
        stdin=subprocess.DEVNULL, env=base_environment(), cwd="/",
    )  # fmt: skip


def _identity(path: str, version: str, flags: tuple[str, ...], entry: LanguageEntry) -> str:
    # Other names for the same make no other program.
    recipe = msgspec.structs.replace(entry, name="", aliases=(), variants={}, package="")
    facts: list[object] = [version, flags, msgspec.to_builtins(recipe)]
    if path:
        real = os.path.realpath(path)
        status = os.stat(real)
        facts += [real, status.st_size, status.st_mtime_ns]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _find_python(config: LanguagesConfig) -> tuple[Interpreter, str, str]:
    """(interpreter, version, what is wrong with it)."""
    configured = config.python.interpreter
    candidates = [configured] if configured else ["/usr/bin/python3", shutil.which("python3") or ""]
    if not configured and not getattr(sys, "frozen", False):
        candidates.append(sys.executable)
    problem = "there is no python3 on PATH: install python3, or set languages.python.interpreter"
    for candidate in candidates:
        if not candidate or not Path(candidate).exists():
            if configured:
                problem = f"languages.python.interpreter: {configured} does not exist"
            continue
        try:
            done = _probe([candidate, "-c", _PYTHON_PROBE])
            done.check_returncode()
            executable, version, prefixes, numbers = json.loads(done.stdout)
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            problem = f"{candidate} does not run: {error}"
            continue
        if numbers < _OLDEST_PYTHON:
            problem = f"{candidate} is Python {version}; zygotes need 3.8 or newer"
            continue
        outside = [prefix for prefix in prefixes if prefix not in ("/usr", "/usr/local")]
        interpreter = Interpreter(
            path=executable,
            binds=tuple(dict.fromkeys([*outside, *_library_folders(executable)])),
            preload=config.python.preload,
            preload_on_demand=config.python.preload_on_demand,
        )
        return interpreter, f"Python {version}", ""
    return Interpreter(path="", problem=problem), "", problem


def _library_folders(executable: str) -> list[str]:
    """The folder of the real executable, where symlinks lead out of the prefixes."""
    folder = os.path.dirname(os.path.realpath(executable))
    return [] if folder.startswith(("/usr/", "/bin")) else [folder]
