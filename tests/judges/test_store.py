"""The store of judges: what goes in comes out, what is over a bound does not go in, and states
follow each other as the table has it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from scalebox.errors import (
    BadRequestError,
    JudgeStateError,
    TooLargeError,
    UnknownJudgeError,
)
from scalebox.judges.rows import MAX_CHANGES
from scalebox.judges.states import FOLLOWING
from scalebox.judges.store import Count, JudgeStore
from scalebox.model import (
    Blob,
    FunctionJudge,
    JudgeState,
    Limits,
    NamedJudge,
    ProgramJudge,
    Provenance,
    StorableJudge,
    canonical_bytes,
    judge_hash,
)

from .storing import (
    ACTIVE,
    CANDIDATE,
    PROOF,
    PROVEN,
    QUARANTINED,
    RETIRED,
    function,
    named,
    new,
    opened,
    to,
)

ROOT = Path(__file__).parent.parent.parent
CPP = ProgramJudge(
    contract="testlib",
    language="cpp17",
    source="int main() { return 0; }",
    files={"a/b.h": "// ü\r\n", "data": ""},
    flags=["x"],
    limits=Limits(cpu_time_s=2.5),
)
FLOATS = NamedJudge(name="floats", parameters={"absolute": 0.5, "relative": 0.0})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "inner" / "judges.sqlite"


@pytest.fixture
def store(file: Path) -> Iterator[JudgeStore]:
    made = opened(file)
    yield made
    made.close()


def states_of(store: JudgeStore) -> dict[str, str]:
    return {name: summary.state.value for name, _, summary in store.stored()}


# --- what is kept ---------------------------------------------------------------------------------


@pytest.mark.parametrize("judge", [function(), CPP, FLOATS], ids=["function", "program", "named"])
def test_a_judge_comes_back_as_it_was_also_after_a_restart(
    store: JudgeStore, file: Path, judge: StorableJudge
) -> None:
    provenance = Provenance(
        source="generated",
        model="m",
        prompt_sha256="a" * 64,
        data_sha256="b" * 64,
        date="2026-01-31T23:59:59Z",
    )
    given = new(judge, "apps/17", provenance=provenance, proof=PROOF, state=PROVEN, reason="why")
    record, is_new = store.add(given)
    assert is_new
    assert record.hash == hashlib.sha256(canonical_bytes(judge)).hexdigest() == judge_hash(judge)
    assert (record.name, record.version) == ("problem:apps/17#1", 1)
    assert (record.judge, record.provenance, record.proof) == (judge, provenance, PROOF)
    (change,) = record.history
    assert (change.state, change.reason) == (PROVEN, "why")
    store.close()
    store = opened(file)
    for name in ("problem:apps/17#1", f"sha256:{record.hash}", record.hash, "problem:apps/17"):
        assert store.record(named(name)) == record
    assert store.lookup(named(record.hash)).judge == judge
    store.close()


def test_registering_again_changes_nothing(store: JudgeStore) -> None:
    first, _ = store.add(new(proof=PROOF))
    other = Provenance(source="uploaded")
    again, is_new = store.add(new(provenance=other, proof={"another": 1}))
    assert not is_new
    assert again == first
    store.change(named(first.name), to(RETIRED))
    kept, _ = store.add(new(state=ACTIVE))
    assert kept.state is RETIRED


def test_registering_again_raises_the_state_that_is_asked_for(store: JudgeStore) -> None:
    store.add(new())
    with pytest.raises(BadRequestError) as caught:
        store.add(new(state=PROVEN, proof=None))
    assert caught.value.field == "proof"
    record, is_new = store.add(new(state=PROVEN, reason="tests passed"))
    assert (is_new, record.state, record.proof) == (False, PROVEN, PROOF)
    record, _ = store.add(new(state=ACTIVE))
    assert [change.state for change in record.history] == [CANDIDATE, PROVEN, ACTIVE]
    record, _ = store.add(new(state=CANDIDATE))
    assert record.state is ACTIVE


def test_a_limit_of_two_is_a_limit_of_two_point_zero(store: JudgeStore) -> None:
    whole = FunctionJudge(source="x", limits=Limits(cpu_time_s=2))
    exact = FunctionJudge(source="x", limits=Limits(cpu_time_s=2.0))
    assert judge_hash(whole) == judge_hash(exact)
    assert store.add(new(whole))[0] == store.add(new(exact))[0]


@pytest.mark.parametrize("judge", [function(), CPP], ids=["function", "program"])
def test_empty_limits_are_no_limits(judge: StorableJudge) -> None:
    wire = {**msgspec.to_builtins(judge), "limits": {}}
    said = msgspec.convert(wire, StorableJudge)
    del wire["limits"]
    unsaid = msgspec.convert(wire, StorableJudge)
    assert said == unsaid
    assert judge_hash(said) == judge_hash(unsaid)
    assert judge_hash(unsaid) == hashlib.sha256(canonical_bytes(unsaid)).hexdigest()


def test_versions_count_for_each_problem_and_general_judges_have_none(store: JudgeStore) -> None:
    records = [
        store.add(new(function(number), problem))[0]
        for number, problem in enumerate(["p", "p", "q", None, None, "p"])
    ]
    assert [record.version for record in records] == [1, 2, 1, 1, 1, 3]
    assert records[3].name == f"sha256:{records[3].hash}"
    assert [name for name, _, _ in store.stored()] == [
        records[3].name, records[4].name, "problem:p#1", "problem:p#2", "problem:p#3",
        "problem:q#1",
    ]  # fmt: skip


def test_one_judge_may_be_for_several_problems(store: JudgeStore) -> None:
    """Most inferred ones are: one of those that ship, with the same parameters."""
    for problem in ("p", "q", "r"):
        store.add(new(FLOATS, problem, state=PROVEN))
    digest = judge_hash(FLOATS)
    store.change(named("problem:q#1"), to(ACTIVE))
    assert states_of(store) == {
        "problem:p#1": "proven", "problem:q#1": "active", "problem:r#1": "proven",
    }  # fmt: skip
    assert store.record(named(digest)).name == "problem:q#1", "the one that is trusted most"
    with pytest.raises(BadRequestError, match="problem:p#1, problem:q#1, problem:r#1") as caught:
        store.change(named(digest), to(RETIRED))
    assert caught.value.field == "name"


def test_a_hash_is_the_name_of_one_for_any_problem(store: JudgeStore) -> None:
    """It has no other."""
    store.add(new(FLOATS, "p", state=ACTIVE))
    record, _ = store.add(new(FLOATS, None))
    store.add(new(FLOATS, "a", state=ACTIVE))
    assert record.name == f"sha256:{record.hash}"
    assert store.record(named(record.name)) == record
    assert store.lookup(named(record.name)).row.problem == ""
    store.change(named(record.name), to(RETIRED))
    assert states_of(store) == {
        record.name: "retired", "problem:a#1": "active", "problem:p#1": "active",
    }  # fmt: skip
    for name, _, _ in store.stored():
        assert store.record(named(name)).name == name


def test_titles_and_summaries(store: JudgeStore) -> None:
    store.add(new(CPP, "p", state=PROVEN))
    store.add(new(FLOATS, "q"))
    store.add(new(function(), "r"))
    found = {summary.problem: (title, summary.proven) for _, title, summary in store.stored()}
    assert found == {
        "p": ("testlib in cpp17", True),
        "q": ("floats, absolute = 0.5, relative = 0.0", False),
        "r": ("Python function", False),
    }


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("judge", "field"),
    [
        (FunctionJudge(source=Blob(data=b"x")), "judge.source"),
        (FunctionJudge(source="", files={"d": Blob(sha256="0" * 64)}), "judge.files.d"),
    ],
)
def test_blobs_are_refused(store: JudgeStore, judge: FunctionJudge, field: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        store.add(new(judge))
    assert caught.value.field == field
    assert not store.stored()


@pytest.mark.parametrize(
    "proof",
    [
        {"bytes": b"x"}, {"nan": float("nan")}, {"huge": 1 << 70}, {"keys": {1: 2}},
        {"object": object()}, {"inner": {"b": float("inf")}},
    ],
    ids=lambda proof: next(iter(proof)),
)  # fmt: skip
def test_a_proof_that_json_cannot_say_is_refused(store: JudgeStore, proof: Any) -> None:
    with pytest.raises(BadRequestError) as caught:
        store.add(new(proof=proof))
    assert caught.value.field == "proof"
    store.add(new())
    with pytest.raises(BadRequestError):
        store.change(named("problem:p#1"), to(PROVEN, proof=proof))


def test_what_is_over_a_bound_is_refused(tmp_path: Path) -> None:
    store = opened(tmp_path / "s", stored=2, judge_bytes=500, proof_bytes=50)
    with pytest.raises(TooLargeError, match=r"judges\.max_judge_bytes"):
        store.add(new(FunctionJudge(source="x" * 500)))
    with pytest.raises(TooLargeError, match=r"judges\.max_proof_bytes"):
        store.add(new(proof={"words": "x" * 50}))
    for number in range(2):
        store.add(new(function(number)))
    with pytest.raises(TooLargeError, match=r"judges\.max_stored"):
        store.add(new(function(2)))
    assert not store.add(new(function(1)))[1], "it is there already"
    store.close()
    store = opened(tmp_path / "s", file_bytes=50_000)
    with pytest.raises(TooLargeError, match=r"judges\.max_bytes"):
        store.add(new(FunctionJudge(source="x" * 40_000)))
    store.close()


@pytest.mark.parametrize("state", [PROVEN, ACTIVE])
def test_a_high_state_needs_a_proof(store: JudgeStore, state: JudgeState) -> None:
    with pytest.raises(BadRequestError) as caught:
        store.add(new(state=state, proof=None))
    assert caught.value.field == "proof"


@pytest.mark.parametrize(
    "name", ["sha256:" + "0" * 64, "problem:none", "problem:none#1", "problem:p#2"]
)
def test_what_is_not_there_is_unknown(store: JudgeStore, name: str) -> None:
    store.add(new())
    for ask in (store.record, store.lookup):
        with pytest.raises(UnknownJudgeError):
            ask(named(name))
    with pytest.raises(UnknownJudgeError):
        store.change(named(name), to(RETIRED))


@pytest.mark.parametrize(
    "name", ["sha256:", "sha256:" + "0" * 63, "sha256:" + "F" * 64, "problem:", "problem:p#",
             "problem:p#0", "problem:p#x", "problem:#1", "problem:p#1\n"],
)  # fmt: skip
def test_what_cannot_be_a_name_is_unknown(name: str) -> None:
    with pytest.raises(UnknownJudgeError) as caught:
        named(name)
    assert caught.value.field == "name"


# --- states ---------------------------------------------------------------------------------------


def in_state(store: JudgeStore, state: JudgeState) -> str:
    """A judge that got there step by step."""
    record, _ = store.add(new(proof=PROOF))
    steps = {
        CANDIDATE: [], PROVEN: [PROVEN], ACTIVE: [PROVEN, ACTIVE],
        RETIRED: [PROVEN, ACTIVE, RETIRED], QUARANTINED: [PROVEN, QUARANTINED],
    }  # fmt: skip
    for step in steps[state]:
        assert store.change(named(record.name), to(step)).state is step
    return record.name


@pytest.mark.parametrize("after", JudgeState)
@pytest.mark.parametrize("before", JudgeState)
def test_states_follow_as_the_table_has_it(
    store: JudgeStore, before: JudgeState, after: JudgeState
) -> None:
    name = in_state(store, before)
    count = len(store.record(named(name)).history)
    wish = to(after, reason="again")
    if after is before:
        assert len(store.change(named(name), wish).history) == count
    elif after in FOLLOWING[before]:
        record = store.change(named(name), wish)
        assert record.state is after
        assert record.history[-1].reason == "again"
    else:
        with pytest.raises(JudgeStateError) as caught:
            store.change(named(name), wish)
        assert " or ".join(FOLLOWING[before]) in caught.value.message
        assert store.record(named(name)).state is before


def test_without_a_proof_only_force_promotes(store: JudgeStore) -> None:
    store.add(new())
    name = named("problem:p#1")
    with pytest.raises(BadRequestError) as caught:
        store.change(name, to(PROVEN))
    assert caught.value.field == "proof"
    with pytest.raises(JudgeStateError) as refused:
        store.change(name, to(ACTIVE, reason="I know"))
    assert refused.value.field == "force"
    assert store.change(name, to(ACTIVE, force=True)).state is ACTIVE
    store.change(name, to(RETIRED))
    with pytest.raises(JudgeStateError):
        store.change(name, to(ACTIVE, reason="once more"))
    record = store.change(name, to(ACTIVE, reason="proven now", proof=PROOF))
    assert (record.state, record.proof) == (ACTIVE, PROOF)


@pytest.mark.parametrize("state", [RETIRED, QUARANTINED])
def test_what_was_taken_out_comes_back_for_a_reason_only(
    store: JudgeStore, state: JudgeState
) -> None:
    name = named(in_state(store, state))
    for reason in ("", "  \n"):
        with pytest.raises(BadRequestError) as caught:
            store.change(name, to(ACTIVE, reason=reason, force=True))
        assert caught.value.field == "reason"
    assert store.change(name, to(ACTIVE, reason="it was the machine")).state is ACTIVE


def test_a_problem_has_one_active_judge(store: JudgeStore) -> None:
    store.add(new(function(1), state=ACTIVE))
    store.add(new(function(2), "q", state=ACTIVE))
    store.add(new(function(3), state=ACTIVE))
    assert states_of(store) == {
        "problem:p#1": "retired", "problem:p#2": "active", "problem:q#1": "active",
    }  # fmt: skip
    assert store.record(named("problem:p")).version == 2
    former = store.record(named("problem:p#1")).history[-1]
    assert former.reason == "problem:p#2 took its place"
    store.change(named("problem:p#1"), to(ACTIVE, reason="the new one is worse"))
    assert states_of(store)["problem:p#2"] == "retired"
    for number in (4, 5):
        store.add(new(function(number), None, state=ACTIVE))
    assert list(states_of(store).values()).count("active") == 4


def test_the_problem_of_a_quarantined_judge_still_leads_to_it(store: JudgeStore) -> None:
    """Its cases are judge_error then; a refusal would look like a mistake of the request."""
    store.add(new(function(1), state=ACTIVE))
    store.add(new(function(2)))
    store.change(named("problem:p"), to(QUARANTINED, reason="fails"))
    found = store.lookup(named("problem:p"))
    assert (found.row.state, found.last.reason) == ("quarantined", "fails")
    store.change(named("problem:p"), to(RETIRED))
    with pytest.raises(UnknownJudgeError, match="1 candidate, 1 retired"):
        store.lookup(named("problem:p"))
    store.add(new(function(3), "q", state=PROVEN))
    store.change(named("problem:q#1"), to(QUARANTINED))
    with pytest.raises(UnknownJudgeError, match="1 quarantined"):
        store.lookup(named("problem:q"))
    assert store.record(named("problem:p")).version == 2, "to look at, the latest will do"


def test_what_is_promoted_begins_to_count_anew(store: JudgeStore) -> None:
    store.add(new(state=PROVEN))
    (row,) = store.count([Count(1, 5, 2)])
    assert (row.decided, row.failed) == (5, 2)
    record = store.change(named("problem:p#1"), to(ACTIVE))
    assert (record.decided, record.failed) == (0, 0)
    assert (record.history[-1].decided, record.history[-1].failed) == (5, 2)
    store.count([Count(1, 1, 9, "9 of 10")])
    record = store.record(named("problem:p#1"))
    assert (record.state, record.failed) == (QUARANTINED, 9)
    assert record.history[-1].reason == "9 of 10"
    store.count([Count(1, 0, 1, "once more")])
    assert len(store.record(named("problem:p#1")).history) == 3


@pytest.mark.parametrize("state", [CANDIDATE, RETIRED])
def test_counting_quarantines_only_what_can_be(store: JudgeStore, state: JudgeState) -> None:
    name = in_state(store, state)
    (row,) = store.count([Count(1, 0, 99, "fails")])
    assert (row.state, row.failed) == (state, 99)
    assert store.record(named(name)).state is state


def test_the_history_is_bounded(store: JudgeStore) -> None:
    name = in_state(store, ACTIVE)
    for number in range(MAX_CHANGES):
        store.change(named(name), to(RETIRED, reason=str(number)))
        record = store.change(named(name), to(ACTIVE, reason=f"{number} again"))
    assert len(record.history) == MAX_CHANGES
    assert record.history[0].state is CANDIDATE
    assert record.history[-1].reason == f"{MAX_CHANGES - 1} again"
