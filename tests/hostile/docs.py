"""The table of `docs/security.md`, made from a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bench import results

if TYPE_CHECKING:
    from tests.hostile.run import Seen

DOCUMENT = results.ROOT / "docs" / "security.md"
BEGIN = "<!-- made by `make hostile ARGS=--write-docs`: begin -->"
END = "<!-- end -->"


def summary(found: Sequence[Seen]) -> list[dict[str, Any]]:
    """By level and kind: how many attacks, how many of them that level stops."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for seen in found:
        key = seen.where, seen.program.kind
        row = rows.setdefault(
            key, {"level": key[0], "kind": key[1], "attacks": 0, "stopped": 0, "not_stopped": 0}
        )
        row["attacks"] += 1
        row["stopped" if seen.stopped else "not_stopped"] += 1
    return list(rows.values())


def table(found: Sequence[Seen]) -> str:
    """One line an attack, one column a level."""
    levels = list(dict.fromkeys(seen.where for seen in found))
    by_program: dict[str, dict[str, Seen]] = {}
    for seen in found:
        by_program.setdefault(seen.program.name, {}).setdefault(seen.where, seen)
    lines = [
        "| attack | " + " | ".join(f"`{level}`" for level in levels) + " |",
        "| --- |" + " --- |" * len(levels),
    ]
    for name, at in by_program.items():
        what = next(iter(at.values())).program.header.what
        cells = [_cell(at[level]) if level in at else "" for level in levels]
        lines.append(f"| {what} (`{name}`) | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(seen: Seen) -> str:
    if seen.surprises:
        return "**surprise**"
    return "stopped" if seen.stopped else f"**not stopped**: {seen.why}"


def write(found: Sequence[Seen]) -> None:
    """Put the table between its marks.

    Raises:
        ValueError: the marks are not there.
    """
    text = DOCUMENT.read_text(encoding="utf-8")
    head, rest = text.split(BEGIN)
    _, tail = rest.split(END)
    DOCUMENT.write_text(f"{head}{BEGIN}\n\n{table(found)}\n\n{END}{tail}", encoding="utf-8")
