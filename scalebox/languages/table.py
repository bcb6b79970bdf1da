"""The table of languages: `*.toml` entries, read and checked; no tool chain is looked for here."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from scalebox.errors import ConfigError


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
    variants: dict[str, tuple[str, ...]] = {}


def load(directories: Iterable[str]) -> list[LanguageEntry]:
    """The entries that ship, and those of further directories, which replace ones of equal name.

    Raises:
        ConfigError: an entry is not valid, or two claim a name; the message names the files.
    """
    files = [
        (str(item.name), item.read_text(encoding="utf-8"))
        for item in resources.files(__package__).iterdir()
        if item.name.endswith(".toml")
    ]
    for directory in directories:
        root = Path(directory)
        if not root.is_dir():
            raise ConfigError(f"languages.directories: {directory} is not a directory")
        files += [(str(path), path.read_text("utf-8")) for path in sorted(root.glob("*.toml"))]
    entries: dict[str, LanguageEntry] = {}
    for where, text in sorted(files[:], key=lambda item: "/" in item[0]):
        try:
            entry = msgspec.convert(tomllib.loads(text), LanguageEntry)
        except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
            raise ConfigError(f"language entry {where}: {error}") from error
        entries[entry.name] = entry
    claimed: dict[str, str] = {}
    for entry in entries.values():
        for name in (entry.name, *entry.aliases, *entry.variants):
            if claimed.setdefault(name, entry.name) != entry.name:
                raise ConfigError(
                    f"the language name {name!r} is claimed by {claimed[name]} and {entry.name}"
                )
    return sorted(entries.values(), key=lambda entry: entry.name)
