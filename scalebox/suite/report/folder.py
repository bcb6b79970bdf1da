"""What pages need of a run's folder, read once and kept within bounds.

Only the summary and the results must be there.  Texts (prompts, samples, failing cases) are kept as
long as there is room: of samples that failed before those that passed, and of the first before the
later ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from scalebox.suite import folder as names
from scalebox.suite import results as files
from scalebox.suite.report.texts import visible
from scalebox.suite.results import Evidence, Result, TaskLine
from scalebox.suite.summary import Summary, Timings, is_right
from scalebox.suite.tasks import MAX_EVIDENCE_CHARS, Sample

_PROMPT_CHARS = 4000
_SAMPLE_CHARS = 8000
#: With the word on what was cut.
_CASE_CHARS = MAX_EVIDENCE_CHARS + 100
_MESSAGE_CHARS = 2000

#: Of a text: how soon it is dropped; the greatest first.
Rank = tuple[bool, int, int]
Key = tuple[str, int]
_Line = TypeVar("_Line", bound=Struct)


class Texts(Struct, omit_defaults=True):
    """What a page can show of one sample; empty: there is no such thing.

    Attributes:
        text: the sample's.
        message: about the whole.
        name, verdict, case_message, input, expected, got, error_output: of the failing case.
    """

    text: str = ""
    message: str = ""
    name: str = ""
    verdict: str = ""
    case_message: str = ""
    input: str | None = None
    expected: str | None = None
    got: str | None = None
    error_output: str | None = None


class Shelf:
    """Texts by key, as many as there is room for."""

    def __init__(self, room_chars: int) -> None:
        self._room = room_chars
        self._size = 0
        self._kept: dict[Any, tuple[Rank, Any, int]] = {}
        self._barred: Rank | None = None
        self.dropped: set[Any] = set()

    def put(self, key: Any, rank: Rank, content: Any, size: int) -> None:
        """Add content under a key, in the place of what is there."""
        if self._barred is not None and rank >= self._barred:
            self.dropped.add(key)
            return
        former = self._kept.get(key)
        self._size += size - (former[2] if former else 0)
        self._kept[key] = (rank, content, size)
        if self._size > 2 * self._room:
            self.shrink(self._room)

    def get(self, key: Any) -> Any:
        """What is kept under a key; None: nothing."""
        found = self._kept.get(key)
        return found[1] if found else None

    def shrink(self, room_chars: int) -> None:
        """Drop what there is no room for."""
        self._room = room_chars
        if self._size <= room_chars:
            return
        for key in sorted(self._kept, key=lambda one: self._kept[one][0], reverse=True):
            if self._size <= room_chars:
                break
            self._barred, _, size = self._kept.pop(key)
            self._size -= size
            self.dropped.add(key)

    def items(self) -> Iterator[tuple[Any, Any]]:
        """Keys and contents."""
        return ((key, content) for key, (_, content, _) in self._kept.items())


class Folder:
    """One run, as pages see it.

    Attributes:
        path: of the folder.
        summary, timings, manifest: as written; of timings None, of the manifest {} where none is.
        by_task: the results, in the order of tasks.
        times: CPU seconds of samples.
        prompts: of tasks.
        texts: of samples.
    """

    def __init__(self, path: Path, room_chars: int) -> None:
        """Read it.

        Parameters:
            room_chars: for texts.

        Raises:
            SuiteError: summary or results are missing, or a file is not as it must be.
        """
        self.path = path
        self.summary = files.read_json(path / names.SUMMARY, Summary)
        self.timings = self._optional(names.TIMINGS, lambda at: files.read_json(at, Timings))
        self.manifest = names.manifest_if_any(path)
        self.by_task: dict[str, list[Result]] = {}
        for result in files.read(path / names.RESULTS):
            self.by_task.setdefault(result.task, []).append(result)
        self.times: dict[Key, float] = {}
        self.prompts = Shelf(room_chars // 3)
        self.texts = Shelf(room_chars - room_chars // 3)
        self._ranks = self._ranked()
        self._read_prompts()
        self._read_evidence()
        self._read_samples()
        self.shrink(room_chars)

    def shrink(self, room_chars: int) -> None:
        """Drop texts that there is no room for."""
        self.prompts.shrink(room_chars // 3)
        self.texts.shrink(room_chars - room_chars // 3)

    def is_right(self, result: Result) -> bool:
        """Whether a sample counts as right, by the run's own rule."""
        return is_right(result, self.summary.weak_rule)

    def _ranked(self) -> dict[Key, Rank]:
        return {
            one.key: (self.is_right(one), one.index, place)
            for place, results in enumerate(self.by_task.values())
            for one in results
        }

    def _read_prompts(self) -> None:
        for line in self._lines(names.TASKS, TaskLine):
            if line.id in self.by_task:
                results = self.by_task[line.id]
                rank = min(self._ranks[one.key] for one in results)
                prompt = visible(line.prompt, _PROMPT_CHARS)
                self.prompts.put(line.id, rank, prompt, len(prompt))

    def _read_evidence(self) -> None:
        for line in self._lines(names.EVIDENCE, Evidence):
            if line.key in self._ranks:
                self.times[line.key] = line.cpu_time_s
                self._put(line.key, _of_evidence(line))

    def _read_samples(self) -> None:
        for line in self._lines(names.SAMPLES, Sample, torn=True):
            key = (line.task, line.index)
            if key in self._ranks:
                kept = self.texts.get(key) or Texts()
                # A copy: what is on the shelf was weighed as it was put there.
                text = visible(line.text, _SAMPLE_CHARS)
                self._put(key, msgspec.structs.replace(kept, text=text))

    def _put(self, key: Key, texts: Texts) -> None:
        fields = (getattr(texts, name) for name in Texts.__struct_fields__)
        self.texts.put(key, self._ranks[key], texts, sum(len(one or "") for one in fields))

    def _lines(self, name: str, kind: type[_Line], *, torn: bool = False) -> Iterator[_Line]:
        path = self.path / name
        if path.exists():
            yield from files.read_lines(path, kind, torn=torn)

    def _optional(self, name: str, read: Callable[[Path], Timings]) -> Timings | None:
        path = self.path / name
        return read(path) if path.exists() else None


def _of_evidence(line: Evidence) -> Texts:
    message = visible(line.message, _MESSAGE_CHARS)
    case = line.failing
    # A program that does not compile has cases that were not run, and none that it failed.
    if case is None or not case.verdict.is_about_the_program:
        return Texts(message=message)
    return Texts(
        message=message,
        name=visible(case.name, _MESSAGE_CHARS),
        verdict=case.verdict.value,
        case_message=visible(case.message, _MESSAGE_CHARS),
        input=_cut(case.input),
        expected=_cut(case.expected),
        got=_cut(case.got),
        error_output=_cut(case.error_output),
    )


def _cut(text: str | None) -> str | None:
    return None if text is None else visible(text, _CASE_CHARS)
