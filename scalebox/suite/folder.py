"""The folder of a run: which files it has, and what of a run must not change while it goes on.

config.toml     of this run alone, without defaults
manifest.json   what the numbers depend on: hashes, versions, limits, tool chains
tasks.jsonl     what was asked
samples.jsonl   answers, one line each as they came (a journal)
grades.jsonl    what came of judging them, as it came (a journal)
results.jsonl   the same, sorted, without anything that may differ from one judging to the next
evidence.jsonl  failing cases, messages, times
summary.json    the numbers;  timings.json  those about time
report.html, report.md
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from scalebox.suite.errors import SuiteError
from scalebox.suite.journal import write_whole
from scalebox.suite.tasks import Grade

CONFIG = "config.toml"
MANIFEST = "manifest.json"
TASKS = "tasks.jsonl"
SAMPLES = "samples.jsonl"
GRADES = "grades.jsonl"
RESULTS = "results.jsonl"
EVIDENCE = "evidence.jsonl"
SUMMARY = "summary.json"
TIMINGS = "timings.json"
VERIFIED = "verified.json"

_SAMPLED, _JUDGED = "sampled_by", "judged_by"
_OF_JUDGING = ("daemon", "toolchains", "judges", "isolation_levels")


class GradeLine(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of `grades.jsonl`.

    Attributes:
        task, index: of the sample.
        program_sha256: of the program that was judged; empty: there was none.
        grade: what came of it.
    """

    task: str
    index: int
    program_sha256: str = ""
    grade: Grade


def sha256(data: bytes | str) -> str:
    """In hexadecimal digits."""
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    return hashlib.sha256(raw).hexdigest()


def digest(value: Any) -> str:
    """Of a value as JSON with sorted keys."""
    return sha256(msgspec.json.encode(value, order="deterministic"))


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a run.

    Raises:
        SuiteError: there is none, or it cannot be read.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SuiteError(f"{folder} is no folder of a run: there is no {MANIFEST}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise SuiteError(f"{path} cannot be read: {error}") from error
    if not isinstance(manifest, dict):
        raise SuiteError(f"{path} is no manifest")
    return manifest


def manifest_if_any(folder: Path) -> dict[str, Any]:
    """The manifest of a run; empty: there is none.

    Raises:
        SuiteError: it cannot be read.
    """
    return read_manifest(folder) if (folder / MANIFEST).exists() else {}


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Write it, whole or not at all."""
    text = json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False, default=str)
    write_whole(folder / MANIFEST, [text.encode("utf-8", "replace"), b"\n"])


def check_sampled(folder: Path, parts: dict[str, Any]) -> None:
    """Refuse to mix answers that were drawn in different ways in one folder.

    Parameters:
        folder: of the run, new or not.
        parts: by name what answers depend on.

    Raises:
        SuiteError: the folder has samples, and something of it was otherwise.
    """
    if _lines(folder / SAMPLES) and (changed := _changed(read_manifest(folder), _SAMPLED, parts)):
        raise SuiteError(
            f"{folder} has samples that were drawn with another {', '.join(changed)}. Take the "
            "former configuration to go on with it, or name another [output] directory or [model] "
            "name"
        )


def check_judged(folder: Path, parts: dict[str, Any], *, again: bool) -> None:
    """Refuse to mix grades that were made in different ways; with `again` the former ones go.

    Raises:
        SuiteError: the folder has grades, something of it was otherwise, and not `again`.
    """
    if again:
        (folder / GRADES).unlink(missing_ok=True)
    elif _lines(folder / GRADES) and (changed := _changed(read_manifest(folder), _JUDGED, parts)):
        raise SuiteError(
            f"{folder} has samples that were judged with another {', '.join(changed)}. "
            "`scalebox eval judge --again` judges all of them anew"
        )


def keys(
    *, sampled: dict[str, Any] | None = None, judged: dict[str, Any] | None = None
) -> dict[str, Any]:
    """What `check_sampled` and `check_judged` compare with, for the manifest."""
    return {
        key: {name: digest(value) for name, value in parts.items()}
        for key, parts in ((_SAMPLED, sampled), (_JUDGED, judged))
        if parts is not None
    }


def judged_before(folder: Path) -> dict[str, Any]:
    """What the manifest of a folder says of how it was judged; empty: it was not."""
    former = manifest_if_any(folder)
    return {name: former[name] for name in (_JUDGED, *_OF_JUDGING) if name in former}


def changed_judging(manifest: dict[str, Any], parts: dict[str, Any]) -> list[str]:
    """What verdicts depend on and was otherwise when a run was judged.

    Parameters:
        manifest: of that run.
        parts: by name what they depend on now.
    """
    return _changed(manifest, _JUDGED, parts)


def _changed(manifest: dict[str, Any], key: str, parts: dict[str, Any]) -> list[str]:
    former = manifest.get(key)
    if not isinstance(former, dict):
        return [f"manifest ({MANIFEST} does not say how)"]
    return [name for name, value in parts.items() if former.get(name) != digest(value)]


def _lines(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0
