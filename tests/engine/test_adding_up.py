"""What results add up to: the same, in whatever order they come."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalebox.engine.results import Results, Total
from scalebox.errors import InternalError
from scalebox.model import CaseResult, Verdict

KINDS = st.sampled_from([Verdict.ACCEPTED, Verdict.ACCEPTED, Verdict.WRONG_ANSWER,
                         Verdict.RUNTIME_ERROR, Verdict.INTERNAL_ERROR])  # fmt: skip


def case(index: int, verdict: Verdict) -> CaseResult:
    return CaseResult(verdict=verdict, name=str(index), message=f"m{index}")


def add_up(kinds: list[Verdict], order: list[int], stop: str) -> Total:
    """Results come in this order, until no more are needed."""
    results = Results(len(kinds), stop)  # type: ignore[arg-type]
    dropped: set[int] = set()
    for index in order:
        if results.complete:
            break
        if index in dropped:
            continue  # its run was stopped, or it is late: either may happen
        assert not results.has(index)
        newly = results.add(index, case(index, kinds[index]))
        assert all(later > index for later in newly)
        dropped |= set(newly)
    assert results.complete
    assert results.unsettled() == []
    return results.total(str)


@given(st.lists(KINDS, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_completion_makes_no_difference(kinds: list[Verdict], chance) -> None:
    indices = list(range(len(kinds)))
    for stop in ("first_failure", "never"):
        expected = add_up(kinds, indices, stop)
        order = indices[:]
        chance.shuffle(order)
        assert add_up(kinds, order, stop) == expected
        bad = [n for n in indices if kinds[n] is not Verdict.ACCEPTED]
        assert expected.verdict is (kinds[bad[0]] if bad else Verdict.ACCEPTED)
        assert expected.message == (f"case {bad[0]}: m{bad[0]}" if bad else "")
        if stop == "never":
            assert expected.passed == len(kinds) - len(bad)
        else:
            first = bad[0] if bad else len(kinds)
            assert expected.passed == first
            skipped = [one.verdict for one in expected.cases[first + 1 :]]
            assert set(skipped) <= {Verdict.SKIPPED}


def test_every_order_of_four() -> None:
    kinds = [Verdict.ACCEPTED, Verdict.RUNTIME_ERROR, Verdict.ACCEPTED, Verdict.WRONG_ANSWER]
    totals = [
        add_up(kinds, list(order), "first_failure") for order in itertools.permutations(range(4))
    ]
    assert all(total == totals[0] for total in totals)
    assert [one.verdict.value for one in totals[0].cases] == [
        "accepted", "runtime_error", "skipped", "skipped",
    ]  # fmt: skip


def test_a_late_result_of_a_case_that_is_not_needed_changes_nothing() -> None:
    results = Results(3, "first_failure")
    assert results.add(0, case(0, Verdict.WRONG_ANSWER)) == range(1, 3)
    assert results.complete
    assert not results.add(2, case(2, Verdict.ACCEPTED))
    assert results.complete
    assert [one.verdict for one in results.total(str).cases[1:]] == [Verdict.SKIPPED] * 2


def test_a_lost_case_is_never_an_accepted_one() -> None:
    results = Results(2, "never")
    results.add(0, case(0, Verdict.ACCEPTED))
    assert results.unsettled() == [1]
    with pytest.raises(InternalError, match="neither judged nor skipped"):
        results.total(str)


def test_what_is_given_up_is_not_judged_and_not_skipped() -> None:
    results = Results(4, "first_failure")
    results.add(0, case(0, Verdict.ACCEPTED))
    results.add(2, case(2, Verdict.WRONG_ANSWER))
    results.give_up(lambda index: case(index, Verdict.CANCELLED))
    assert results.complete
    total = results.total(str)
    assert [one.verdict.value for one in total.cases] == [
        "accepted", "cancelled", "wrong_answer", "skipped",
    ]  # fmt: skip
    assert total.verdict is Verdict.CANCELLED


def test_what_does_not_compile_skips_everything() -> None:
    results = Results(2, "never")
    results.add(1, case(1, Verdict.ACCEPTED))
    total = results.total_uncompiled(str, "words")
    assert (total.verdict, total.passed, total.message) == (Verdict.COMPILE_ERROR, 0, "words")
    assert [one.verdict for one in total.cases] == [Verdict.SKIPPED] * 2
