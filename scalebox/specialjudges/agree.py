"""Several judges of one problem, made independently of each other: those are proven that agree.

What nobody has labelled is decided by the majority of the judges that pass what is known (`prove`,
stages 1 to 3).  Two judges that contradict each other refute each other: nobody knows which is
wrong.  One alone has nobody to doubt with, and must reject every damaged output.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from scalebox.client.aio import AsyncClient
from scalebox.model import Judge
from scalebox.specialjudges.damage import RESPELLED
from scalebox.specialjudges.deciding import Decision, Question
from scalebox.specialjudges.prove import Proof, Trial, ask, prove

Said = dict[Question, Decision]


async def prove_together(
    client: AsyncClient, judges: Sequence[Judge], trial: Trial, *, referees: Sequence[Judge] = ()
) -> list[Proof]:
    """Try to refute judges of one problem, with each other's help.

    Parameters:
        client: of the daemon that runs them.
        judges: independent of each other.
        trial: of the problem.
        referees: others that fit what is known, and have no vote: what one of them accepts is
            set aside.

    Returns:
        One proof a judge, in their order.

    Raises:
        InternalError: the daemon failed.
    """
    known = [await prove(client, judge, without_damage(trial)) for judge in judges]
    fit = [index for index, proof in enumerate(known) if proof.holds]
    questions = [one.question for one in trial.damaged if one.kind not in RESPELLED]
    said = {index: await ask(client, judges[index], trial, questions) for index in fit}
    others = [await ask(client, judge, trial, questions) for judge in referees if fit]
    majority = _majority(said)
    proofs = list(known)
    for index in fit:
        peers = [*others, *(said[other] for other in fit if other != index)]
        proofs[index] = await prove(client, judges[index], trial, peers=peers)
        if index not in majority:
            proofs[index] = _outvoted(proofs[index], index, said)
    return proofs


def without_damage(trial: Trial) -> Trial:
    """Of a trial what is known, and not what is only likely."""
    return Trial(
        material=trial.material,
        right=trial.right,
        wrong=trial.wrong,
        garbage=trial.garbage,
        damaged=[],
        other_outputs=trial.other_outputs,
        seed=trial.seed,
        data_sha256=trial.data_sha256,
    )


def _majority(said: dict[int, Said]) -> set[int]:
    """The judges that say the same as more than half of all."""
    votes = {
        index: tuple(one.accepted for one in answers.values()) for index, answers in said.items()
    }
    if not votes:
        return set()
    vote, count = Counter(votes.values()).most_common(1)[0]
    return {index for index in votes if votes[index] == vote} if count * 2 > len(votes) else set()


def _outvoted(proof: Proof, index: int, said: dict[int, Said]) -> Proof:
    others = [answers for other, answers in said.items() if other != index]
    own = said[index]
    contradicted = sum(
        any(answers[question].accepted is not decision.accepted for answers in others)
        for question, decision in own.items()
    )
    words = (
        f"agreement: of {len(said)} judges that fit what is known it is not with the majority; it "
        f"is contradicted about {contradicted} of {len(own)} damaged outputs"
    )
    return msgspec.structs.replace(proof, holds=False, refuted_by=[*proof.refuted_by, words])
