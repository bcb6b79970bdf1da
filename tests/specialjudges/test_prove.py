"""Right judges are proven, flawed ones refuted by what they do, and the proof says by what."""

from __future__ import annotations

import pytest

from scalebox.client.aio import AsyncClient
from scalebox.model import FunctionJudge, Judge, Limits, NamedJudge, ProgramJudge
from scalebox.specialjudges.agree import prove_together
from scalebox.specialjudges.evidence import Evidence, gather
from scalebox.specialjudges.material import Material
from scalebox.specialjudges.prove import Trial, ask, prepare, prove, wilson_low
from tests.specialjudges.problems import SPLIT_ICPC, SPLIT_JUDGE, add, split

PYTHON = frozenset({"python"})
HEAD = "import re\ndef judge(input, output, answer):\n    "
#: Flawed judges of `split`, and the stage in which that shows.
FLAWED = {
    "says yes": ("return True", "wrong"),
    "says no": ("return False", "right"),
    "compares with the answer": ("return output.split() == answer.split()", "right"),
    "the sum alone": (
        "return sum(int(t) for t in re.findall('[0-9]{1,9}', output)) == int(input)", "wrong",
    ),
    "a zero will do": (
        "t = output.split(None, 3)\n"
        "    return len(t) == 2 and all(re.fullmatch('[0-9]{1,20}', x) for x in t)"
        " and sum(map(int, t)) == int(input)", "wrong",
    ),
    "the beginning alone": (
        "t = output.split()[:2]\n    return len(t) == 2 and"
        " all(re.fullmatch('[1-9][0-9]{0,19}', x) for x in t) and sum(map(int, t)) == int(input)",
        "wrong",
    ),
    "raises": (
        "a, b = map(int, output.split())\n    return a > 0 < b and a + b == int(input)", "wrong",
    ),
    "hangs": (
        "if '9999' in output:\n        while True: pass\n    t = output.split(None, 3)\n"
        "    return len(t) == 2 and all(re.fullmatch('[1-9][0-9]{0,19}', x) for x in t)"
        " and sum(map(int, t)) == int(input)", "garbage",
    ),
    "guesses": (
        "import os\n    t = output.split(None, 3)\n"
        "    return len(t) == 2 and all(re.fullmatch('[1-9][0-9]{0,19}', x) for x in t)"
        " and sum(map(int, t)) == int(input) and os.urandom(1)[0] < 128", "",
    ),
}  # fmt: skip

#: Fits all that is known of `split`: that a third number is too many, no program's output shows.
LOOSE = SPLIT_JUDGE.replace("len(tokens) != 2", "len(tokens) not in (2, 3)").replace(
    "map(int, tokens)", "map(int, tokens[:2])"
)


async def trial_of(client: AsyncClient, material: Material) -> Trial:
    return prepare(material, await gather(client, material, PYTHON))


@pytest.mark.parametrize(
    "judge",
    [
        FunctionJudge(source=SPLIT_JUDGE),
        ProgramJudge(contract="icpc", language="python", source=SPLIT_ICPC),
    ],
    ids=["function", "icpc"],
)
async def test_a_right_judge_is_proven(client: AsyncClient, judge: Judge) -> None:
    trial = await trial_of(client, split())
    reference = await ask(client, FunctionJudge(source=SPLIT_JUDGE), trial, trial.all_questions())
    proof = await prove(client, judge, trial, reference=reference)
    assert proof.refuted_by == []
    assert proof.holds
    assert proof.problem == "split"
    assert proof.other_outputs > 0
    stages = {count.stage for count in proof.counts}
    assert stages == {"right", "wrong", "garbage", "damaged", "still"}
    assert all(count.held + count.set_aside <= count.asked for count in proof.counts)
    assert proof.asked > 200


async def test_alone_it_must_reject_every_damaged_output(client: AsyncClient) -> None:
    """Two numbers swapped are as right as before, but nobody is there to say so."""
    trial = await trial_of(client, split())
    alone = await prove(client, FunctionJudge(source=SPLIT_JUDGE), trial)
    assert alone.referee == "none"
    assert [words.split(":")[0] for words in alone.refuted_by] == ["damaged"]
    assert "swapped" in alone.refuted_by[0]
    assert alone.examples[0].decided == "accepted"
    assert alone.examples[0].right == "rejected"


@pytest.mark.parametrize("name", FLAWED)
async def test_a_flawed_judge_is_refuted(client: AsyncClient, name: str) -> None:
    body, stage = FLAWED[name]
    judge = FunctionJudge(source=HEAD + body + "\n", limits=Limits(cpu_time_s=1))
    trial = await trial_of(client, split())
    reference = await ask(client, FunctionJudge(source=SPLIT_JUDGE), trial, trial.all_questions())
    proof = await prove(client, judge, trial, reference=reference)
    assert not proof.holds
    assert proof.refuted_by
    if stage:
        assert proof.refuted_by[0].startswith(stage)
    assert proof.examples


async def test_without_a_reference_the_label_of_a_program_counts(client: AsyncClient) -> None:
    trial = await trial_of(client, split())
    assert set(trial.wrong) == {"zero", "more", "three"}  # one crashed: that tells nothing
    proof = await prove(client, FunctionJudge(source=HEAD + "return True\n"), trial)
    assert proof.refuted_by == [
        f"wrong: it accepts all that is written by {name}, which is known to be wrong"
        for name in ("zero", "more", "three")
    ]


async def test_the_default_is_proven_where_there_is_one_answer(client: AsyncClient) -> None:
    trial = await trial_of(client, add())
    proof = await prove(client, NamedJudge(name="tokens"), trial)
    assert proof.holds, proof.refuted_by
    assert proof.other_outputs == 0


@pytest.mark.parametrize(
    ("judge", "words"),
    [
        (FunctionJudge(source="def judge(:"), "fails on"),
        (FunctionJudge(source="x = 1\n"), "fails on"),
        (NamedJudge(name="no_such_judge"), "refuses the judge"),
        (ProgramJudge(contract="icpc", language="cobol", source=""), "refuses the judge"),
        (FunctionJudge(source="import os\nos._exit(0)\n"), "fails on"),
        (
            FunctionJudge(
                source="import os\ndef judge(input, output, answer):\n    while True: os.fork()\n",
                limits=Limits(cpu_time_s=0.2, wall_time_s=1),
            ),
            "fails on",
        ),
    ],
)
async def test_what_is_no_judge_is_refuted(client: AsyncClient, judge: Judge, words: str) -> None:
    trial = await trial_of(client, add())
    proof = await prove(client, judge, trial)
    assert not proof.holds
    assert words in proof.refuted_by[0]


async def test_judges_that_agree_prove_each_other(client: AsyncClient) -> None:
    trial = await trial_of(client, split())
    good = [FunctionJudge(source=SPLIT_JUDGE), FunctionJudge(source=SPLIT_JUDGE + "\n# another\n")]
    loose = FunctionJudge(source=LOOSE)
    refuted = FunctionJudge(source=HEAD + "return True\n")
    proofs = await prove_together(client, [*good, loose, refuted], trial)
    assert [proof.holds for proof in proofs] == [True, True, False, False]
    # `loose` fails on nothing that is known, so it has a vote; two of three are a majority.
    assert proofs[2].refuted_by[-1].startswith("agreement")
    assert proofs[3].refuted_by[0].startswith("wrong")
    without = await prove_together(client, good, trial)
    assert [proof.holds for proof in without] == [True, True]
    assert without[0].referee == "peers"
    assert sum(count.set_aside for count in without[0].counts) > 0


async def test_two_that_contradict_each_other_are_both_refused(client: AsyncClient) -> None:
    trial = await trial_of(client, split())
    judges = [
        FunctionJudge(source=SPLIT_JUDGE),
        FunctionJudge(source=LOOSE),
    ]
    proofs = await prove_together(client, judges, trial)
    assert [proof.holds for proof in proofs] == [False, False]
    assert all("majority" in proof.refuted_by[-1] for proof in proofs)


def test_a_trial_is_the_same_for_the_same_seed() -> None:
    evidence = Evidence(programs=[])
    assert prepare(split(), evidence, seed=1) == prepare(split(), evidence, seed=1)
    assert prepare(split(), evidence, seed=1) != prepare(split(), evidence, seed=2)


def test_what_was_proven_with_is_named() -> None:
    one, other = split(), add()
    assert prepare(one, Evidence(programs=[])).data_sha256 == one.sha256()
    assert one.sha256() != other.sha256()


@pytest.mark.parametrize(
    ("held", "counted", "low"), [(0, 0, 0.0), (10, 10, 0.722), (100, 100, 0.963), (5, 10, 0.237)]
)
def test_the_interval_is_wilsons(held: int, counted: int, low: float) -> None:
    assert wilson_low(held, counted) == pytest.approx(low, abs=0.001)
