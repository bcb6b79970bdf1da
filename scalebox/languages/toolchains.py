"""Which compilers and interpreters this host has, and what identifies them.

The identity of a tool chain is part of every artifact's address: another compiler, other flags, or
a new version of either never reuses an old program.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
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
_ASKED_AT_ONCE = 8
#: Its arguments are modules; it says which of them it has, of which version, and imports none.
_PYTHON_PROBE = """
import sys, json

def modules(names):
    from importlib import metadata, util
    for name in names:
        if util.find_spec(name):
            try:
                yield name, metadata.version(name)
            except metadata.PackageNotFoundError:
                yield name, ""

print(json.dumps([
    sys.executable, sys.version.split()[0],
    [sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix],
    list(sys.version_info[:2]),
    dict(modules(sys.argv[1:])) if sys.version_info >= (3, 8) else {},
]))
"""
_OLDEST_PYTHON = [3, 8]


@dataclass(frozen=True, slots=True)
class Language:
    """A language on this host, under one of its names.

    Attributes:
        entry: its line in the table.
        tool: path of the compiler or interpreter; empty: not found.
        tools: what else its commands name in braces → what that is here.
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
    tools: Mapping[str, str] = field(default_factory=dict)


class Toolchains:
    """All languages of this daemon.

    Parameters:
        config: of the languages.
        versions: what tools said of themselves before; None: they are all asked.
        shown: paths that slots show to programs, besides the system's.

    Raises:
        ConfigError: an entry of the table is not valid.
    """

    def __init__(
        self,
        config: LanguagesConfig,
        versions: Versions | None = None,
        shown: Sequence[str] = (),
    ) -> None:
        self._config = config
        self._shown = shown
        self._by_name: dict[str, Language] = {}
        self._languages: list[Language] = []
        entries = table.load(config.directories)
        modules = sorted({name for entry in entries for name in entry.modules})
        self._python = _find_python(config, modules)
        self.interpreter = self._python.interpreter
        versions = versions or Versions(None)
        versions.ask(
            [found, *map(self._with_home, entry.version)]
            for entry in entries
            if entry.tool != "python" and (found := self._find(entry, entry.tool))
        )
        for entry in entries:
            base = self._make(entry, (), versions)
            self._languages.append(base)
            for name in (entry.name, *entry.aliases):
                self._by_name[name] = base
            for name, flags in entry.variants.items():
                self._by_name[name] = self._make(entry, flags, versions)
        versions.keep()

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

    def _find(self, entry: LanguageEntry, tool: str) -> str:
        """Path of a tool, as programs see it; empty where it is missing."""
        if tool == "python":
            return self.interpreter.path
        if tool in ("cc", "cxx"):
            return shutil.which(self._tool_name(tool)) or ""
        places = [base_environment()["PATH"], *entry.paths]
        return shutil.which(self._with_home(tool), path=os.pathsep.join(places)) or ""

    def _shows(self, device: str) -> bool:
        """Whether slots show a file that this pattern means."""
        return any(path in self._shown for path in glob.glob(device))

    def _with_home(self, text: str) -> str:
        return text.replace("{home}", self._config.home)

    def _tool_name(self, tool: str) -> str:
        return {"cc": self._config.cpp.cc, "cxx": self._config.cpp.cxx}.get(tool, tool)

    def _make(self, entry: LanguageEntry, extra: tuple[str, ...], versions: Versions) -> Language:
        path = self._find(entry, entry.tool)
        version = self._python.version if entry.tool == "python" else ""
        for module in entry.modules[:1]:
            version = f"{module} {self._python.modules.get(module, '')}, {version}"
        if path and entry.tool != "python":
            version = versions.of([path, *map(self._with_home, entry.version)])
            path = path if version else ""
        if version and entry.jar:
            own = versions.of_jar(self._with_home(entry.jar))
            version = f"{entry.name.capitalize()} {own}, {version}"
        tools = {word: self._find(entry, name) for word, name in entry.tools.items()}
        needs = [self._with_home(name) for name in entry.needs]
        absent = [self._tool_name(entry.tool)] if not path else []
        absent += [entry.tools[word] for word, found in tools.items() if not found]
        absent += [name for name in needs if not os.path.exists(name)]
        missing = ""
        lacking = [name for name in entry.modules if name not in self._python.modules]
        hidden = next((name for name in entry.devices if not self._shows(name)), "")
        if entry.tool == "python" and self._python.problem:
            missing = self._python.problem
        elif lacking:
            missing = (
                f"{entry.name} needs {lacking[0]}, which {path} does not have: install the package "
                f"{entry.package}, or have pip install {lacking[0]} where that Python looks for it"
            )
        elif absent:
            # Of others than C's compilers no option names the place.
            named = entry.tool in ("cc", "cxx")
            otherwise = "name the tool in scalebox.toml" if named else "put it into /usr/local/bin"
            missing = (
                f"{entry.name} needs {absent[0]}, which is not on PATH or does not run: install "
                f"the package {entry.package}, or {otherwise}"
            )
            if absent[0] in needs or "{home}" in absent[0]:
                missing = (
                    f"{entry.name} needs {absent[0]}, which is not there: run `make toolchains`, "
                    "or set languages.home in scalebox.toml"
                )
        elif hidden and not glob.glob(hidden):
            missing = f"{entry.name} needs {hidden}, which only an accelerator and its driver bring"
        elif hidden:
            missing = (
                f"{entry.name} needs {hidden}, which slots do not show to programs: name it in "
                "sandbox.read_only_paths in scalebox.toml if they may reach the driver"
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
            identity=_identity([path, *tools.values(), *needs], version, flags, entry),
            missing=missing,
            tools={**tools, "tool": path, "home": self._config.home},
        )


class Versions:
    """What tools say of themselves: asked at once, and remembered as long as they do not change.

    Parameters:
        file: where it is remembered; None: nowhere.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._known: dict[str, str] = {}
        self._before: dict[str, str] = {}
        if file is not None:
            with contextlib.suppress(OSError, ValueError):
                self._before = msgspec.json.decode(file.read_bytes(), type=dict[str, str])

    def ask(self, commands: Iterable[Sequence[str]]) -> None:
        """Ask those that are not known, several at a time: some take half a second to say it."""
        wanted = {}
        for command in commands:
            key = _key(command)
            if key in self._before:
                self._known[key] = self._before[key]
            elif key not in self._known:
                wanted[key] = list(command)
        with ThreadPoolExecutor(max_workers=_ASKED_AT_ONCE) as pool:
            self._known.update(zip(wanted, pool.map(_version, wanted.values()), strict=True))

    def of(self, command: Sequence[str]) -> str:
        """The first line of what a tool says; its name, if it says nothing of the kind; empty: it
        does not run."""
        key = _key(command)
        if key not in self._known:
            self.ask([command])
        return self._known[key]

    def of_jar(self, jar: str) -> str:
        """The version in a jar's manifest; empty: it has none.

        A compiler's jar has 20,000 entries, and reading their list takes 0.1 s.
        """
        key = _key([jar])
        if key not in self._known:
            self._known[key] = self._before[key] if key in self._before else _said_in(jar)
        return self._known[key]

    def keep(self) -> None:
        """Remember it, if there is something new, beside what other configurations ask."""
        # A tool that did not answer may only have been slow.
        known = {key: said for key, said in self._known.items() if said}
        if self._file is None or known.items() <= self._before.items():
            return
        others = {key: said for key, said in self._before.items() if _holds(key)}
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Of each process its own: several may start at once.
            beside = self._file.with_suffix(f".{os.getpid()}")
            beside.write_bytes(msgspec.json.encode({**others, **known}))
            beside.replace(self._file)


def _said_in(jar: str) -> str:
    """The version in a jar's manifest; empty: it has none."""
    try:
        with zipfile.ZipFile(jar) as opened:
            manifest = opened.read("META-INF/MANIFEST.MF").decode("utf-8", "replace")
    except (OSError, KeyError, zipfile.BadZipFile):
        return ""
    found = re.search(r"(?m)^Implementation-Version: (\S+)", manifest)
    return found[1] if found else ""


def _key(command: Sequence[str]) -> str:
    return json.dumps([*command, *_state(command[0])])


def _holds(key: str) -> bool:
    """Whether the tool is still what it was when it was asked."""
    try:
        words = json.loads(key)
        return _key(words[: len(words) - len(_state(words[0]))]) == key
    except (ValueError, LookupError, TypeError):
        return False


def _version(command: list[str]) -> str:
    try:
        done = _probe(command)
    except (OSError, subprocess.SubprocessError):
        return ""
    # Not every tool knows the option; its identity holds the file itself besides.
    said = (done.stdout or done.stderr).decode("utf-8", "replace").strip().split("\n", 1)[0].strip()
    return said if done.returncode == 0 and said else os.path.basename(command[0])


def _probe(command: list[str]) -> subprocess.CompletedProcess[bytes]:
    """Ask a tool as it will be run: the daemon's environment and directory mean nothing in a slot.

    A user's `types.py` beside a notebook is what an interpreter would import from there.
    """
    return subprocess.run(
        command, capture_output=True, timeout=_PROBE_TIMEOUT_S, check=False,
        stdin=subprocess.DEVNULL, env=base_environment(), cwd="/",
    )  # fmt: skip


def _identity(
    paths: Iterable[str], version: str, flags: tuple[str, ...], entry: LanguageEntry
) -> str:
    # Other names for the same make no other program.
    recipe = msgspec.structs.replace(entry, name="", aliases=(), variants={}, package="", test=None)
    facts: list[object] = [version, flags, msgspec.to_builtins(recipe)]
    for path in paths:
        facts += _state(path)
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _state(path: str) -> list[object]:
    """What of a file is another when it is another."""
    try:
        real = os.path.realpath(path)
        status = os.stat(real)
    except OSError:
        return []
    return [real, status.st_size, status.st_mtime_ns] if path else []


@dataclass(frozen=True, slots=True)
class _Python:
    """The interpreter of this daemon.

    Attributes:
        interpreter: as slots take it.
        version: for people.
        problem: why it cannot be used, and the remedy; empty: it can.
        modules: which of those asked for it has → their versions.
    """

    interpreter: Interpreter
    version: str = ""
    problem: str = ""
    modules: Mapping[str, str] = field(default_factory=dict)


def _find_python(config: LanguagesConfig, wanted: Sequence[str]) -> _Python:
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
            done = _probe([candidate, "-s", "-c", _PYTHON_PROBE, *wanted])
            done.check_returncode()
            executable, version, prefixes, numbers, modules = json.loads(done.stdout)
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
        return _Python(interpreter, f"Python {version}", "", modules)
    return _Python(Interpreter(path="", problem=problem), problem=problem)


def _library_folders(executable: str) -> list[str]:
    """The folder of the real executable, where symlinks lead out of the prefixes."""
    folder = os.path.dirname(os.path.realpath(executable))
    return [] if folder.startswith(("/usr/", "/bin")) else [folder]
