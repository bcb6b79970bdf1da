"""The table of problems as data: what a page's program filters, sorts and opens.

One task a row, with its samples as short lists of numbers; texts apart, so that what there is no
room for can be left out.  The whole is JSON in a script tag, in which no `<` is left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from scalebox.model import Integrity, Verdict
from scalebox.suite.report.folder import Folder, Texts
from scalebox.suite.report.texts import name
from scalebox.suite.results import Result

#: Of one page, its whole data.
MAX_BYTES = 30_000_000
#: For texts, before they are JSON.
ROOM_CHARS = 24_000_000
MAX_TASKS = 20_000
MAX_SAMPLES = 200_000
_VERDICTS = {one: place for place, one in enumerate(Verdict)}
_GROUPS, _VALUE_CHARS, _FINISH_CHARS, _PART_CHARS = 6, 60, 20, 100
_PASSED = {True: "passed", False: "failed"}


def data_of(
    folders: Sequence[Folder], titles: Sequence[str], states: Callable[[str], str] | None = None
) -> tuple[bytes, list[str]]:
    """The data of a page, and what a reader should know of it.

    Parameters:
        folders: the run, or the two that are compared; their tasks are those of the last that the
            first has as well.
        titles: of the runs.
        states: task → a word for it, to filter by; None: tasks have none.
    """
    tasks = [one for one in folders[-1].by_task if one in folders[0].by_task]
    notes = []
    if len(tasks) > MAX_TASKS:
        notes.append(f"The table has the first {MAX_TASKS:,} of {len(tasks):,} problems.")
        tasks = tasks[:MAX_TASKS]
    most = max(1, MAX_SAMPLES // max(1, len(tasks)) // len(folders))
    if any(len(folder.by_task[task]) > most for folder in folders for task in tasks):
        notes.append(f"The table has the first {most:,} samples of each problem.")
    groups = _group_names(folders[-1], tasks)
    page = {
        "sides": [name(title) for title in titles],
        "verdicts": [one.value for one in Verdict],
        "groups": [name(one) for one in groups],
        "tasks": [
            [
                name(task),
                [_value(folders[-1], task, one) for one in groups],
                [
                    _sample(side, folder, result)
                    for side, folder in enumerate(folders)
                    for result in folder.by_task[task][:most]
                ],
                states(task) if states else "",
            ]
            for task in tasks
        ],
    }
    return _fitting(page, folders, tasks, most, notes), notes


def _sample(side: int, folder: Folder, result: Result) -> list[Any]:
    time_s = folder.times.get(result.key)
    return [
        side,
        result.index,
        _VERDICTS[result.verdict],
        int(folder.is_right(result)),
        result.passed,
        result.total,
        None if time_s is None else round(time_s, 4),
        result.completion_tokens,
        int(result.integrity is Integrity.WEAK),
        name(result.finish)[:_FINISH_CHARS],
        ", ".join(f"{one} {_PASSED[passed]}" for one, passed in result.parts.items())[:_PART_CHARS],
    ]


def _fitting(
    page: dict[str, Any], folders: Sequence[Folder], tasks: list[str], most: int, notes: list[str]
) -> bytes:
    room = ROOM_CHARS
    while True:
        texts = {
            f"{place}/{side}/{result.index}": found
            for place, task in enumerate(tasks)
            for side, folder in enumerate(folders)
            for result in folder.by_task[task][:most]
            if (found := folder.texts.get(result.key)) not in (None, Texts())
        }
        prompts = {
            str(place): found
            for place, task in enumerate(tasks)
            if (found := folders[-1].prompts.get(task) or folders[0].prompts.get(task))
        }
        encoded = script(msgspec.json.encode({**page, "prompts": prompts, "texts": texts}))
        if len(encoded) <= MAX_BYTES or not (texts or prompts):
            break
        room = room * 2 // 3
        for folder in folders:
            folder.shrink(room // len(folders))
    dropped = sum(len(folder.texts.dropped) + len(folder.prompts.dropped) for folder in folders)
    if dropped:
        notes.append(
            f"{dropped:,} texts are not on this page, of passing and later samples first: it would "
            "be too large. They are in the run's samples.jsonl, evidence.jsonl and tasks.jsonl."
        )
    return encoded


def script(encoded: bytes) -> bytes:
    """JSON as it can stand in a script tag: no `<` ends the tag or opens a comment."""
    for sign in b"<>&":
        encoded = encoded.replace(bytes([sign]), b"\\u%04x" % sign)
    return encoded


def _value(folder: Folder, task: str, group: str) -> str:
    return name(folder.by_task[task][0].groups.get(group, ""))[:_VALUE_CHARS]


def _group_names(folder: Folder, tasks: Sequence[str]) -> list[str]:
    found = dict.fromkeys(one for task in tasks for one in folder.by_task[task][0].groups)
    return list(found)[:_GROUPS]
