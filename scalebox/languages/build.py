"""What has to run in a slot to turn a submission into an artifact, and what came out of it.

Pure planning: `compile_plan` gives the run, `artifact_address` the place in the cache.  The engine
runs the plan; this module neither schedules nor judges.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from scalebox import asides
from scalebox.config import LimitsConfig
from scalebox.languages.table import LanguageEntry, UnitRule
from scalebox.languages.toolchains import Language
from scalebox.sandbox.spec import RunLimits, RunSpec
from scalebox.sandbox.zygote import wire

PROGRAM = "a.out"
_ASIDE = re.compile(asides.pattern("units"), re.DOTALL)
_BRACE = re.compile("[{}]")
#: A file system takes 255 bytes; the ending and what a compiler adds count, too.
_LONGEST_NAME_BYTES = 200
#: Of what a compilation leaves.
_MOST_FILES = 5_000
_LONGEST_PATH = 500
#: A compiler forks a few helpers.  It may have far more, because at level `minimal` what programs
#: in other slots have started counts, too, and must not stop it.
_COMPILE_PROCESSES = 256
_COMPILE_OPEN_FILES = 1024
_COMPILE_STACK_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class HeaderPlan:
    """How to precompile a header.

    Attributes:
        address: where the result belongs, below the folder of headers.
        spec: the run that makes it.
        fetch: the file to take out of it.
    """

    address: Path
    spec: RunSpec
    fetch: str


def artifact_address(
    language: Language, source: bytes, files: Mapping[str, bytes], flags: Sequence[str] = ()
) -> str:
    """The content address of a program: source, further files, tool chain, flags."""
    digest = hashlib.sha256(language.identity.encode())
    for flag in flags:
        digest.update(b"\0%d %s" % (len(flag.encode()), flag.encode()))
    digest.update(b"%d " % len(source))
    digest.update(source)
    for name in sorted(files):
        content = files[name]
        digest.update(b"\0%d %d " % (len(name.encode()), len(content)))
        digest.update(name.encode())
        digest.update(content)
    return digest.hexdigest()


def compile_limits(limits: LimitsConfig, memory_bytes: int) -> RunLimits:
    """The bounds of a compilation.

    Parameters:
        limits: the daemon's limits.
        memory_bytes: what all programs may use together; a compilation cannot have more.
    """
    cpu_ns = int(limits.compile_cpu_time_s * 1e9)
    wall_s = limits.compile_cpu_time_s * limits.wall_time_factor + limits.wall_time_extra_s
    return RunLimits(
        cpu_ns=cpu_ns,
        wall_ns=int(wall_s * 1e9),
        memory_bytes=min(limits.compile_memory_bytes, memory_bytes),
        output_bytes=limits.compile_output_bytes,
        file_bytes=limits.compile_file_bytes,
        processes=_COMPILE_PROCESSES,
        open_files=_COMPILE_OPEN_FILES,
        stack_bytes=_COMPILE_STACK_BYTES,
    )


def compile_plan(
    language: Language,
    source: bytes,
    files: Mapping[str, bytes],
    limits: RunLimits,
    headers: Path | None,
    flags: Sequence[str] = (),
) -> RunSpec:
    """The run that compiles a submission.

    Parameters:
        language: a language with a compiler, or Python.
        source: the main file's content.
        files: the submission's further files.
        limits: of the compilation.
        headers: the folder with precompiled headers.
        flags: after the language's own; such as a precompiled header does not depend on.

    Returns:
        For Python a run that writes the marshalled code to standard output; else one that leaves
        the executable in the file `PROGRAM`.
    """
    if language.entry.runner == "warm_python":
        # Marshalled code may be several times the source.
        enough = max(limits.output_bytes, 64 << 20)
        return RunSpec(
            program=wire.PYTHON_COMPILE, limits=replace(limits, output_bytes=enough), source=source
        )
    entry = language.entry
    main = names(entry, source)
    sources = [main.file]
    sources += [_as_path(name) for name in sorted(files) if name.endswith(entry.source_suffixes)]
    include: list[str] = []
    if headers is not None and entry.precompiled_header:
        include = ["-I", str(headers / language.identity)]
    return RunSpec(
        program=wire.EXECUTE,
        limits=limits,
        argv=_expand(entry.compile, language, main, include, sources, flags),
        env=environment(language, main, limits),
        files={
            **{name: (content, 0o644) for name, content in files.items()},
            main.file: (source, 0o644),
        },
        fetch=(PROGRAM,),
    )


def _as_path(name: str) -> str:
    """A file's name that no compiler takes for an option, or for a file of options."""
    return name if name[0].isalnum() else f"./{name}"


def header_plan(language: Language, limits: RunLimits) -> HeaderPlan | None:
    """How to precompile this language's header, if it has one."""
    entry = language.entry
    if not entry.precompiled_header:
        return None
    name = "precompile.h"
    argv = _expand(entry.precompile, language, names(entry, b""), [], [name])
    text = f"#include <{entry.precompiled_header}>\n".encode()
    spec = RunSpec(
        program=wire.EXECUTE, limits=limits, argv=argv, files={name: (text, 0o644)},
        fetch=(PROGRAM,),
    )  # fmt: skip
    address = Path(language.identity) / (entry.precompiled_header + ".gch")
    return HeaderPlan(address, spec, PROGRAM)


@dataclass(frozen=True, slots=True)
class Names:
    """What a program's main file is called, and the unit that is started in it."""

    file: str
    unit: str


def names(entry: LanguageEntry, source: bytes, *, last: bool = False) -> Names:
    """The names of a source: those of the table, unless its language goes by what is in it.

    Parameters:
        last: whether the last place where a program begins counts, and not the first.
    """
    if entry.unit is None:
        return Names(entry.main_file, entry.main_file.partition(".")[0])
    return _names(entry.unit, entry.main_file, source, last)


@lru_cache(maxsize=64)  # asked once a case, of as many submissions as run at a time
def _names(rule: UnitRule, main_file: str, source: bytes, last: bool) -> Names:
    stem, dot, ending = main_file.partition(".")
    text = _ASIDE.sub(" ", source.decode("utf-8-sig", "replace"))
    begins = list(re.finditer(rule.entry_point, text))
    begin = begins[-1 if last else 0] if begins else None
    units = re.findall(rule.declaration, _outermost(text[: begin.start()] if begin else text))
    unit = _named(units[-1 if begin else 0] if units else "", stem)
    file = stem
    if rule.file_unit and (found := re.search(rule.file_unit, _outermost(text))):
        file = _named(found[1], stem)
    if rule.package and (found := re.search(rule.package, text)):
        unit = ".".join(filter(None, (_named(found[1], ""), unit)))
    return Names(f"{file}{dot}{ending}", unit)


def _named(name: str, otherwise: str) -> str:
    """What no file can be called is left to the compiler to refuse."""
    return name if 0 < len(name.encode()) <= _LONGEST_NAME_BYTES else otherwise


def _outermost(text: str) -> str:
    """What is in no braces: the unit that is started is within no other one."""
    parts: list[str] = []
    depth = begin = 0
    for brace in _BRACE.finditer(text):
        if brace[0] == "{":
            if depth == 0:
                parts.append(text[begin : brace.start()])
            depth += 1
        elif depth:
            depth -= 1
            begin = brace.end()
    if depth == 0:
        parts.append(text[begin:])
    return "\n".join(parts)


def run_command(language: Language, source: bytes, limits: RunLimits) -> tuple[str, ...]:
    """The command that runs a program in its folder.

    Parameters:
        limits: what the program itself may have.
    """
    main = names(language.entry, source)
    return _expand(language.entry.run, language, main, [], [main.file], (), _numbers(limits))


def environment(language: Language, main: Names, limits: RunLimits) -> dict[str, str]:
    """What the language's compiler and programs find in their environment."""
    values = {**language.tools, "main": main.file, "unit": main.unit, **_numbers(limits)}
    return {name: _replace(word, values) for name, word in language.entry.environment.items()}


def _numbers(limits: RunLimits) -> dict[str, str]:
    # The last part of the stack is where a runtime finds out that there is none left.
    stack = limits.stack_bytes - limits.stack_bytes // 8
    return {
        "memory_mib": str(max(1, limits.memory_bytes >> 20)),
        "stack_mib": str(max(1, stack >> 20)),
        "stack_kib": str(max(64, stack >> 10)),
    }


def _expand(
    command: tuple[str, ...],
    language: Language,
    main: Names,
    include: Sequence[str],
    sources: Sequence[str],
    flags: Sequence[str] = (),
    numbers: Mapping[str, str] = MappingProxyType({}),
) -> tuple[str, ...]:
    words: list[str] = []
    several = {
        "{flags}": [*language.flags, *flags], "{headers}": include, "{sources}": sources,
    }  # fmt: skip
    values = {
        **language.tools, "program": PROGRAM, "main": main.file, "unit": main.unit, **numbers,
    }  # fmt: skip
    for word in command:
        words += several[word] if word in several else [_replace(word, values)]
    return tuple(words)


def _replace(word: str, values: Mapping[str, str]) -> str:
    return re.sub(r"\{([a-z_]*)\}", lambda found: values.get(found[1], found[0]), word)


def unpack(archive: bytes) -> dict[str, tuple[bytes, int]]:
    """The files of a folder that a compilation left; what it wrote is as hostile as its source.

    Returns:
        path → (content, mode).

    Raises:
        ValueError: it is no archive, or holds something else than files with plain names.
    """
    files: dict[str, tuple[bytes, int]] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:") as opened:
            for item in opened:
                path = os.path.normpath(item.name)
                if item.isdir():
                    continue
                if not item.isreg() or not _is_inside(path):
                    raise ValueError(f"{item.name[:100]!r} is no plain file")
                if len(files) == _MOST_FILES:
                    raise ValueError(f"more than {_MOST_FILES} files")
                content = opened.extractfile(item)
                assert content is not None
                files[path] = content.read(), 0o755 if item.mode & 0o100 else 0o644
    except tarfile.TarError as error:
        raise ValueError(str(error)) from error
    return files


def _is_inside(path: str) -> bool:
    """Whether a path without needless parts is that of a file in the folder."""
    outside = path in (".", "..") or path.startswith(("/", "../"))
    return not outside and "\0" not in path and len(path) <= _LONGEST_PATH
