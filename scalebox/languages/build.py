"""What has to run in a slot to turn a submission into an artifact, and what came out of it.

Pure planning: `compile_plan` gives the run, `artifact_address` the place in the cache.  The engine
runs the plan; this module neither schedules nor judges.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from scalebox.config import LimitsConfig
from scalebox.languages.toolchains import Language
from scalebox.sandbox.spec import RunLimits, RunSpec
from scalebox.sandbox.zygote import wire

PROGRAM = "a.out"
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
    sources = [entry.main_file]
    sources += [_as_path(name) for name in sorted(files) if name.endswith(entry.source_suffixes)]
    include: list[str] = []
    if headers is not None and entry.precompiled_header:
        include = ["-I", str(headers / language.identity)]
    return RunSpec(
        program=wire.EXECUTE,
        limits=limits,
        argv=_expand(entry.compile, language, include, PROGRAM, sources, flags),
        files={
            **{name: (content, 0o644) for name, content in files.items()},
            entry.main_file: (source, 0o644),
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
    argv = _expand(entry.precompile, language, [], PROGRAM, [name])
    text = f"#include <{entry.precompiled_header}>\n".encode()
    spec = RunSpec(
        program=wire.EXECUTE, limits=limits, argv=argv, files={name: (text, 0o644)},
        fetch=(PROGRAM,),
    )  # fmt: skip
    address = Path(language.identity) / (entry.precompiled_header + ".gch")
    return HeaderPlan(address, spec, PROGRAM)


def _expand(
    command: tuple[str, ...],
    language: Language,
    include: list[str],
    program: str,
    sources: list[str],
    flags: Sequence[str] = (),
) -> tuple[str, ...]:
    words: list[str] = []
    for word in command:
        if word == "{flags}":
            words += [*language.flags, *flags]
        elif word == "{headers}":
            words += include
        elif word == "{sources}":
            words += sources
        else:
            words.append(word.replace("{tool}", language.tool).replace("{program}", program))
    return tuple(words)
