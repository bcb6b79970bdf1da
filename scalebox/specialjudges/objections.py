"""What is known and speaks against a judge, as counter-examples for whoever is to mend it.

Only what is known: a damaged output may be right, and would teach a model something wrong.
"""

from __future__ import annotations

from collections.abc import Sequence

from scalebox.client.aio import AsyncClient
from scalebox.model import Judge
from scalebox.specialjudges.damage import Damaged
from scalebox.specialjudges.deciding import JudgeRefusedError
from scalebox.specialjudges.prompts import Counterexample, GenerationTask
from scalebox.specialjudges.prove import Answers, Trial, ask

#: So many of a stage; the first stage with an objection is the last.
_MOST = 6
_OF_A_PROGRAM = 2
_SAMPLES = 4
_WHY = {
    "answer": "the jury's own answer",
    "output": "written by a program that is right",
}


async def objections(client: AsyncClient, judge: Judge, trial: Trial) -> list[Counterexample]:
    """Outputs about which a judge is wrong, few; empty: nothing that is known.

    Parameters:
        client: of the daemon that runs it.
        trial: of the problem.

    Raises:
        InternalError: the daemon failed.
    """
    try:
        said = await ask(client, judge, trial, [one.question for one in trial.right])
        if found := _wrongly_decided(trial, trial.right, said, accepted=True):
            return found
        suspects = [question for outputs in trial.wrong.values() for question in outputs]
        said = await ask(client, judge, trial, suspects)
        if found := _unseen_programs(trial, said):
            return found
        said = await ask(client, judge, trial, [one.question for one in trial.garbage])
        return _wrongly_decided(trial, trial.garbage, said, accepted=False)
    except JudgeRefusedError as error:
        test = trial.material.tests[0]
        return [
            Counterexample(test.input, test.answer, test.answer, True, error.message, "any output")
        ]


def _wrongly_decided(
    trial: Trial, outputs: Sequence[Damaged], said: Answers, *, accepted: bool
) -> list[Counterexample]:
    asked = [one for one in outputs if said[one.question].asked]
    wrong = [one for one in asked if said[one.question].accepted is not accepted]
    # The small ones say most.
    wrong.sort(key=lambda one: len(one.output) + len(trial.material.tests[one.test].input))
    return [
        _counterexample(
            trial, one, said, accepted, _WHY.get(one.kind, f"no output at all: {one.kind}")
        )
        for one in wrong[:_MOST]
    ]


def _unseen_programs(trial: Trial, said: Answers) -> list[Counterexample]:
    found: list[Counterexample] = []
    for outputs in trial.wrong.values():
        questions = [one for one in outputs if said[one].asked]
        if any(said[question].accepted is False for question in questions):
            continue
        why = "written by a program that is known to be wrong"
        if len(questions) > 1:
            why += f" on at least one of {len(questions)} tests, on all of which it was accepted"
        found += [
            _counterexample(trial, Damaged("", one.test, one.output), said, False, why)
            for one in sorted(questions, key=lambda one: len(one.output))[:_OF_A_PROGRAM]
        ]
    return found[:_MOST]


def _counterexample(
    trial: Trial, one: Damaged, said: Answers, accepted: bool, why: str
) -> Counterexample:
    test = trial.material.tests[one.test]
    return Counterexample(
        test.input, one.output, test.answer, accepted, said[one.question].word, why
    )


def task_of(trial: Trial, hint: str = "") -> GenerationTask:
    """What a model is told of a problem.

    Parameters:
        hint: what is known of the judge that it needs.
    """
    material = trial.material
    samples = [test for test in material.tests if test.sample] or sorted(
        material.tests, key=lambda test: len(test.input) + len(test.answer)
    )
    others = [
        (material.tests[one.test].input, material.tests[one.test].answer, one.output)
        for one in sorted(trial.right, key=lambda one: len(one.output))
        if one.output.split() != material.tests[one.test].answer.split()
    ]
    return GenerationTask(
        problem_id=material.id,
        statement=material.statement,
        samples=[(test.input, test.answer) for test in samples[:_SAMPLES]],
        more_outputs=others[:_SAMPLES],
        hint=hint,
    )
