"""Notebooks as one run of the judge's Python: what is asked of `inside/notebook.py`, what it says.

The cells of a notebook share a kernel, so what a cell does to it the later ones see, and whatever
comes out of the run is read as hostile data: a line that is not as it should be is passed over, and
a notebook counts as finished only if the driver has said so of every cell.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
from msgspec import Struct

from scalebox.api.compat import inside
from scalebox.model import Data, Limits, RunRequest, RunResult, RunStatus

#: What starting a kernel may take beyond what its cells may.
START_S = 10.0
#: A cell that waits is ended by the clock: later, by so much, than one that computes.
WALL_FACTOR, WALL_EXTRA_S = 2.0, 5.0
#: A kernel without any cell needs about a tenth of it.
LEAST_MEMORY_BYTES = 256 << 20
#: More is not read: a cell can say a million things in a few megabytes.
_MOST_RECORDS = 200_000

Ending = Literal["ok", "error", "late", "died"]


class Output(Struct, kw_only=True):
    """One message of a kernel's (jupyter_client's messaging specification).

    Attributes:
        type: `stream`, `display_data`, `execute_result` or `error`.
        name, text: of a stream: `stdout` or `stderr`, and what was written.
        data: of what is displayed: MIME type → content.
        ename, evalue, traceback: of an error.
    """

    type: Literal["stream", "display_data", "execute_result", "error"]
    name: str = ""
    text: str = ""
    data: dict[str, Any] = {}
    ename: str = ""
    evalue: str = ""
    traceback: list[str] = []


class Cell(Struct, kw_only=True):
    """What came of one cell.

    Attributes:
        outputs: its messages, in their order.
        ending: `late`: it took longer than it may; `died`: the kernel ended in it; empty: it was
            not done when the run was over.
    """

    outputs: list[Output] = []
    ending: Ending | Literal[""] = ""

    def stream(self, name: str) -> str:
        """What was written to `stdout` or `stderr`."""
        return "".join(
            out.text for out in self.outputs if out.type == "stream" and out.name == name
        )


class Notebook(Struct, kw_only=True):
    """What came of a run.

    Attributes:
        cells: those that were begun.
        done: whether all were run.
        missing: why there is no kernel here, and the remedy; empty: there is one.
    """

    cells: list[Cell] = []
    done: bool = False
    missing: str = ""


def run_request(
    cells: Sequence[str],
    *,
    cell_timeout_s: float | None,
    cell_wall_s: float | None = None,
    limits: Limits,
    files: Mapping[str, Data] | None = None,
    fetch: Sequence[str] = (),
    traceback: str | None = None,
    silent: int = 0,
) -> RunRequest:
    """The run that a notebook is.

    Parameters:
        cells: their texts.
        cell_timeout_s: CPU time of one; None: only the run's own limits count.
        cell_wall_s: how long one may take by the clock; None: it follows from the other.
        limits: of the run as a whole, the kernel's start included.
        files: to lay out beside it.
        fetch: paths of files to hand back.
        silent: of so many first cells only the ending is told.
        traceback: how IPython words tracebacks: `Plain`, `Context`, `Verbose` or `Minimal`.
    """
    wall_s = cell_wall_s
    if wall_s is None and cell_timeout_s is not None:
        wall_s = cell_timeout_s * WALL_FACTOR + WALL_EXTRA_S
    header = {
        "cpu_s": cell_timeout_s, "wall_s": wall_s, "traceback": traceback, "silent": silent,
    }  # fmt: skip
    lines = [json.dumps(line) for line in (header, *cells)]
    return RunRequest(
        language="python",
        source=inside.source("notebook"),
        stdin="\n".join([*lines, ""]),
        files=dict(files or {}),
        fetch=list(fetch),
        limits=limits,
    )


def read(result: RunResult) -> Notebook:
    """What a run of `run_request` says."""
    notebook = Notebook()
    for line in result.stdout.split(b"\n", _MOST_RECORDS)[:_MOST_RECORDS]:
        try:
            record = msgspec.json.decode(line)
        except (msgspec.DecodeError, RecursionError):
            continue
        _take(notebook, record)
    if not notebook.done and not notebook.missing:
        _say_how_it_ended(notebook, result)
    return notebook


def _take(notebook: Notebook, record: Any) -> None:
    cells = notebook.cells
    match record:
        case ["done"]:
            notebook.done = True
        case ["missing", str(why)]:
            notebook.missing = (
                f"there is no Jupyter kernel in the Python that runs submissions ({why[:300]}): "
                "install ipykernel and jupyter_client for it (Debian: python3-ipykernel, "
                "python3-jupyter-client), or name a Python that has them as `interpreter` in "
                "[languages.python]"
            )
        case ["end", int(number), ("ok" | "error" | "late" | "died") as ending]:
            _begin(cells, number)
            cells[-1].ending = ending
        case [int(number), dict(message)] if number in (len(cells) - 1, len(cells)):
            try:
                output = msgspec.convert(message, Output)
            except msgspec.ValidationError:
                return
            _begin(cells, number)
            cells[-1].outputs.append(output)


def _begin(cells: list[Cell], number: int) -> None:
    # Numbers come from the driver, one after the other.
    if number == len(cells):
        cells.append(Cell())


def _say_how_it_ended(notebook: Notebook, result: RunResult) -> None:
    """The run was over before the last cell was; the sandbox knows more than the driver."""
    cells = notebook.cells
    if not cells or cells[-1].ending in ("ok", "error"):
        cells.append(Cell())
    if not cells[-1].ending:
        late = result.status is RunStatus.TIME_LIMIT_EXCEEDED
        cells[-1].ending = "late" if late else "died"
