"""The table of languages: `*.toml` entries, read and checked; no tool chain is looked for here."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Set
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from scalebox.errors import ConfigError

#: What is replaced in commands: words that become several or none, and parts of words; besides the
#: entry's own tools.
_WORDS = frozenset(("{flags}", "{headers}", "{sources}"))
_PARTS = frozenset(("{tool}", "{program}", "{home}", "{main}", "{unit}"))
_RUN_PARTS = frozenset(("{memory_mib}", "{stack_mib}", "{stack_kib}"))
#: Which commands may hold which of them.
_COMPILE = _WORDS | _PARTS
_RUN = _PARTS | _RUN_PARTS | {"{flags}", "{sources}"}


class UnitRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the name of the unit that is started is found in a source, as in Java.

    Attributes:
        declaration: regular expression of a unit's beginning; its group is the name.  What is in
            braces, a string or a comment is none.
        entry_point: of where the program begins; the last declaration before its first match
            counts.
        file_unit: of a declaration that the file must be named after; its group is the name.
        package: of the package; its group is put before the name, with a dot.
    """

    declaration: str
    entry_point: str
    file_unit: str = ""
    package: str = ""


class AssertRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a test program made of asserts is joined with a submission, and how its end is known.

    The end is a record on descriptor 5 with the nonce that is on standard input, written by what
    runs after the test program; a program that ends before leaves none.

    Attributes:
        main: name of the function in which programs begin; a submission's own is renamed, because
            the test program has one.  Empty: there is no such function.
        before: text between the submission and the test program, which ends what the submission
            may have left open.
        after: text after the test program: it writes the record.
        files: further files that are compiled along, or that the program loads: name → text of
            `judging.harness`.
        flags: for the compiler, after the language's own.
        compile: the command in place of the language's; empty: that one.
        run: the command in place of the language's; empty: that one.
        failed: what a runtime says on standard error when an assertion has failed.
        failed_code: exit code of a test program in which an assertion has failed; 0: any error's.
    """

    main: str = ""
    before: str = ""
    after: str = ""
    files: dict[str, str] = {}
    flags: tuple[str, ...] = ()
    compile: tuple[str, ...] = ()
    run: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    failed_code: int = 0


class LastWords(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which line of standard error says why a program failed: the last one, unless its runtime says
    more after that.

    Attributes:
        preferred: how such lines begin; the last of them counts, wherever it is.
        passed_over: how lines begin that tell less: a trace of calls, advice, a version.
    """

    preferred: tuple[str, ...] = ()
    passed_over: tuple[str, ...] = ()


class SelfTest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Programs that show that a language works here; each reads two numbers and writes their sum.

    Attributes:
        accepted: does so.
        wrong: writes their difference.
        runtime_error: fails by itself (an exception that nobody catches, an index out of bounds).
        time_limit: never ends, and computes all the time.
        memory_limit: takes more and more memory, and touches it.
        compile_error: is no program; empty: nothing is compiled.
    """

    accepted: str
    wrong: str
    runtime_error: str
    time_limit: str
    memory_limit: str
    compile_error: str = ""


class LanguageEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One language, as its TOML file says.

    Attributes:
        name: what submissions say; `aliases` are other names for the same.
        main_file: name of the source in the program's folder.
        runner: `warm_python` executes the text in a fork of the zygote; `native` compiles to one
            executable file; `command` executes `run` in the program's folder.
        tool: which compiler or interpreter of the configuration: `python`, `cc`, `cxx`; any other
            word is looked up on the programs' own PATH, then in `paths`.
        tools: further ones that the commands name in braces: word → name.
        paths: folders besides PATH.
        version: arguments by which the tool says its version; `{home}` as in `needs`.
        jar: whose manifest says the version of a compiler that would take seconds to say it.
        modules: of Python, where that is the tool; the first one's version is told.
        devices: device files that programs must see, of an accelerator; patterns as of a shell, of
            which some file must be there and be named in `sandbox.read_only_paths`.
        package: the Debian package that brings the tool, or its modules.
        needs: files without which it does not work; `{home}` is where `make toolchains` puts what
            no package brings.
        compile: the command; `{tool}`, `{flags}`, `{headers}` (folder of the precompiled header),
            `{program}` (the output file), `{sources}`, `{main}` (the main file) and `{unit}` are
            replaced; none: nothing is compiled.
        leaves: what `{program}` is after `compile`: the program, or (for `command`) a tar archive
            of what belongs into the program's folder.
        run: the command of `command`; besides, `{memory_mib}`, `{stack_mib}` and `{stack_kib}` are
            what the program may have.
        environment: of `run` and `compile`, with the same words in braces.
        unit: how `{unit}` is found; none: it is the main file's name without its ending.
        out_of_memory: what a runtime says last when a program has no memory left; it fails then,
            and says nothing else about itself.
        last_words: which line of standard error says why a program failed.
        runtime_bytes: of memory that the runtime itself takes, besides what the program may have.
        threads: processes and threads that the runtime needs, besides those of the program.
        source_suffixes: further files of a submission that are compiled too.
        precompiled_header: a header precompiled once by `precompile`.
        asserts: how test programs made of asserts run; none: there are none in this language.
        call_harness: which harness calls functions of this language's submissions: a name that
            `judging.callers` knows; none: there are no `call` tests for it (Python's are its own).
        variants: further names → flags added after the configured ones.
        test: programs that show that it works.
    """

    name: str
    aliases: tuple[str, ...] = ()
    main_file: str
    runner: Literal["warm_python", "native", "command"]
    tool: str
    tools: dict[str, str] = {}
    paths: tuple[str, ...] = ()
    version: tuple[str, ...] = ("--version",)
    jar: str = ""
    modules: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    package: str
    needs: tuple[str, ...] = ()
    compile: tuple[str, ...] = ()
    leaves: Literal["program", "folder"] = "program"
    run: tuple[str, ...] = ()
    environment: dict[str, str] = {}
    unit: UnitRule | None = None
    out_of_memory: tuple[str, ...] = ()
    last_words: LastWords = LastWords()
    runtime_bytes: int = 0
    threads: int = 0
    source_suffixes: tuple[str, ...] = ()
    precompiled_header: str = ""
    precompile: tuple[str, ...] = ()
    asserts: AssertRule | None = None
    call_harness: str = ""
    variants: dict[str, tuple[str, ...]] = {}
    test: SelfTest | None = None

    @property
    def compiles(self) -> bool:
        """Whether a source is compiled by itself, before the first case."""
        return bool(self.compile) or self.runner == "warm_python"


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
    if entry.modules and entry.tool != "python":
        raise ValueError("`modules` are Python's: `tool` must be 'python'")
    if entry.runner == "warm_python":
        if entry.tool != "python":
            raise ValueError("`tool` must be 'python' where `runner` is 'warm_python'")
        return
    if entry.runner == "command" and not entry.run:
        raise ValueError("`run` is empty")
    if entry.runner == "native" and (entry.run or entry.leaves != "program"):
        raise ValueError("`run` and `leaves` are for the runner 'command'")
    if entry.runner == "native" or entry.compile:
        compiled = entry.compile
        if "{sources}" not in compiled or not any("{program}" in word for word in compiled):
            raise ValueError(
                "`compile` must hold '{program}', and '{sources}' as a word of its own"
            )
    if bool(entry.precompiled_header) != bool(entry.precompile):
        raise ValueError("`precompiled_header` and `precompile` go together")
    if entry.unit is not None:
        for field in UnitRule.__struct_fields__:
            _check_pattern(f"unit.{field}", getattr(entry.unit, field))
    own = {f"{{{word}}}" for word in entry.tools}
    for field, allowed in (("compile", _COMPILE), ("precompile", _COMPILE), ("run", _RUN)):
        _check_words(field, getattr(entry, field), allowed | own)
    if entry.asserts is not None:
        _check_words("asserts.compile", entry.asserts.compile, _COMPILE | own)
        _check_words("asserts.run", entry.asserts.run, _RUN | own)
    _check_words("environment", entry.environment.values(), _PARTS | _RUN_PARTS | own)
    _check_words("needs", (*entry.needs, entry.jar), {"{home}"})
    _check_words("version", entry.version, {"{home}"})


def _check_words(field: str, words: Iterable[str], allowed: Set[str]) -> None:
    for word in words:
        for found in re.findall(r"\{[a-z_]*\}", word):
            if found not in allowed or (found in _WORDS and found != word):
                raise ValueError(
                    f"`{field}`: {word!r}: there are {', '.join(sorted(allowed - _WORDS))}, and "
                    f"as words of their own {', '.join(sorted(allowed & _WORDS))}"
                )


def _check_pattern(field: str, pattern: str) -> None:
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise ValueError(f"`{field}`: {error}") from error
    if pattern and groups != (field != "unit.entry_point"):
        raise ValueError(f"`{field}` must have one group, which is the name; `entry_point` none")
