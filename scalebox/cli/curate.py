"""`scalebox judges classify|infer|generate|prove`: special judges for the problems of a file."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO, TypeVar

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from scalebox.cli.options import async_connected, daemon_options, read_source
from scalebox.cli.render import printable
from scalebox.client.problems import ProblemFileError
from scalebox.errors import ScaleboxError
from scalebox.judges.directory import shipped
from scalebox.model import FunctionJudge, NamedJudge
from scalebox.specialjudges.budget import Budget
from scalebox.specialjudges.curation import Curator, Made, over
from scalebox.specialjudges.endpoint import Endpoint, EndpointSettings
from scalebox.specialjudges.material import Material, read_materials
from scalebox.specialjudges.work import Work

F = TypeVar("F", bound=Callable[..., Any])
Row = dict[str, Any]
_WORK = Path("scalebox-judges.sqlite")
#: Longer tables are left to --out.
_SHOWN_ROWS = 200
_FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the options of a command say.

    Attributes:
        file: of problems.
        only: their ids; none: all.
        work: the file of finished steps.
        at_once: problems at a time.
        out: where rows go, as JSON; None: nowhere.
        daemon: socket, URL, token, private.
    """

    file: Path
    only: tuple[str, ...]
    work: Path
    at_once: int
    out: TextIO | None
    daemon: tuple[Path | None, str | None, str | None, bool]


def curation_options(command: F) -> F:
    """Adds FILE and the options of `Asked`, but for the daemon's."""
    for option in (
        click.option(
            "--out", type=click.File("w"), help="Write one JSON object a problem to this file."
        ),
        click.option(
            "--at-once", type=click.IntRange(1, 64), default=4, show_default=True,
            help="So many problems at a time.",
        ),
        click.option(
            "--work", type=click.Path(dir_okay=False, path_type=Path), default=_WORK,
            show_default=True, help="The file of finished steps: what is in it is not done again.",
        ),
        click.option("--only", multiple=True, metavar="ID", help="Only this problem; repeatable."),
        click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path)),
    ):  # fmt: skip
        command = option(command)
    return daemon_options(command)


def endpoint_options(*, required: bool) -> Callable[[F], F]:
    """Adds the options by which a model is found."""

    def add(command: F) -> F:
        for option in (
            click.option("--max-tokens", type=click.IntRange(min=1), help="Then the work ends."),
            click.option("--max-requests", type=click.IntRange(min=1), help="Then the work ends."),
            click.option(
                "--timeout", "timeout_s", type=click.FloatRange(min=1), default=300.0,
                show_default=True, help="Of one request, seconds.",
            ),
            click.option(
                "--temperature", type=click.FloatRange(0, 2), help="Else the endpoint's own."
            ),
            click.option(
                "--api-key-variable", default="", metavar="NAME",
                help="The environment variable that holds the key; none: no key is needed.",
            ),
            click.option("--model", required=required, help="Its name there."),
            click.option(
                "--base-url", required=required,
                help="Of an OpenAI-compatible API: http://host:port/v1.",
            ),
        ):  # fmt: skip
            command = option(command)
        return command

    return add


def _endpoint(options: dict[str, Any]) -> Endpoint | None:
    """The model that the options name; None: they name none.

    Raises:
        click.UsageError: they name half of one.
    """
    names = ("base_url", "model", "api_key_variable", "temperature", "timeout_s")
    settings = {name: options.pop(name) for name in names}
    budget = Budget(max_requests=options.pop("max_requests"), max_tokens=options.pop("max_tokens"))
    if settings["base_url"] is None and settings["model"] is None:
        return None
    if settings["base_url"] is None or settings["model"] is None:
        raise click.UsageError("--base-url and --model belong together; give both, or neither")
    try:
        return Endpoint(msgspec.convert(settings, EndpointSettings), budget=budget)
    except msgspec.ValidationError as error:
        raise click.UsageError(f"this is no endpoint: {error}") from error


def _asked(options: dict[str, Any]) -> Asked:
    daemon = tuple(options.pop(name) for name in ("socket", "url", "token", "private"))
    return Asked(daemon=daemon, **options)


@click.command()
@endpoint_options(required=False)
@curation_options
def classify(**options: Any) -> None:
    """Say of each problem in FILE whether it needs a special judge, and which kind.

    With --base-url and --model a model is asked, too.
    """
    endpoint = _endpoint(options)

    async def step(curator: Curator, material: Material) -> Row:
        found = await curator.classify(material, endpoint)
        row: Row = {
            "needs": "a judge" if found.needs_judge else "none",
            "kind": found.kind,
            "confidence": found.confidence,
            "signs": "; ".join(found.signs),
        }
        if endpoint is not None:
            row["model"] = "" if found.opinion is None else found.opinion.reason
        return row

    _conclude(_each(_asked(options), "classify", step, endpoint), "needs")


@click.command()
@curation_options
def infer(**options: Any) -> None:
    """Find for each problem in FILE the strictest judge that ships and fits its programs."""

    async def step(curator: Curator, material: Material) -> Row:
        if material.interactive:
            return {"judge": "none", "reason": "programs talk with their judge"}
        found = await curator.infer(material)
        return {"judge": judge_text(found.judge), "reason": found.reason}

    _conclude(_each(_asked(options), "infer", step), "judge")


@click.command()
@endpoint_options(required=True)
@click.option(
    "--candidates",
    type=click.IntRange(1, 20),
    default=3,
    show_default=True,
    help="Judges of each problem, independent of each other.",
)
@click.option(
    "--repairs",
    type=click.IntRange(0, 20),
    default=2,
    show_default=True,
    help="How often each may be asked again, with counter-examples.",
)
@click.option(
    "--all",
    "every",
    is_flag=True,
    help="Also where no special judge is needed, or one that ships will do.",
)
@curation_options
def generate(candidates: int, repairs: int, every: bool, **options: Any) -> None:
    """Let a model write special judges for the problems in FILE that need one.

    Nothing that a model writes is believed: `prove` says which of them hold.
    """
    endpoint = _endpoint(options)
    assert endpoint is not None, "its options are required"

    async def step(curator: Curator, material: Material) -> Row:
        if why := await _needs_none(curator, material, every):
            return {"judges": why}
        found = await curator.generate(material, endpoint, candidates=candidates, repairs=repairs)
        states = Counter(one.state if one.ended == "done" else one.ended for one in found)
        return {
            "judges": ", ".join(f"{state}: {count}" for state, count in states.items()),
            "requests": sum(len(one.requests) for one in found),
            "tokens": sum(one.tokens_in + one.tokens_out for one in found),
            "problems": "; ".join(words for one in found for words in one.problems[-1:]),
        }

    _conclude(_each(_asked(options), "generate", step, endpoint), "judges")


async def _needs_none(curator: Curator, material: Material, every: bool) -> str:
    """Why no judge is to be made; empty: one is."""
    if material.interactive:
        return "programs talk with their judge"
    if every:
        return ""
    if not (await curator.classify(material)).needs_judge:
        return "none is needed"
    found = await curator.infer(material)
    return "" if found.judge is None else f"{judge_text(found.judge)} will do"


@click.command()
@click.option("--own", is_flag=True, help="Those that come with the problems, too.")
@click.option(
    "--judge",
    "files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A Python file with such a function; of one problem, named by --only.  Repeatable.",
)
@click.option(
    "--keep/--no-keep",
    default=True,
    show_default=True,
    help="Put judges and proofs into the daemon's store.",
)
@click.option(
    "--promote",
    is_flag=True,
    help="Make what is proven the problem's own judge: `problem:ID` is its name.",
)
@curation_options
def prove(own: bool, files: tuple[Path, ...], keep: bool, promote: bool, **options: Any) -> None:
    """Try to refute the judges that were inferred and generated for the problems in FILE.

    What cannot be refuted is proven.
    """
    if promote and not keep:
        raise click.UsageError("--promote needs the store; leave --no-keep out")
    asked = _asked(options)
    if files and len(asked.only) != 1:
        raise click.UsageError("--judge is for one problem; name it with --only ID")
    given = [
        Made(judge=FunctionJudge(source=read_source(file)), source="uploaded") for file in files
    ]

    async def step(curator: Curator, material: Material) -> Row:
        if material.interactive:
            return {"proven": "none", "why": "programs talk with their judge"}
        made = [*given, *await curator.made(material, own=own)]
        if not made:
            return {"proven": "none", "why": "there is no judge: infer, generate, or --own"}
        proofs = await curator.prove(material, made)
        states = []
        # One is enough for a problem; the first that holds is promoted.
        promoting = promote
        for one, proof in zip(made, proofs, strict=True):
            if keep:
                states.append(await curator.keep(material, one, proof, promote=promoting))
            promoting = promoting and not proof.holds
        return {
            "proven": f"{sum(proof.holds for proof in proofs)} of {len(proofs)}",
            "judges": ", ".join(_made_text(one) for one in made),
            "states": ", ".join(states),
            "why": "; ".join(words for proof in proofs for words in proof.refuted_by[:1]),
        }

    _conclude(_each(asked, "prove", step), "proven")


def _made_text(made: Made) -> str:
    name = judge_text(made.judge) if isinstance(made.judge, NamedJudge) else made.source
    return f"{name} by {made.model}" if made.model else name


def judge_text(judge: NamedJudge | None) -> str:
    """A judge that ships, in few words."""
    if judge is None:
        return "none"
    given = ", ".join(f"{name}={value}" for name, value in judge.parameters.items())
    return f"{judge.name}({given})" if given else judge.name


def _each(
    asked: Asked,
    stage: str,
    step: Callable[[Curator, Material], Awaitable[Row]],
    endpoint: Endpoint | None = None,
) -> list[Row]:
    """Take a step for each problem, with a progress bar; rows in the order of the file."""

    async def work() -> list[Row]:
        async with contextlib.AsyncExitStack() as stack:
            if endpoint is not None:
                await stack.enter_async_context(endpoint)
            return await _each_async(asked, stage, step)

    return asyncio.run(work())


async def _each_async(
    asked: Asked, stage: str, step: Callable[[Curator, Material], Awaitable[Row]]
) -> list[Row]:
    refused: list[Row] = []
    materials = list(_materials(asked, refused))
    rows: dict[str, Row] = {}
    bar = Progress(
        TextColumn(stage), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=Console(stderr=True), transient=True,
    )  # fmt: skip
    with Work(asked.work) as work:
        async with async_connected(*asked.daemon) as client:
            languages = frozenset(one.name for one in await client.languages() if one.available)
            curator = Curator(client, work, shipped(), languages)
            with bar:
                task = bar.add_task("", total=len(materials))
                steps = over(materials, lambda one: step(curator, one), at_once=asked.at_once)
                async for material, outcome in steps:
                    rows[material.id] = _row(material.id, outcome, asked.out)
                    bar.advance(task)
    return [*(rows[material.id] for material in materials), *refused]


def _materials(asked: Asked, refused: list[Row]) -> Iterator[Material]:
    for found in read_materials(asked.file):
        if isinstance(found, ProblemFileError):
            if not asked.only:
                refused.append(_row("", found, asked.out))
        elif not asked.only or found.id in asked.only:
            yield found


def _row(problem: str, outcome: Row | ScaleboxError, out: TextIO | None) -> Row:
    row: Row = {"problem": problem}
    row |= {_FAILED: outcome.message} if isinstance(outcome, ScaleboxError) else outcome
    if out is not None:
        # At once: what is done is there, whatever happens to the rest.
        out.write(msgspec.json.encode(row).decode() + "\n")
        out.flush()
    return row


def _conclude(rows: Sequence[Row], key: str) -> None:
    """Print the table and its sums; exits with 2 if a step failed."""
    console = Console()
    if len(rows) <= _SHOWN_ROWS:
        columns = list(dict.fromkeys(name for row in rows for name in row))
        table = Table(box=None, header_style="bold", pad_edge=False)
        for name in columns:
            table.add_column(name, overflow="fold")
        for row in rows:
            table.add_row(*(Text(printable(str(row.get(name, "")))) for name in columns))
        console.print(table)
    else:
        console.print(f"{len(rows)} problems; --out FILE writes a line for each")
    counts = Counter(str(row.get(key, _FAILED)) for row in rows)
    console.print(", ".join(f"{name}: {count}" for name, count in counts.most_common()))
    if not rows or any(_FAILED in row for row in rows):
        sys.exit(2)
