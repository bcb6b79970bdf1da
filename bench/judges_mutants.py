"""`prove` on flawed judges: variants of the packages' own, made by mechanical operators.

The package's judge is the reference.  A variant that `prove` does not refuse is looked at with many
more outputs, other ones than `prove` uses: if one of them tells it from the original it has
survived, with that output as its witness; if none does it counts as the same judge.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from rich.progress import Progress

from bench import results
from bench.mutants import Mutant, mutants_of
from bench.results import Promise
from bench.witnesses import more_outputs
from scalebox.client.aio import AsyncClient
from scalebox.errors import ScaleboxError
from scalebox.model import (
    OutputCase,
    OutputTests,
    ProgramJudge,
    Submission,
    Verdict,
    to_bytes,
)
from scalebox.specialjudges.curation import Curator, over
from scalebox.specialjudges.deciding import Question, decide
from scalebox.specialjudges.evidence import Evidence
from scalebox.specialjudges.material import Material
from scalebox.specialjudges.prove import Answers, Proof, Trial, ask, prove

_MOST_A_PROBLEM = 16
_AT_ONCE = 4
#: Witnesses are made with other seeds than the damage of `prove` (0).
_WITNESS_SEED = 20_000
_WITNESSES_AN_OUTPUT = 40
_WITNESS_TESTS = 24
_LONG_BYTES = 100_000
_LEAST_MUTANTS, _LEAST_REFUSED = 200, 0.95
_SHOWN = 120


@dataclass(frozen=True, slots=True)
class Tried:
    """One judge, and what came of it.

    Attributes:
        state: `promoted` or `not promoted` of a package's own judge; of a flawed one `refused`,
            `survived` (a witness tells it from the original), `same` (none does), `broken` (it does
            not compile).
        words: why, or the witness.
    """

    problem: str
    name: str
    operator: str
    change: str
    state: str
    words: str

    def row(self) -> dict[str, Any]:
        """For tables and files."""
        return {
            "mutant": self.name,
            "operator": self.operator,
            "change": self.change,
            "state": self.state,
            "words": self.words,
        }


async def try_all(
    client: AsyncClient, curator: Curator, materials: Sequence[Material], *, at_once: int
) -> list[Tried]:
    """Prove the packages' judges and their variants, with a progress bar.

    Raises:
        ScaleboxError: the daemon failed.
    """
    found: dict[str, list[Tried]] = {}
    with Progress(console=results.new_console(), transient=True) as bar:
        task = bar.add_task("flawed judges", total=len(materials))
        steps = over(materials, lambda one: _try(client, curator, one), at_once=at_once)
        async for material, outcome in steps:
            if isinstance(outcome, ScaleboxError):
                raise outcome
            found[material.id] = outcome
            bar.advance(task)
    return [one for material in materials for one in found[material.id]]


async def _try(client: AsyncClient, curator: Curator, material: Material) -> list[Tried]:
    assert isinstance(material.own, ProgramJudge)
    evidence = await curator.evidence(material)
    trial = await curator.trial(material)
    every = trial.all_questions()
    original = material.own
    reference = await ask(client, original, trial, every, patience=None)
    own = await prove(client, original, trial, reference=reference)
    if any(one.failed for one in reference.values()) and original.language == "python":
        original = _rejecting_where_it_fails(original)
        reference = await ask(client, original, trial, every, patience=None)
        own = await prove(client, original, trial, reference=reference)
    tried = [
        Tried(
            material.id, "the package's own" + ("" if original is material.own else ", wrapped"),
            "", "",
            "promoted" if own.holds else "not promoted", "; ".join(own.refuted_by),
        )
    ]  # fmt: skip
    witnesses = _witnesses(material, evidence, trial)
    said = await decide(client, original, material.tests, witnesses)
    known = dict(zip(witnesses, said, strict=True))
    turn = asyncio.Semaphore(_AT_ONCE)

    async def one(mutant: Mutant) -> Tried:
        async with turn:
            return await _try_mutant(client, material, trial, mutant, reference, known)

    mutants = mutants_of(material.own, most=_MOST_A_PROBLEM)
    return [*tried, *await asyncio.gather(*map(one, mutants))]


def _rejecting_where_it_fails(judge: ProgramJudge) -> ProgramJudge:
    """The judge, wrapped: what it cannot read it rejects, where it ended in an exception."""
    source = (
        "import sys\ntry:\n"
        f"    exec(compile({to_bytes(judge.source).decode()!r}, 'validate.py', 'exec'), "  # type: ignore[arg-type]
        "{'__name__': '__main__'})\nexcept Exception:\n    sys.exit(43)\n"
    )
    return msgspec.structs.replace(judge, source=source)


async def _try_mutant(
    client: AsyncClient,
    material: Material,
    trial: Trial,
    mutant: Mutant,
    reference: Answers,
    known: Answers,
) -> Tried:
    def tried(state: str, words: str) -> Tried:
        return Tried(material.id, mutant.name, mutant.operator, mutant.change, state, words)

    if words := await _broken(client, mutant.judge):
        return tried("broken", words)
    proof = await prove(client, mutant.judge, trial, reference=reference)
    if not proof.holds:
        return tried("refused", _why(proof))
    questions = list(known)
    said = await decide(client, mutant.judge, material.tests, questions)
    for question, decision in zip(questions, said, strict=True):
        if decision.accepted is not known[question].accepted:
            shown = question.output[:_SHOWN].decode("utf-8", "backslashreplace")
            return tried(
                "survived",
                f"test {material.tests[question.test].name}, output {shown!r}: {decision.word}, "
                f"the original: {known[question].word}",
            )
    return tried("same", f"{len(questions)} more outputs do not tell it from the original")


def _why(proof: Proof) -> str:
    return "; ".join(proof.refuted_by)


async def _broken(client: AsyncClient, judge: ProgramJudge) -> str:
    """Why it does not compile; empty: it does."""
    tests = OutputTests(cases=[OutputCase(output="", judge_flags=judge.flags)], judge=judge)
    report = await client.judge(Submission(language="", source="", tests=tests))
    case = report.cases[0]
    broken = case.verdict is Verdict.JUDGE_ERROR and "does not compile" in case.message
    return case.message[:_SHOWN] if broken else ""


def _witnesses(material: Material, evidence: Evidence, trial: Trial) -> list[Question]:
    """Outputs that may tell two judges apart: other ones than those of the trial."""
    tests = range(len(material.tests))
    every = [
        Question(test, output)
        for program in evidence.programs
        for test, output in enumerate(program.outputs)
    ]
    known = set(trial.all_questions())
    made: list[Question] = []
    step = max(1, len(tests) // _WITNESS_TESTS)
    for test in tests[::step]:
        right = [*evidence.of_right(test), material.tests[test].answer]
        others = [
            material.tests[other].answer for other in tests
            if other != test and len(material.tests[other].answer) < _LONG_BYTES
        ]  # fmt: skip
        for base in right[:2]:
            if len(base) < _LONG_BYTES:
                outputs = more_outputs(
                    test,
                    base,
                    others[:: max(1, len(others) // 12)],
                    seed=_WITNESS_SEED + test,
                    most=_WITNESSES_AN_OUTPUT,
                )
                made += [Question(test, output) for output in outputs]
    return [
        question for question in dict.fromkeys(itertools.chain(every, made))
        if question not in known
    ]  # fmt: skip


def figures(tried: Sequence[Tried]) -> dict[str, float]:
    """Of all mutants; nothing where none were tried."""
    if not tried:
        return {}
    states = Counter(one.state for one in tried)
    different = states["refused"] + states["survived"]
    return {
        "own_judges": states["promoted"] + states["not promoted"],
        "own_judges_promoted": states["promoted"],
        "mutants": different,
        "mutants_refused": states["refused"],
        "mutants_refused_share": states["refused"] / max(1, different),
        "mutants_same": states["same"],
        "mutants_broken": states["broken"],
    }


def promises(tried: Sequence[Tried], found: dict[str, float]) -> list[Promise]:
    """What must hold."""
    refused = [f"{one.problem}: {one.words}" for one in tried if one.state == "not promoted"]
    return [
        results.none_of("every package's own judge is promoted", refused),
        results.at_least("mutants", found.get("mutants"), _LEAST_MUTANTS),
        results.at_least(
            "mutants_refused_share", found.get("mutants_refused_share"), _LEAST_REFUSED
        ),
    ]
