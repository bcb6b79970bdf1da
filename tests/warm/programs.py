"""What is run both ways: probes, the bundled examples, and public submissions where they are."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path

import scalebox.examples
from tests.judging.datasets import data_folder
from tests.warm.basics import BASICS
from tests.warm.probes import PROBES

#: Most of a submission's tests say the same; the smallest one is the quickest.
_LARGEST_INPUT_BYTES = 1 << 20
STDIN = b"first line\nsecond line\n\xc3\x9f\n"


@dataclass(frozen=True)
class Program:
    """Text and standard input."""

    name: str
    source: bytes
    stdin: bytes = STDIN


def probes() -> list[Program]:
    """Written to look closely."""
    return [Program(name, source.encode()) for name, source in {**BASICS, **PROBES}.items()]


def examples() -> list[Program]:
    """The programs that ship, with an input that is not theirs: how they fail counts, too."""
    folder = Path(scalebox.examples.__file__).parent
    return [
        Program(f"{path.parent.name}/{path.stem}", path.read_bytes())
        for path in sorted(folder.glob("*/*.py"))
    ]


def submissions() -> list[Program]:
    """Every Python submission of the public problems; none where they are not."""
    file = data_folder() / "problems.jsonl.gz"
    if not file.is_file():
        return []
    found = []
    with gzip.open(file, "rt", encoding="utf-8") as rows:
        for row in map(json.loads, rows):
            inputs = [test["input"].encode() for test in row["tests"] if test.get("input")]
            if not inputs:
                continue
            smallest = min(inputs, key=len)
            if len(smallest) > _LARGEST_INPUT_BYTES:
                continue
            for number, submission in enumerate(row["submissions"]):
                if submission["language"] == "python":
                    source = _reproducible(next(iter(submission["files"].values())))
                    found.append(Program(f"{row['id']}/{number}", source, smallest))
    return found


def _reproducible(text: str) -> bytes:
    """The same text, with random numbers that are the same in both ways."""
    seeded = "import random; random.seed(7)\n" if "random" in text else ""
    return (seeded + text).encode()
