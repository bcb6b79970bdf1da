"""The files of a run that numbers and pages are made from, and how a line of each looks.

`results.jsonl` has what must be the same whenever the same samples are judged, and nothing else;
`evidence.jsonl` what may differ: times, and the words of a traceback.  `tasks.jsonl` has the
prompts, cut.  All are written at once and whole: a reader sees the former file, or the new one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from scalebox.model import Integrity, Verdict
from scalebox.suite.errors import SuiteError
from scalebox.suite.journal import write_whole
from scalebox.suite.tasks import MAX_EVIDENCE_CHARS, FailingCase, Task, cut

#: A line of any of these files; a sample's text, the longest, has some hundred thousand letters.
MAX_LINE_BYTES = 64 << 20


class Result(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came of one sample; a line of `results.jsonl`.

    Attributes:
        task: the task's id.
        index: from 0, of the answers to that task.
        verdict: about the whole; `compile_error` with no cases where there is no program.
        passed, total: cases.
        parts: of benchmarks with sets of cases that are counted apart, which of them are passed.
        integrity: whether a hostile program could have forged this.
        finish: why the answer ended, in the endpoint's words; empty: not known.
        prompt_tokens, completion_tokens: as the endpoint counts them; None: it does not.
        program_sha256: of what was judged; empty: there is no program in the sample.
        groups: the task's: what numbers are split by.
    """

    task: str
    index: int
    verdict: Verdict
    passed: int
    total: int
    parts: dict[str, bool] = {}
    integrity: Integrity = Integrity.STRONG
    finish: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    program_sha256: str = ""
    groups: dict[str, str] = {}

    @property
    def key(self) -> tuple[str, int]:
        """Task and index."""
        return self.task, self.index

    @property
    def fraction(self) -> float:
        """Cases passed over cases; 0 where there are none."""
        return self.passed / self.total if self.total > 0 else 0.0


class Evidence(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What else is known of one sample, for people; a line of `evidence.jsonl`.

    Attributes:
        task, index: whose.
        failing: the first case that is not accepted.
        message: about the whole.
        cpu_time_s, wall_time_s: of all cases together.
        seconds: that sampling took; 0: not known.
    """

    task: str
    index: int
    failing: FailingCase | None = None
    message: str = ""
    cpu_time_s: float = 0.0
    wall_time_s: float = 0.0
    seconds: float = 0.0

    @property
    def key(self) -> tuple[str, int]:
        """Task and index."""
        return self.task, self.index


class TaskLine(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A task as pages show it; a line of `tasks.jsonl`.

    Attributes:
        id: the task's.
        prompt: what a model was asked, cut.
        groups: what numbers are split by.
    """

    id: str
    prompt: str
    groups: dict[str, str] = {}


class Missing(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A sample that should be there and says nothing: not sampled, or not judged.

    Attributes:
        task, index: whose.
        why: for people.
    """

    task: str
    index: int
    why: str


def line_of(task: Task) -> TaskLine:
    """A task as a line of `tasks.jsonl`."""
    prompt = cut(task.instruction or task.prompt, MAX_EVIDENCE_CHARS) or ""
    return TaskLine(id=task.id, prompt=prompt, groups=task.groups)


def write(path: Path, results: Iterable[Result]) -> None:
    """Write `results.jsonl`: the same results give the same bytes.

    Parameters:
        results: by the order of tasks, then by index.

    Raises:
        SuiteError: the file cannot be written.
    """
    write_lines(path, results)


def read(path: Path) -> list[Result]:
    """The results that `write` has written.

    Raises:
        SuiteError: it cannot be read, a line is no result, or a sample is there twice.
    """
    results = list(read_lines(path, Result))
    seen: set[tuple[str, int]] = set()
    for result in results:
        if result.key in seen:
            raise SuiteError(f"{path}: sample {result.index} of {result.task!r} is there twice")
        seen.add(result.key)
    return results


_Line = TypeVar("_Line", bound=Struct)


def write_lines(path: Path, lines: Iterable[Struct]) -> None:
    """Write a file of JSON lines at once and whole; what is no text in a text becomes U+FFFD.

    Raises:
        SuiteError: the file cannot be written.
    """
    # Keys of a struct stay in its order, those of a dict are sorted.
    encoder = msgspec.json.Encoder(order="deterministic")
    write_whole(path, (_encoded(encoder, line) + b"\n" for line in lines))


def write_json(path: Path, content: Any) -> None:
    """Write one value as JSON for people, at once and whole.

    Raises:
        SuiteError: the file cannot be written.
    """
    encoded = _encoded(msgspec.json.Encoder(), content)
    write_whole(path, [msgspec.json.format(encoded, indent=2) + b"\n"])


def read_lines(path: Path, kind: type[_Line], *, torn: bool = False) -> Iterator[_Line]:
    """The lines of a file, one by one.

    Parameters:
        torn: whether the last line may be the beginning of one (in a file that is added to).

    Raises:
        SuiteError: it cannot be read, or a line is not of that kind.
    """
    decoder = msgspec.json.Decoder(kind)
    for place, line in _numbered(path):
        try:
            yield decoder.decode(line)
        except (msgspec.DecodeError, RecursionError) as error:
            if torn and not line.endswith(b"\n"):
                return
            raise SuiteError(f"{place}: {error}; make the file anew") from error


def read_json(path: Path, kind: type[_Line]) -> _Line:
    """One value from a file of JSON.

    Raises:
        SuiteError: it cannot be read, or is not of that kind.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except OSError as error:
        raise SuiteError(f"{path} cannot be read: {error.strerror}") from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise SuiteError(f"{path}: {error}; make the file anew") from error


def _numbered(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        with path.open("rb") as stream:
            number = 0
            while line := stream.readline(MAX_LINE_BYTES + 1):
                number += 1
                place = f"{path}, line {number}"
                if len(line) > MAX_LINE_BYTES:
                    raise SuiteError(f"{place} has more than {MAX_LINE_BYTES:,} bytes")
                if not line.isspace():
                    yield place, line
    except OSError as error:
        raise SuiteError(f"{path} cannot be read: {error.strerror}") from error


def _encoded(encoder: msgspec.json.Encoder, value: Any) -> bytes:
    try:
        return encoder.encode(value)
    except UnicodeEncodeError:  # a lone surrogate, of which JSON has a spelling and UTF-8 none
        return encoder.encode(_as_text(msgspec.to_builtins(value)))


def _as_text(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case dict():
            return {_as_text(key): _as_text(item) for key, item in value.items()}
        case list() | tuple():
            return [_as_text(item) for item in value]
    return value
