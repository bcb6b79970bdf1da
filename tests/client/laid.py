"""Problem packages laid out as folders."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def lay(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files (relative path → content) into a folder, and return it."""
    for path, content in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    """A zip archive of files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return packed.getvalue()


def lay_row(folder: Path, row: Mapping[str, Any]) -> Path:
    """A row of `problems.jsonl.gz` as the package that it was made from.

    Flags that all cases of a folder have become the folder's; where they differ within a folder,
    the case's, for which there is a place in the newer formats only.
    """
    judge = row["judge"]
    words = {"default": "default", "custom": "custom", "interactive": "custom interactive"}
    about = {
        "name": row["name"],
        "validation": words[judge["kind"]],
        "validator_flags": judge["flags"] or "",
        "limits": {
            "time_limit": row["time_limit_s"],
            "memory": row["memory_limit_mb"],
        },
    }
    about["limits"] = {key: value for key, value in about["limits"].items() if value is not None}
    # JSON is YAML.
    files: dict[str, str] = {"problem.yaml": json.dumps(about, ensure_ascii=False)}
    for path, text in (judge["files"] or {}).items():
        files[f"{judge['folder']}/{path}"] = text
    flags: dict[str, set[str | None]] = {}
    for test in row["tests"]:
        files[f"data/{test['name']}.in"] = test["input"]
        files[f"data/{test['name']}.ans"] = test["answer"]
        flags.setdefault(test["name"].rsplit("/", 1)[0], set()).add(test["flags"])
    for group, found in flags.items():
        (own,) = found
        if own is not None:
            text = json.dumps({"output_validator_flags": own})
            files[f"data/{group}/testdata.yaml"] = text
    for found_submission in row["submissions"]:
        many = len(found_submission["files"]) > 1
        for path, text in found_submission["files"].items():
            name = found_submission["name"]
            files[f"submissions/{name}/{path}" if many else f"submissions/{name}"] = text
    return lay(folder, files)
