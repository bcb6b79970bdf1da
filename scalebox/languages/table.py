"""The table of languages: `*.toml` entries, read and checked; no tool chain is looked for here."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from scalebox.errors import ConfigError

#: What is replaced in commands: words that become several or none, and parts of words.
_WORDS = frozenset(("{flags}", "{headers}", "{sources}"))
_PARTS = frozenset(("{tool}", "{program}"))


class LanguageEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One language, as its TOML file says.

    Attributes:
        name: what submissions say; `aliases` are other names for the same.
        main_file: name of the source in the program's folder.
        runner: `warm_python` executes the text in a fork of the zygote; `native` compiles to one
            executable file.
        tool: which compiler or interpreter of the configuration: `python`, `cc`, `cxx`; any other
            word is looked up on PATH.
        package: the Debian package that brings the tool.
        compile: the command; `{tool}`, `{flags}`, `{headers}` (folder of the precompiled header),
            `{program}` (the output file) and `{sources}` are replaced.
        source_suffixes: further files of a submission that are compiled too.
        precompiled_header: a header precompiled once by `precompile`.
        assert_flags: flags by which the end of a test program's `main`, and an assertion that
            fails in it, come to `judging.harness`'s `completion.c`; none: a test program made of
            asserts cannot be compiled with a submission.
        variants: further names → flags added after the configured ones.
    """

    name: str
    aliases: tuple[str, ...] = ()
    main_file: str
    runner: Literal["warm_python", "native"]
    tool: str
    package: str
    compile: tuple[str, ...] = ()
    source_suffixes: tuple[str, ...] = ()
    precompiled_header: str = ""
    precompile: tuple[str, ...] = ()
    assert_flags: tuple[str, ...] = ()
    variants: dict[str, tuple[str, ...]] = {}


def load(directories: Iterable[str]) -> list[LanguageEntry]:
    """The entries that ship, and those of further directories, which replace ones of equal name.

    Raises:
        ConfigError: an entry is not valid, or two claim a name; the message names the files.
    """
    shipped = resources.files(__package__).iterdir()
    entries = _read_all((item.name, item) for item in shipped if item.name.endswith(".toml"))
    own: list[Path] = []
    for directory in directories:
        root = Path(directory)
        if not root.is_dir():
            raise ConfigError(f"languages.directories: {directory} is not a directory")
        own += sorted(root.glob("*.toml"))
    entries |= _read_all((str(path), path) for path in own)
    claimed: dict[str, str] = {}
    for where, entry in entries.values():
        for name in (entry.name, *entry.aliases, *entry.variants):
            if claimed.setdefault(name, where) != where:
                raise ConfigError(
                    f"the language name {name!r} is claimed by {claimed[name]} and {where}"
                )
    return sorted((entry for _, entry in entries.values()), key=lambda entry: entry.name)


def _read_all(
    files: Iterable[tuple[str, Traversable | Path]],
) -> dict[str, tuple[str, LanguageEntry]]:
    """Name → (where it is from, entry); of equal right, so that no name may come twice."""
    entries: dict[str, tuple[str, LanguageEntry]] = {}
    for where, file in files:
        try:
            entry = msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), LanguageEntry)
            _check(entry)
        except (OSError, ValueError) as error:
            # msgspec's and tomllib's errors are ValueErrors, and name the field or the line.
            raise ConfigError(f"language entry {where}: {error}") from error
        if entry.name in entries:
            other = entries[entry.name][0]
            raise ConfigError(f"language entry {where}: {entry.name!r} is already in {other}")
        entries[entry.name] = where, entry
    return entries


def _check(entry: LanguageEntry) -> None:
    """What no single field can say.

    Raises:
        ValueError: the entry cannot work; the text names the field.
    """
    for field in ("name", "tool", "main_file"):
        if not getattr(entry, field):
            raise ValueError(f"`{field}` is empty")
    for name in (entry.name, *entry.aliases, *entry.variants):
        if name != name.lower() or not name:
            # Submissions may write names in any case; the table has them in one.
            raise ValueError(f"the name {name!r} must be in lower case")
    if "/" in entry.main_file or entry.main_file.startswith(("-", ".")):
        raise ValueError(f"`main_file` {entry.main_file!r} is no plain file name")
    if entry.runner == "warm_python":
        if entry.tool != "python":
            raise ValueError("`tool` must be 'python' where `runner` is 'warm_python'")
        return
    if "{sources}" not in entry.compile or not any("{program}" in word for word in entry.compile):
        raise ValueError("`compile` must hold '{program}', and '{sources}' as a word of its own")
    if bool(entry.precompiled_header) != bool(entry.precompile):
        raise ValueError("`precompiled_header` and `precompile` go together")
    for field in ("compile", "precompile"):
        for word in getattr(entry, field):
            for found in re.findall(r"\{[^{}]*\}", word):
                if found not in _WORDS | _PARTS or (found in _WORDS and found != word):
                    raise ValueError(
                        f"`{field}`: {word!r}: there are {', '.join(sorted(_PARTS))}, and as words "
                        f"of their own {', '.join(sorted(_WORDS))}"
                    )
