"""Signs are what programs and words show; weighing them is arithmetic on counts."""

from __future__ import annotations

import pytest

from scalebox.specialjudges import classify
from scalebox.specialjudges.classify import SIGNS, Counts, signs_of
from scalebox.specialjudges.evidence import Evidence, Written
from scalebox.specialjudges.material import Material
from scalebox.specialjudges.prompts import ModelOpinion
from tests.specialjudges.problems import SUM_TESTS, material, split

DIFFER, NUMBERS, ORDER, OTHERWISE = SIGNS[:4]
ANY, INTERACTIVE, ANY_ORDER = SIGNS[4:7]


def written(*outputs: bytes) -> Evidence:
    """Of programs that are right, each with the same output on the only test."""
    return Evidence(
        programs=[
            Written(name=str(number), is_right=True, outputs=[output])
            for number, output in enumerate(outputs)
        ]
    )


def one_test(answer: bytes, statement: str = "") -> Material:
    return material("m", [(b"", answer)], {}, {}, statement=statement)


@pytest.mark.parametrize(
    ("answer", "outputs", "signs"),
    [
        (b"1 2\n", [b"1  2", b"1 2\n"], set()),
        (b"1 2\n", [b"2 1\n"], {DIFFER, ORDER}),
        (b"1.5\n", [b"1.50000001\n"], {DIFFER, NUMBERS}),
        (b"15\n", [b"16\n"], {DIFFER, OTHERWISE}),
        (b"1 2\n", [b"3\n"], {DIFFER, OTHERWISE}),
        (b"Yes\n", [b"YES\n"], set()),
        (b"", [], set()),
    ],
)
def test_how_outputs_differ(answer: bytes, outputs: list[bytes], signs: set[str]) -> None:
    found = signs_of(one_test(answer), written(*outputs))
    assert {sign for sign in SIGNS[:4] if found[sign]} == signs
    assert set(found) == set(SIGNS)


def test_case_and_lines_are_a_matter_of_spelling() -> None:
    found = signs_of(one_test(b"a\nb\n"), written(b"a b\n"))
    assert found["they differ in case or lines alone"]
    assert not found[DIFFER]


def test_an_answer_that_nobody_writes() -> None:
    assert signs_of(one_test(b"1\n"), written(b"2\n"))["no right program writes the jury's answer"]
    assert not signs_of(one_test(b"1\n"), written(b"1\n", b"2\n"))[
        "no right program writes the jury's answer"
    ]


@pytest.mark.parametrize(
    ("words", "sign"),
    [
        ("If there are multiple solutions, you may output any one of them.", ANY),
        ("Om det finns flera lösningar kan du skriva ut vilken som helst.", ANY),
        ("S'il y a plusieurs solutions, affichez n'importe laquelle.", ANY),
        ("This is an interactive problem. Remember to flush.", INTERACTIVE),
        ("L'interacteur vous répondra.", INTERACTIVE),
        ("Print the edges in any order.", ANY_ORDER),
    ],
)
def test_words_are_signs(words: str, sign: str) -> None:
    assert signs_of(one_test(b"1"), Evidence(programs=[]))[sign] is False
    assert signs_of(one_test(b"1", words), Evidence(programs=[]))[sign] is True


def counts(**seen: tuple[int, int]) -> Counts:
    return Counts(origin="a test", needing=10, plain=10, seen=dict(seen))


def test_signs_weigh_as_they_were_seen() -> None:
    signs = dict.fromkeys(SIGNS, False) | {DIFFER: True}
    both = classify.classify(signs, counts=counts(**{DIFFER: (9, 1)}))
    assert both.needs_judge
    assert both.confidence > 0.7
    assert both.signs == [DIFFER]
    assert not classify.classify(signs, counts=counts(**{DIFFER: (1, 9)})).needs_judge


def test_a_models_opinion_is_one_more_sign() -> None:
    signs = dict.fromkeys(SIGNS, False)
    none = classify.classify(signs, counts=counts())
    sure = ModelOpinion(needs=True, kind="order", confidence=1.0, reason="because")
    assert none.confidence == pytest.approx(0.5)
    with_it = classify.classify(signs, counts=counts(), opinion=sure)
    assert with_it.needs_judge
    assert with_it.kind == "order"
    assert with_it.opinion == sure
    strong = counts(**{DIFFER: (0, 10)})
    seen = signs | {DIFFER: True}
    against = classify.classify(seen, counts=strong, opinion=sure)
    assert not against.needs_judge


def test_counting() -> None:
    yes, no = dict.fromkeys(SIGNS, True), dict.fromkeys(SIGNS, False)
    found = classify.count([(yes, True), (no, True), (yes, False)], "here")
    assert (found.needing, found.plain, found.origin) == (2, 1, "here")
    assert found.seen == dict.fromkeys(SIGNS, (1, 1))


def test_the_counts_that_ship_know_every_sign() -> None:
    shipped = classify.shipped_counts()
    assert set(shipped.seen) == set(SIGNS)
    assert shipped.needing > 0 < shipped.plain
    for needing, plain in shipped.seen.values():
        assert 0 <= needing <= shipped.needing
        assert 0 <= plain <= shipped.plain


def test_the_usual_cases_with_the_counts_that_ship() -> None:
    outputs = {"one": b"1 %d\n", "half": b"2 %d\n"}
    problem = split()
    evidence = Evidence(
        programs=[
            Written(
                name=name, is_right=True, outputs=[text % (int(test.input) - text[0] + 48)
                                                   for test in problem.tests],
            )
            for name, text in outputs.items()
        ]
    )  # fmt: skip
    found = classify.classify(signs_of(problem, evidence))
    assert (found.needs_judge, found.kind) == (True, "any_valid")
    plain = material("add", SUM_TESTS, {}, {}, statement="Print the sum.")
    answers = Written(name="a", is_right=True, outputs=[test.answer for test in plain.tests])
    found = classify.classify(signs_of(plain, Evidence(programs=[answers])))
    assert (found.needs_judge, found.kind) == (False, "exact")
