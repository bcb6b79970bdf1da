"""Samples that there are already: read from a file, or the data's own solutions.

Formats are told apart row by row, by the names of the fields: our own `samples.jsonl`, and those
that the benchmarks' own harnesses read and write.

- `{task_id, solution}`: whole programs, of EvalPlus (evalplus/evalplus:evalplus/data/utils.py,
  `load_solutions`) and BigCodeBench; where a row has a `completion`, too, the solution counts
  (evalplus/evaluate.py).
- `{task_id, completion}`: what follows a prompt, of human-eval (openai/human-eval:README.md).
- `{task_id, answer}` (`output`, `response`, `text`, `generation`): what a chat model wrote.
- each of these with a list in the plural.
- `[{question_id, code_list, output_list}]`: LiveCodeBench's output file
  (LiveCodeBench/LiveCodeBench:lcb_runner/benchmarks/code_generation.py, `insert_output`); its
  harness judges `code_list` (lcb_runner/runner/custom_evaluator.py), so it counts where it is.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import msgspec

from scalebox.suite.errors import SuiteError
from scalebox.suite.sampling.answers import printable
from scalebox.suite.tasks import Sample, SampleKind, Task

ENDINGS = (".jsonl", ".jsonl.gz", ".json", ".json.gz")
#: Of a line of JSON lines: many answers to one task, thinking and all.
MAX_LINE_BYTES = 64 << 20
#: Of a file that is one JSON value, which is parsed at once.
MAX_JSON_BYTES = 1 << 30
_IDS = ("task_id", "question_id", "task")
#: Field → what it holds; the first that a row has counts.
_TEXTS: dict[str, SampleKind] = {
    "solution": "solution",
    "solutions": "solution",
    "code_list": "solution",
    "completion": "completion",
    "completions": "completion",
    **{
        name: "answer"
        for word in ("answer", "output", "response", "generation", "text")
        for name in (word, f"{word}s")
    },
    "output_list": "answer",
}


@dataclass(slots=True)
class Samples:
    """What a file holds.

    Attributes:
        samples: in the file's order.
        sha256: of the file.
        missing: task → how many samples it lacks, in the tasks' order; those that lack none are
            not there.
        passed_over: samples to tasks that the configuration leaves out, or over `n`.
    """

    samples: list[Sample] = field(default_factory=list)
    sha256: str = ""
    missing: dict[str, int] = field(default_factory=dict)
    passed_over: int = 0


def read_samples(
    path: Path,
    tasks: Sequence[str],
    n: int | None = None,
    *,
    left_out: Collection[str] = (),
) -> Samples:
    """The samples of a file.  Reads all of it, so call it in a thread.

    Parameters:
        path: a file that ends in one of `ENDINGS`.
        tasks: ids of those that samples may be to.
        n: so many of each task are taken, the first (of our own files: those whose index is below
            it); None: all, and at least one is wanted.
        left_out: ids of tasks that the benchmark has and the configuration does not choose; samples
            to them are passed over.

    Raises:
        SuiteError: it cannot be read, a line or row is not as documented (which, and why), it has
            samples to tasks that the benchmark has not, or one twice, or none at all.
    """
    known = set(tasks)
    strange: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    seen: dict[tuple[str, int], str] = {}
    found = Samples(sha256=_sha256(path))
    for place, row in _rows(path):
        for sample in _samples(row, place, counts):
            if sample.task not in known:
                if sample.task in left_out:
                    found.passed_over += 1
                else:
                    strange[sample.task] += 1
                continue
            key = (sample.task, sample.index)
            if key in seen:
                raise SuiteError(
                    f"{place}: sample {sample.index} of task {sample.task!r} is there twice (first "
                    f"at {seen[key]})"
                )
            seen[key] = place.removeprefix(f"{path}, ").removeprefix(f"{path}: ")
            if n is not None and sample.index >= n:
                found.passed_over += 1
            else:
                found.samples.append(sample)
    _refuse_strangers(path, strange, tasks)
    if not found.samples:
        raise SuiteError(f"{path} holds no sample to any of the {len(tasks):,} tasks")
    taken = Counter(sample.task for sample in found.samples)
    wanted = 1 if n is None else n
    found.missing = {task: wanted - taken[task] for task in tasks if taken[task] < wanted}
    return found


def canonical_samples(tasks: Sequence[Task]) -> list[Sample]:
    """The data's own solutions in the place of a model's: one each, of the tasks that have one.

    Raises:
        SuiteError: no task has one.
    """
    found = [
        Sample(task=task.id, index=0, text=task.canonical, kind="solution")
        for task in tasks
        if task.canonical is not None
    ]
    if not found:
        names = ", ".join(repr(task.id) for task in tasks[:3])
        raise SuiteError(
            f"samples = 'canonical': the data has no solution to any of the {len(tasks):,} tasks "
            f"({names}{', …' if len(tasks) > 3 else ''})"
        )
    return found


def _refuse_strangers(path: Path, strange: Counter[str], tasks: Sequence[str]) -> None:
    if not strange:
        return
    first = next(iter(strange))
    others = f", and {len(strange) - 1:,} other tasks" if len(strange) > 1 else ""
    ours = f"its ids are like {tasks[0]!r}" if tasks else "it has none"
    raise SuiteError(
        f"{path} has samples to task {printable(first, 100)!r}{others} "
        f"({strange.total():,} samples in all), which the benchmark has not; {ours}"
    )


def _samples(row: Any, place: str, counts: Counter[str]) -> Iterator[Sample]:
    """The samples of a row; those of others get indexes in their order."""
    if not isinstance(row, dict):
        raise SuiteError(f"{place} is no sample: an object with named fields")
    if "task" in row and "index" in row:
        yield _own(row, place)
        return
    task = _id(row, place)
    name = next((name for name in _TEXTS if name in row), None)
    if name is None:
        raise SuiteError(
            f"{place} has no sample; it would be in {', '.join(_TEXTS)} (there are {_names(row)})"
        )
    value = row[name]
    for text in value if isinstance(value, list) else [value]:
        if not isinstance(text, str):
            raise SuiteError(f"{place}: {name} is {_kind(text)}, not a text")
        yield Sample(
            task=task,
            index=counts[task],
            text=_whole(text, f"{place}: {name}"),
            kind=_TEXTS[name],
        )
        counts[task] += 1


def _own(row: dict[str, Any], place: str) -> Sample:
    try:
        sample = msgspec.convert(row, Sample)
    except msgspec.ValidationError as error:
        raise SuiteError(f"{place} is no sample of ours: {error}") from None
    if sample.index < 0:
        raise SuiteError(f"{place} is no sample of ours: its index is {sample.index}")
    for text in (sample.text, sample.reasoning, sample.finish):
        _whole(text, place)
    return sample


def _id(row: dict[str, Any], place: str) -> str:
    for name in _IDS:
        value = row.get(name)
        # Numbers are those of MBPP's own rows.
        if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
            return str(value)
        if name in row:
            raise SuiteError(f"{place}: {name} is {_kind(value)}, not a text")
    raise SuiteError(
        f"{place} does not say which task: {' or '.join(_IDS)} (there are {_names(row)})"
    )


def _whole(text: str, place: str) -> str:
    """A text that can be written down: without halves of characters, which JSON can have."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise SuiteError(
            f"{place} has half of a character (a lone surrogate) at {error.start:,}"
        ) from None
    return text


def _kind(value: Any) -> str:
    return "null" if value is None else type(value).__name__


def _names(row: dict[str, Any]) -> str:
    return printable(", ".join(row)) or "no fields"


def _rows(path: Path) -> Iterator[tuple[str, Any]]:
    """The rows of a file, with their places for messages."""
    opened: Any = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rb") as stream:
            by_lines = path.name.endswith((".jsonl", ".jsonl.gz"))
            yield from _lines(stream, path) if by_lines else _items(stream, path)
    except (OSError, EOFError, zlib.error) as error:
        raise _unreadable(path, error) from error


def _lines(stream: IO[bytes], path: Path) -> Iterator[tuple[str, Any]]:
    number = 0
    while line := stream.readline(MAX_LINE_BYTES + 1):
        number += 1
        place = f"{path}, line {number}"
        if len(line) > MAX_LINE_BYTES:
            raise SuiteError(f"{place} is longer than {MAX_LINE_BYTES:,} bytes")
        if line.strip():
            yield place, _parsed(line, place)


def _items(stream: IO[bytes], path: Path) -> Iterator[tuple[str, Any]]:
    text = stream.read(MAX_JSON_BYTES + 1)
    if len(text) > MAX_JSON_BYTES:
        raise SuiteError(f"{path} is larger than {MAX_JSON_BYTES:,} bytes; make it JSON lines")
    found = _parsed(text, str(path))
    if not isinstance(found, list):
        raise SuiteError(f"{path} is {_kind(found)}, not a list of samples")
    for number, row in enumerate(found):
        yield f"{path}: item {number}", row


def _parsed(text: bytes, place: str) -> Any:
    try:
        return json.loads(text.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise SuiteError(f"{place} is no UTF-8: {error.reason} at byte {error.start:,}") from None
    except (ValueError, RecursionError) as error:
        raise SuiteError(f"{place} is no JSON (was it cut off?): {error}") from None


def _sha256(path: Path) -> str:
    if not path.name.endswith(ENDINGS):
        raise SuiteError(f"{path}: files of samples end in {', '.join(ENDINGS)}")
    if path.exists() and not path.is_file():
        raise SuiteError(f"{path} is no file")
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> SuiteError:
    words = error.strerror if isinstance(error, OSError) and error.strerror else error
    return SuiteError(f"{path}: the file of samples cannot be read: {words}")
