"""Reports of runs for people: a page that stands alone, and Markdown.

Made from what stands in a run's folder and from nothing else, so they can be made anew at any time.
"""

from __future__ import annotations

from pathlib import Path

from scalebox.suite import comparison, results
from scalebox.suite.errors import SuiteError
from scalebox.suite.journal import write_whole
from scalebox.suite.report import browse, html, markdown
from scalebox.suite.report.folder import Folder

PAGE, TEXT, COMPARISON = "report.html", "report.md", "comparison.json"


def write(folder: Path) -> list[Path]:
    """Write `report.html` and `report.md` into a run's folder.

    Parameters:
        folder: with `summary.json` and `results.jsonl`; of the other files what is there is shown.

    Returns:
        The files.

    Raises:
        SuiteError: one of the two is missing, a file is not as it must be, or cannot be written.
    """
    run = Folder(folder, browse.ROOM_CHARS)
    text = markdown.run_text(run)
    return _written(folder, html.run_page(run), text)


def write_comparison(before: Path, after: Path, out: Path, *, anyway: bool = False) -> list[Path]:
    """Write `report.html`, `report.md` and `comparison.json` of two runs.

    Parameters:
        before, after: folders of runs.
        out: a folder; it is made where it is missing.
        anyway: also where benchmark or data are not the same.

    Returns:
        The files.

    Raises:
        SuiteError: the runs cannot be compared, a file is missing or is not as it must be, or one
            cannot be written.
    """
    found = comparison.compare(
        comparison.open_run(before), comparison.open_run(after), anyway=anyway
    )
    first, second = (Folder(folder, browse.ROOM_CHARS // 2) for folder in (before, after))
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SuiteError(f"{out} cannot be made: {error.strerror}") from error
    results.write_json(out / COMPARISON, found)
    written = _written(
        out, html.comparison_page(first, second, found), markdown.comparison_text(found)
    )
    return [*written, out / COMPARISON]


def _written(folder: Path, page: bytes, text: str) -> list[Path]:
    write_whole(folder / PAGE, [page])
    write_whole(folder / TEXT, [text.encode("utf-8", "replace")])
    return [folder / PAGE, folder / TEXT]
