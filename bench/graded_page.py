"""The page of the docs that says how far verdicts agree with BigCodeBench's own, and where not."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence

from bench import results
from bench.graded_samples import CAUSES, Agreement, Difference, Judged

_OPENING = """\
# BigCodeBench, and its own verdicts

BigCodeBench's tasks use the libraries that people use (pandas, matplotlib, scikit-learn, Flask …),
and its tests are classes of unittest's. `scalebox eval` judges them in a sandbox, without a
network, by the libraries of the judge's Python. This page says how to have these there, and how far
the verdicts are those that BigCodeBench's own harness gave. It is written by
`python -m bench.graded --write-docs`.

## The judge's Python

Which libraries there are, and in which versions, decides some verdicts. `make eval-env` puts those
of `bench/bigcodebench-requirements.txt` into an environment that nothing else uses, `.venv-eval`
(2.5 GB; it needs Python 3.11). A daemon judges with it when it is told so:

```toml
[languages.python]
interpreter = "/path/to/.venv-eval/bin/python"
```

Slots then see that environment, read-only. A judge's Python that lacks what the chosen tasks import
is refused. A task has 240 s of CPU time (their harness waits as long), 480 s by the clock, 4 GiB of
memory, 256 processes and 256 MiB of files, unless `[judge]` says otherwise. Tests share a process
with what they test, so that a pass is `weak`.

## Graded samples

`make graded` judges the answers of two models to the 148 tasks of BigCodeBench-Hard whose verdicts
were published (QwenLM/Qwen3-Coder, `qwencoder-eval/base/`, of 2024-09-24), and the tasks' own
solutions. The published tracebacks show Python 3.8.
"""


def document(found: Agreement, known: Mapping[str, Difference]) -> str:
    """The page.

    Parameters:
        known: differences that somebody has looked at; those that vary are named even if this run
            has none.
    """
    host = results.host_facts()
    date = datetime.datetime.now(datetime.UTC).date().isoformat()
    samples = found.samples
    agree = sum(one.agrees for one in samples)
    lines = [
        _OPENING,
        f"Host: {host['cpu']}, {host['cores']} cores, Linux {host['kernel']}, "
        f"{found.host['judge_python']}, isolation `{found.host['isolation']}`, enforcement "
        f"`{found.host['enforcement']}`; {date}.",
        "",
        f"**Of {len(samples)} samples, {agree} have the published verdict, passed or not "
        f"({found.share:.1%}).**",
        "",
        *_models(samples),
        "",
        "### Samples whose verdict is another",
        "",
        *_table(one for one in samples if not one.agrees),
        "",
        *_varying(known),
        "### Solutions of the tasks' own that do not pass",
        "",
        f"{sum(one.agrees for one in found.canonical)} of {len(found.canonical)} pass.",
        "",
        *_table(one for one in found.canonical if not one.agrees),
        "",
        "### Causes",
        "",
        "| cause | meaning |",
        "| --- | --- |",
        *(f"| {name} | {words} |" for name, words in CAUSES.items()),
        "",
        "`bench/graded_differences.toml` holds them. A verdict that differs and is not there, or",
        "whose cause is `ours`, fails `make graded`. `make graded ARGS=--outside` runs each sample",
        "that differs once more in the same Python without a sandbox, and shows what comes of it.",
    ]
    return "\n".join(lines) + "\n"


def _models(samples: Sequence[Judged]) -> list[str]:
    lines = [
        "| model | samples | published as passed | passed here | same verdict |",
        "| --- | --- | --- | --- | --- |",
    ]
    for model in dict.fromkeys(one.graded.model for one in samples):
        own = [one for one in samples if one.graded.model == model]
        theirs = sum(one.graded.theirs == "pass" for one in own)
        ours = sum(one.passes for one in own)
        agree = sum(one.agrees for one in own)
        lines.append(f"| {model} | {len(own)} | {theirs} | {ours} | {agree} |")
    return lines


def _table(judged: Iterable[Judged]) -> list[str]:
    rows = [one.row() for one in judged]
    if not rows:
        return ["None."]
    columns = ("task", "model", "theirs", "ours", "test", "cause", "why")
    lines = [f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}"]
    return lines + [f"| {' | '.join(_cell(row[column]) for column in columns)} |" for row in rows]


def _varying(known: Mapping[str, Difference]) -> list[str]:
    found = {key: one for key, one in known.items() if one.varies}
    if not found:
        return []
    return [
        "Samples that differ in some runs and not in others:",
        "",
        *(f"- {key}: {_cell(one.why)}" for key, one in found.items()),
        "",
    ]


def _cell(value: object) -> str:
    return str(value).replace("|", r"\|").replace("<", "&lt;")
