"""SandboxFusion's `/run_jupyter`: cells, one after the other, in one Jupyter kernel.

The messages are those of bytedance/SandboxFusion:sandbox/server/sandbox_api.py and
sandbox/runners/types.py; what they mean follows sandbox/runners/jupyter.py and
runtime/jupyter/main.py there: the driver has ten seconds beyond `total_timeout`, an error in a cell
does not end the notebook, and a notebook that was not run to its end has failed.  Its client
(PyPI's sandbox-fusion: `run_jupyter`) waits for as long as it takes and asks up to three times
after `SandboxError`.  Here `cell_timeout` counts, and the cells that were run are told in any case.
"""

from __future__ import annotations

import base64
import binascii
import posixpath
from typing import Any, Literal

import anyio.to_thread
from aiohttp import web
from msgspec import Struct

from scalebox.api.compat import notebook, serving
from scalebox.api.compat.notebook import Notebook
from scalebox.api.compat.serving import Deadline
from scalebox.api.context import CONTEXT
from scalebox.config import LimitsConfig
from scalebox.errors import BadRequestError, TooLargeError
from scalebox.model import Blob, Data, Limits, RunRequest, RunResult, RunStatus

_LEAST_S = 0.01
_MOST_CELLS = 10_000
#: More than this is decoded and encoded in a worker thread.
_LARGE_BYTES = 256 << 10


class RunJupyter(Struct, kw_only=True):
    """The body of `/run_jupyter`.

    Attributes:
        cells: their texts.
        cell_timeout: seconds of CPU time of each; 0: there is no such limit.
        total_timeout: seconds of all of them.
        memory_limit_MB: -1: the daemon's own limit.
        kernel: there is but one.
        files: path → base64; null: none.
        fetch_files: paths of files to hand back.
    """

    cells: list[str]
    cell_timeout: float = 0.0
    total_timeout: float = 45.0
    memory_limit_MB: int = -1
    kernel: Literal["python3"] = "python3"
    files: dict[str, str | None] = {}
    fetch_files: list[str] = []


class CellResult(Struct, kw_only=True):
    """What came of one cell; `error` holds what it raised, as the kernel words it."""

    stdout: str = ""
    stderr: str = ""
    display: list[dict[str, Any]] = []
    error: list[dict[str, Any]] = []


class DriverResult(Struct, kw_only=True):
    """The program that spoke to the kernel: as a command of `/run_code`."""

    status: str
    execution_time: float
    return_code: int | None = None
    stdout: str = ""
    stderr: str = ""


class JupyterResult(Struct, kw_only=True):
    """The answer of `/run_jupyter`.

    Attributes:
        status: `Success`: all cells were run, whatever they raised; `Failed`; `SandboxError`, which
            says nothing about them.
    """

    status: str
    message: str = ""
    driver: DriverResult | None = None
    cells: list[CellResult] = []
    executor_pod_name: str | None = None
    files: dict[str, str] = {}


async def run_jupyter(request: web.Request) -> web.StreamResponse:
    """`POST /run_jupyter`."""
    deadline = Deadline()
    wanted = await serving.read(request, RunJupyter)
    if len(wanted.cells) > _MOST_CELLS:
        raise TooLargeError(f"{len(wanted.cells)} cells; at most {_MOST_CELLS}", field="cells")
    try:
        work = await anyio.to_thread.run_sync(_work, wanted, request.app[CONTEXT].config.limits)
        result = await serving.run(request, deadline, work)
    except (BadRequestError, TooLargeError) as error:
        # The original would have tried, and failed: that is no matter of the request's form.
        return serving.answer(JupyterResult(status="SandboxError", message=error.message))
    if len(result.stdout) + sum(map(len, result.files.values())) > _LARGE_BYTES:
        answer = await anyio.to_thread.run_sync(_answer, wanted, result)
    else:
        answer = _answer(wanted, result)
    return serving.answer(answer)


def _work(wanted: RunJupyter, most: LimitsConfig) -> RunRequest:
    """The run that a request means.

    Raises:
        BadRequestError: a file is not base64.
    """
    total_s = max(wanted.total_timeout, _LEAST_S)
    cpu_s = min(total_s + notebook.START_S, most.max_cpu_time_s)
    memory_bytes = None
    if wanted.memory_limit_MB > 0:
        memory_bytes = max(wanted.memory_limit_MB << 20, notebook.LEAST_MEMORY_BYTES)
        memory_bytes = min(memory_bytes, most.max_memory_bytes)
    return notebook.run_request(
        wanted.cells,
        cell_timeout_s=max(wanted.cell_timeout, _LEAST_S) if wanted.cell_timeout > 0 else None,
        limits=Limits(cpu_time_s=cpu_s, memory_bytes=memory_bytes),
        files=_files(wanted.files),
        fetch=[posixpath.normpath(path) for path in wanted.fetch_files],
    )


def _files(sent: dict[str, str | None]) -> dict[str, Data]:
    files: dict[str, Data] = {}
    for path, text in sent.items():
        try:
            content = base64.b64decode(text or "")
        except (binascii.Error, ValueError):
            raise BadRequestError(f"the content of file {path[:100]!r} is not base64") from None
        if text is not None:
            files[posixpath.normpath(path)] = Blob(data=content)
    return files


def _answer(wanted: RunJupyter, result: RunResult) -> JupyterResult:
    if result.status is RunStatus.INTERNAL_ERROR:
        return JupyterResult(status="SandboxError", message=result.message)
    ran = notebook.read(result)
    if ran.missing:
        return JupyterResult(status="SandboxError", message=ran.missing)
    # Under the paths that they were asked for by.
    files = {
        path: base64.b64encode(result.files[found]).decode()
        for path in wanted.fetch_files
        if (found := posixpath.normpath(path)) in result.files
    }
    return JupyterResult(
        status="Success" if ran.done else "Failed",
        message="" if ran.done else _why(ran, result),
        driver=_driver(ran, result),
        cells=[_cell(cell) for cell in ran.cells],
        files=files,
    )


def _why(ran: Notebook, result: RunResult) -> str:
    cell = len(ran.cells) - 1
    if ran.cells[-1].ending == "late":
        return f"cell {cell} took longer than it may"
    return result.message or f"the kernel ended in cell {cell}"


def _driver(ran: Notebook, result: RunResult) -> DriverResult:
    late = not ran.done and ran.cells[-1].ending == "late"
    return DriverResult(
        status="TimeLimitExceeded" if late else "Finished",
        execution_time=result.wall_time_s,
        return_code=None if late else 0 if ran.done else 1,
        stderr="" if ran.done else _why(ran, result),
    )


def _cell(cell: notebook.Cell) -> CellResult:
    shown = [out.data for out in cell.outputs if out.type in ("display_data", "execute_result")]
    raised = [
        {"ename": out.ename, "evalue": out.evalue, "traceback": out.traceback}
        for out in cell.outputs
        if out.type == "error"
    ]
    return CellResult(
        stdout=cell.stream("stdout"), stderr=cell.stream("stderr"), display=shown, error=raised
    )
