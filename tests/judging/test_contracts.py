"""What each contract's judge is given, and what its end means."""

from __future__ import annotations

import pytest

from scalebox.judging import contracts, function
from scalebox.judging.contracts import Decision, Ended
from scalebox.model import Contract

ALL: tuple[Contract, ...] = ("icpc", "testlib", "scalebox", "open-r1")


def decided(contract: Contract, code: int | None, **more: object) -> bool | None:
    return contracts.decide(contract, Ended(code, **more)).accepted  # type: ignore[arg-type]


def test_icpc_is_called_as_the_specification_says() -> None:
    called = contracts.layout("icpc", b"in", b"out", b"ans", ["float_tolerance", "1e-6"])
    assert called.argv == ("input.txt", "answer.txt", "feedback/", "float_tolerance", "1e-6")
    assert called.stdin == b"out"
    assert called.files["input.txt"] == b"in"
    assert called.files["answer.txt"] == b"ans"
    assert "output.txt" not in called.files


def test_testlib_is_called_with_input_output_answer() -> None:
    called = contracts.layout("testlib", b"in", b"out", b"ans", [])
    assert [called.files[name] for name in called.argv] == [b"in", b"out", b"ans"]


def test_the_originals_scripts_have_the_answer_where_they_look_for_it() -> None:
    files = contracts.layout("scalebox", b"in", b"out", b"ans", []).files
    assert files == {"stdin.txt": b"in", "stdout.txt": b"ans", "answer.txt": b"out"}


def test_open_r1_has_the_jurys_before_the_submissions() -> None:
    called = contracts.layout("open-r1", b"in", b"out", b"ans", [])
    assert [called.files[name] for name in called.argv] == [b"in", b"ans", b"out"]


@pytest.mark.parametrize(
    ("contract", "yes", "no"),
    [("icpc", [42], [43]), ("testlib", [0], [1, 2, 4, 8]), ("scalebox", [0], [1])],
)
def test_only_the_contracts_own_ends_decide(
    contract: Contract, yes: list[int], no: list[int]
) -> None:
    partial = {7, *range(16, 217)} if contract == "testlib" else set()
    for code in range(256):
        expected = True if code in yes else False if code in no or code in partial else None
        assert decided(contract, code) is expected, code


@pytest.mark.parametrize("contract", ALL)
def test_a_signal_is_the_judges_failure(contract: Contract) -> None:
    decision = contracts.decide(contract, Ended(None, signal=11, stdout=b"1"))
    assert decision.accepted is None
    assert "signal 11" in decision.message


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (b"1\n", Decision(True)),
        (b"0", Decision(False)),
        (b"1.0", Decision(True)),
        (b"0.25", Decision(False, score=0.25)),
        (b"", None),
        (b"yes", None),
        (b"1 1", None),
        (b"2", None),
        (b"nan", None),
        (b"-1", None),
    ],
)
def test_open_r1_prints_its_decision(said: bytes, expected: Decision | None) -> None:
    found = contracts.decide("open-r1", Ended(0, stdout=said))
    assert found == expected if expected else found.accepted is None
    assert decided("open-r1", 1, stdout=said) is None


def test_feedback_is_told() -> None:
    files = {
        "feedback/judgemessage.txt": b"line 3:\n expected 5\0",
        "feedback/score.txt": b"12.5\n",
    }
    found = contracts.decide("icpc", Ended(43, files=files))
    assert found == Decision(False, "line 3: expected 5", 12.5)
    team = {"feedback/judgemessage.txt": b" \n", "feedback/teammessage.txt": "größer".encode()}
    assert contracts.decide("icpc", Ended(42, files=team)) == Decision(True, "größer")
    failed = contracts.decide("icpc", Ended(0, files=files))
    assert failed.accepted is None
    assert "42 or 43" in failed.message
    assert "expected 5" in failed.message


def test_a_validator_of_several_passes_finds_what_it_left() -> None:
    first = contracts.layout("icpc", b"in", b"out", b"ans", ["x"], {})
    assert first.argv == ("input.txt", "answer.txt", "feedback/", "x")
    assert first.fetch == ("feedback/",)
    assert {path for path in first.files if path.startswith("feedback/")} == {
        "feedback/judgemessage.txt",
        "feedback/teammessage.txt",
    }
    # All that it left and nothing else: the name of a message may have become that of a folder.
    left = {"feedback/state": b"1", "feedback/judgemessage.txt/part": b"2"}
    later = contracts.layout("icpc", b"in", b"out", b"ans", [], left)
    assert later.files == {"input.txt": b"in", "answer.txt": b"ans", **left}
    talking = contracts.interactive_layout("icpc", b"in", b"ans", [], left)
    assert (talking.files, talking.fetch) == (later.files, later.fetch)


def test_a_validator_of_a_single_pass_is_called_as_ever() -> None:
    assert contracts.layout("icpc", b"", b"", b"", []).fetch == (
        "feedback/judgemessage.txt",
        "feedback/teammessage.txt",
        "feedback/score.txt",
    )


def test_the_end_of_one_of_several_passes() -> None:
    asking = {"feedback/nextpass.in": b"", "feedback/judgemessage.txt": b"half"}
    assert contracts.decide("icpc", Ended(42, files=asking)) == Decision(True, "half", again=True)
    both = contracts.decide("icpc", Ended(43, files=asking))
    assert both.accepted is None
    assert "nextpass.in" in both.message
    assert decided("icpc", 0, files=asking) is None
    assert decided("icpc", None, signal=9, files=asking) is None
    other = {"feedback/sub/nextpass.in": b"", "feedback/nextpass.in/sub": b""}
    assert contracts.decide("icpc", Ended(42, files=other)) == Decision(True)


def test_a_feedback_folder_that_is_not_all_there() -> None:
    for files in ({}, {"feedback/nextpass.in": b""}):
        lost = contracts.decide("icpc", Ended(42, files=files, whole=False))
        assert lost.accepted is None
        assert "cannot be kept" in lost.message
    # What it lacks could not make a rejection anything else but an error of the judge's.
    assert decided("icpc", 43, files={}, whole=False) is False


@pytest.mark.parametrize("score", [b"", b"nan", b"inf", b"1 2", b"x" * 10_000, b"\xff"])
def test_what_is_no_score_is_none(score: bytes) -> None:
    found = contracts.decide("icpc", Ended(42, files={"feedback/score.txt": score}))
    assert found.score is None


def test_testlibs_points() -> None:
    assert contracts.decide("testlib", Ended(7, stderr=b"points 0.75 well")).score == 0.75
    assert contracts.decide("testlib", Ended(7, stderr=b"nothing")).score is None
    assert contracts.decide("testlib", Ended(16 + 40)).score == 40
    # By testlib's own header, whatever else these codes mean.
    for points in (0, 1, 3, 7, 9, 40, 200):
        said = f"partially correct ({points}) well".encode()
        for code in (points, 16 + points):
            found = contracts.decide("testlib", Ended(code, stderr=said))
            assert (found.accepted, found.score) == (False, points)
    assert decided("testlib", 0, stderr=b"ok partially correct (0)") is True
    assert decided("testlib", 0, stderr=b"partially correct (5)") is True
    assert "jury" in contracts.decide("testlib", Ended(3, stderr=b"FAIL no answer")).message


def test_messages_are_short_lines() -> None:
    found = contracts.decide("testlib", Ended(1, stderr=b"wrong\n\tanswer " + b"x" * 100_000))
    assert found.message.startswith("wrong answer x")
    assert len(found.message) <= 1000
    assert "\n" not in found.message


NONCE = "0" * 32


def record(**fields: object) -> bytes:
    import json

    return json.dumps({"nonce": NONCE, **fields}).encode() + b"\n"


def test_a_functions_record_is_told_from_others() -> None:
    noise = b'{"nonce": "1", "accepted": true}\n' + NONCE.encode() + b" true\n[" + b"[" * 5000
    channel = noise + b"\n" + record(accepted=False, score=0.5, message="a\nb")
    assert function.decide(channel, NONCE) == Decision(False, "a b", 0.5)
    assert function.decide(noise, NONCE) is None
    assert function.decide(record(accepted=1), NONCE) is None
    failed = function.decide(record(failed="raised KeyError: 1 (line 3)"), NONCE)
    assert failed == Decision(None, "the judge raised KeyError: 1 (line 3)")


def test_scores_are_numbers() -> None:
    for said in (b"points nan", b"points inf", b"points many"):
        assert contracts.decide("testlib", Ended(7, stderr=said)).score is None
