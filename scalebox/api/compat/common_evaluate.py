"""The original ScaleBox's evaluation, and SandboxFusion's datasets.

`/common_evaluate` and `/common_evaluate_batch` are icip-cas/ScaleBox's
(sandbox/server/online_judge_api.py), the other paths SandboxFusion's, from which it descends.
Their clients: integrations/verl/scalebox.py there waits for both limits and ten seconds, asks again
after 500 and 504 (its forerunner after 504 alone), and takes any other failure for the program's;
eval/utils/evaluate.py there waits for `total_timeout` and longer; the `sandbox-fusion` client on
PyPI waits as long as it takes and asks again, up to five times, after everything but 200.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

from aiohttp import web
from anyio import to_thread
from msgspec import Struct, field

from scalebox.api.codec import JSON
from scalebox.api.compat import evaluation, extracting, given, rows, serving
from scalebox.api.compat.datasets import Dataset, open_datasets
from scalebox.api.compat.evaluation import Evaluate, Task, Wanted
from scalebox.api.compat.serving import Deadline, DeadlineError, Protocol
from scalebox.api.context import CONTEXT, ApiContext
from scalebox.errors import (
    BadRequestError,
    QueueFullError,
    ScaleboxError,
    TooLargeError,
    UnavailableError,
)
from scalebox.model import Blob, Limits, Report, Submission

T = TypeVar("T")
Of = TypeVarTuple("Of")

DATASETS = web.AppKey("datasets", dict[str, Dataset])

#: What a client waits for beyond both limits.
_CLIENT_EXTRA_S = 10.0
_COMPILE_TIMEOUT_S = 10.0
#: `total_timeout`, where a request has none.
_TOTAL_TIMEOUT_S = 300.0
_LEAST_S, _LEAST_MEMORY_BYTES = 0.01, 4 << 20
#: A request that is larger is taken apart in a thread.
_LARGE_BYTES = 64 << 10
#: With more cases than that, only the outputs of those that failed are told.
_MANY_CASES = 100
#: What prompts may come to in one answer.
_MOST_PROMPTS_BYTES = 64 << 20


class AskPrompts(Struct, kw_only=True):
    """The body of `/get_prompts` and `/list_ids`."""

    dataset: str = ""
    config: Wanted = field(default_factory=Wanted)
    offset: int = 0
    limit: int = 1_000_000


class AskPrompt(Struct, kw_only=True):
    """The body of `/get_prompt_by_id`."""

    dataset: str = ""
    config: Wanted = field(default_factory=Wanted)
    id: int | str


class One(Struct, kw_only=True):
    """Of a result what `/get_metrics` counts."""

    id: int | str
    accepted: bool


class AskMetrics(Struct, kw_only=True):
    """The body of `/get_metrics`."""

    dataset: str = ""
    results: list[One] = []


class UnknownRowError(ScaleboxError):
    """A dataset has no row of that id."""

    code = "unknown_row"
    http_status = 404


class UnknownDatasetError(ScaleboxError):
    """No dataset of that name is configured."""

    code = "unknown_dataset"
    http_status = 400


async def common_evaluate(request: web.Request) -> web.StreamResponse:
    """`POST /common_evaluate` and `/common_evaluate_batch`: the tests come with the completion."""
    deadline = Deadline()
    wanted = await serving.read(request, Evaluate)
    task = await _apart(request, given.task_of, wanted.config)
    return await _evaluate(request, deadline, wanted, task)


async def submit(request: web.Request) -> web.StreamResponse:
    """`POST /submit`: the tests are those of a dataset's row."""
    deadline = Deadline()
    wanted = await serving.read(request, Evaluate)
    row = await _row(request, wanted.dataset, wanted.id, wanted.config)
    task = await to_thread.run_sync(rows.task_of, row, wanted.config)
    return await _evaluate(request, deadline, wanted, task)


async def _evaluate(
    request: web.Request, deadline: Deadline, wanted: Evaluate, task: Task
) -> web.Response:
    config = wanted.config
    compile_s = _above_zero(config.compile_timeout, _COMPILE_TIMEOUT_S)
    run_s = _above_zero(config.run_timeout, task.limits.cpu_time_s or task.run_timeout_s)
    total_s = _above_zero(config.setting("total_timeout"), _TOTAL_TIMEOUT_S)
    deadline.after(max(compile_s + run_s + _CLIENT_EXTRA_S, total_s))
    if logic := config.custom_extract_logic:
        code = await extracting.found_by(logic, request, deadline, wanted.completion, task.language)
    else:
        code = await _apart(request, extracting.found_in, wanted.completion, task.language)
    if not code:
        return serving.answer(evaluation.without_code(wanted, task))
    source = await _apart(request, task.whole, code)
    submission = _submission(request.app[CONTEXT], config, task, source, run_s)
    report = await serving.judge(request, deadline, submission, partial=True)
    limit_s = submission.limits.cpu_time_s or run_s
    evaluation.settle(report, config, budget_s=total_s, case_s=limit_s)
    if len(report.cases) <= _MANY_CASES:
        return serving.answer(evaluation.evaluated(wanted, task, code, source, report))
    return _encoded(await to_thread.run_sync(_told, wanted, task, code, source, report))


def _told(wanted: Evaluate, task: Task, code: str, source: str, report: Report) -> bytes:
    return JSON.encode(evaluation.evaluated(wanted, task, code, source, report))


def _encoded(body: bytes) -> web.Response:
    return web.Response(body=body, headers={"Content-Type": JSON.content_type})


def _submission(
    context: ApiContext, config: Wanted, task: Task, source: str, run_s: float
) -> Submission:
    most = context.config.limits
    memory = task.limits.memory_bytes
    if config.memory_limit_mb and config.memory_limit_mb > 0:
        size = min(config.memory_limit_mb * (1 << 20), float(most.max_memory_bytes))
        memory = max(int(size), _LEAST_MEMORY_BYTES)
    limits = {name: getattr(task.limits, name) for name in Limits.__struct_fields__}
    limits["cpu_time_s"] = min(max(run_s, _LEAST_S), most.max_cpu_time_s)
    limits["memory_bytes"] = memory
    return Submission(
        language=task.language,
        source=source,
        files={path: _file(path, text) for path, text in (task.files or {}).items()},
        tests=task.tests,
        limits=Limits(**limits),
        stop="never" if config.run_all_cases else "first_failure",
        return_output="all" if len(task.tests.cases) <= _MANY_CASES else "failed",
    )


def _file(path: str, text: str) -> Blob:
    try:
        return Blob(data=base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        raise BadRequestError(
            f"the content of file {path[:100]!r} is not base64", field="test.asset"
        ) from None


async def list_datasets(request: web.Request) -> web.StreamResponse:
    """`GET /list_datasets`: their names."""
    datasets = request.app[DATASETS]
    return serving.answer(sorted(datasets))


async def list_ids(request: web.Request) -> web.StreamResponse:
    """`POST /list_ids`: a dataset's ids, in their order."""
    asked = await serving.read(request, AskPrompts)
    if asked.config.provided_data is not None:
        return serving.answer([rows.id_of(row) for row in _given_rows(asked.config)])
    return serving.answer(_page(_dataset(request, asked.dataset).ids, asked))


async def get_prompts(request: web.Request) -> web.StreamResponse:
    """`POST /get_prompts`: what a model is to be asked, for a dataset's rows."""
    asked = await serving.read(request, AskPrompts)
    if asked.config.provided_data is not None:
        found = [rows.prompt_of(row, asked.config) for row in _given_rows(asked.config)]
        return serving.answer(found)
    dataset = _dataset(request, asked.dataset)
    body = await to_thread.run_sync(_prompts, dataset, _page(dataset.ids, asked), asked.config)
    return _encoded(body)


async def get_prompt_by_id(request: web.Request) -> web.StreamResponse:
    """`POST /get_prompt_by_id`: the same for one row."""
    asked = await serving.read(request, AskPrompt)
    row = await _row(request, asked.dataset, asked.id, asked.config)
    return serving.answer(rows.prompt_of(row, asked.config))


async def get_metrics(request: web.Request) -> web.StreamResponse:
    """`POST /get_metrics`: the share of accepted results, of each problem and then of all."""
    asked = await serving.read(request, AskMetrics)
    by_id: dict[int | str, list[bool]] = {}
    for result in asked.results:
        by_id.setdefault(result.id, []).append(result.accepted)
    if not by_id:
        return serving.answer({})
    shares = [sum(several) / len(several) for several in by_id.values()]
    return serving.answer({"Pass@k=1": sum(shares) / len(shares)})


async def get_metrics_function(request: web.Request) -> web.StreamResponse:
    """`POST /get_metrics_function`: no code of ours is for clients to run."""
    await serving.read(request, AskMetrics)
    return serving.answer({"function": None})


async def ping(_: web.Request) -> web.StreamResponse:
    """`GET /v1/ping`."""
    return serving.answer("pong")


def _prompts(dataset: Dataset, ids: list[int | str], config: Wanted) -> bytes:
    parts, size = [], 0
    for id in ids:
        row = dataset.row(id)
        if row is None:
            continue
        parts.append(JSON.encode(rows.prompt_of(row, config)))
        size += len(parts[-1])
        if size > _MOST_PROMPTS_BYTES:
            raise TooLargeError(
                f"the prompts come to more than {_MOST_PROMPTS_BYTES} bytes; ask for fewer at a "
                "time, with `offset` and `limit`",
                field="limit",
            )
    return b"[" + b",".join(parts) + b"]"


def _page(ids: list[int | str], asked: AskPrompts) -> list[int | str]:
    first = max(asked.offset, 0)
    return ids[first : first + max(asked.limit, 0)]


async def _row(request: web.Request, name: str, id: int | str, config: Wanted) -> rows.Row:
    given_row = config.provided_data
    if given_row is not None:
        if not isinstance(given_row, dict):
            raise BadRequestError("expected an object, a row", field="config.provided_data")
        return given_row
    dataset = _dataset(request, name)
    row = await to_thread.run_sync(dataset.row, id)
    if row is None:
        raise UnknownRowError(f"dataset {name[:200]!r} has no row with the id {str(id)[:200]!r}")
    return row


def _given_rows(config: Wanted) -> list[rows.Row]:
    data = config.provided_data
    if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
        raise BadRequestError("expected a list of objects, rows", field="config.provided_data")
    return data


def _dataset(request: web.Request, name: str) -> Dataset:
    datasets = request.app[DATASETS]
    found = datasets.get(name)
    if found is None:
        raise UnknownDatasetError(
            f"no eval class found for dataset {name[:200]!r}; [compat.datasets] has "
            f"{', '.join(datasets) or 'none'}"
        )
    return found


def _above_zero(value: object, default: float) -> float:
    """A number of a request, where it is one that means something."""
    if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
        return min(float(value), serving.MAX_HOLD_S)
    return default


async def _apart(request: web.Request, work: Callable[[*Of], T], *of: *Of) -> T:
    """Work on a request: in a thread if it may take long."""
    if (request.content_length or _LARGE_BYTES) >= _LARGE_BYTES:
        return await to_thread.run_sync(work, *of)
    return work(*of)


def refuse(request: web.BaseRequest, error: ScaleboxError) -> web.Response:
    """As FastAPI words it; 504 for what is worth asking again."""
    if isinstance(error, DeadlineError | QueueFullError | UnavailableError):
        return serving.answer({"detail": error.message}, status=504)
    if isinstance(error, UnknownDatasetError):
        return serving.answer({"detail": error.message}, status=error.http_status)
    return serving.unprocessable(request, error)


def prepare(app: web.Application) -> None:
    """Open the datasets.

    Raises:
        ConfigError: one of them cannot be used.
    """
    config = app[CONTEXT].config
    app[DATASETS] = open_datasets(config.compat.datasets, config.store_directory())


PROTOCOL = Protocol(
    "common_evaluate",
    (
        ("POST", "/common_evaluate", common_evaluate),
        ("POST", "/common_evaluate_batch", common_evaluate),
        ("POST", "/submit", submit),
        ("GET", "/list_datasets", list_datasets),
        ("POST", "/list_datasets", list_datasets),
        ("POST", "/list_ids", list_ids),
        ("POST", "/get_prompts", get_prompts),
        ("POST", "/get_prompt_by_id", get_prompt_by_id),
        ("POST", "/get_metrics", get_metrics),
        ("POST", "/get_metrics_function", get_metrics_function),
        ("GET", "/v1/ping", ping),
    ),
    refuse,
    prepare,
)
