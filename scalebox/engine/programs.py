"""How a program is started, whatever it was made of: the run of an artifact, and its limits."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace

from scalebox.engine.builder import Artifact
from scalebox.languages import build
from scalebox.languages.table import LanguageEntry
from scalebox.languages.toolchains import Language
from scalebox.sandbox.spec import RunLimits, RunSpec
from scalebox.sandbox.zygote import wire

Files = Mapping[str, tuple[bytes, int]]


def run_of(
    language: Language,
    artifact: Artifact,
    limits: RunLimits,
    source: bytes,
    files: Files,
    args: Sequence[str] = (),
    *,
    own: RunLimits,
) -> RunSpec:
    """The run of a program; its standard input, pipes and the like are to be set.

    Parameters:
        language: its language.
        artifact: what was compiled, if its language compiles.
        limits: of the run; see `with_runtime`.
        source: its text.
        files: further ones of its folder.
        args: that it is given.
        own: what the program itself was promised.
    """
    entry = language.entry
    if entry.runner == "warm_python":
        return RunSpec(
            program=wire.PYTHON_CODE if artifact.code else wire.PYTHON_SOURCE,
            limits=limits, source=source, code=artifact.code, argv=tuple(args), files=dict(files),
        )  # fmt: skip
    main = build.names(entry, source)
    spec = RunSpec(
        program=wire.EXECUTE,
        limits=limits,
        env=build.environment(language, main, own),
        files=dict(files),
    )
    if entry.runner == "native":
        spec.executable_fd = artifact.fd
        spec.argv = ("./solution", *args)
        return spec
    spec.argv = (*build.run_command(language, source, own), *args)
    made = artifact.files if entry.compile else {main.file: (source, 0o644)}
    if entry.compile and entry.leaves == "program":
        made = {build.PROGRAM: (_content(artifact.fd), 0o755)}
    spec.files = {**files, **made}
    return spec


def with_runtime(limits: RunLimits, entry: LanguageEntry) -> RunLimits:
    """Limits under which the program has all of what it was promised: what the language's runtime
    takes for itself is not its doing."""
    if not entry.runtime_bytes and not entry.threads:
        return limits
    return replace(
        limits,
        memory_bytes=limits.memory_bytes + entry.runtime_bytes,
        processes=limits.processes + entry.threads,
    )


def _content(fd: int) -> bytes:
    return os.pread(fd, os.fstat(fd).st_size, 0)
