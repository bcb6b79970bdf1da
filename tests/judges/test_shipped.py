"""The judges that ship: every example is decided rightly, nothing that a program writes makes one
fail or linger, and what `judge.toml` says of a judge is so."""

from __future__ import annotations

import ast
import itertools
import random
import sys
import time
import tracemalloc
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scalebox.config import LimitsConfig
from scalebox.judges.directory import shipped
from scalebox.judges.folder import JudgeExample

from .natively import accepts, judged, natively

JUDGES = {judge.info.name: judge for judge in shipped()}
FUNCTIONS = {name: judge for name, judge in JUDGES.items() if judge.source}
every_judge = pytest.mark.parametrize("name", JUDGES)
every_function = pytest.mark.parametrize("name", FUNCTIONS)
often = settings(
    max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
#: Texts of the kind that judges look for, and others.
WORDS = st.sampled_from(
    ["1", "-0", "007", "1.5", "1e999", "nan", "yes", "No", "{", "[1,", '"', "null", "\n", "\0", "é"]
)
TEXTS = st.lists(WORDS | st.text(max_size=5), max_size=12).map(" ".join) | st.text(max_size=40)


@cache
def examples(name: str) -> list[JudgeExample]:
    return JUDGES[name].examples()


@every_judge
def test_every_example_is_decided_rightly(name: str) -> None:
    for example in examples(name):
        decide = natively(JUDGES[name].given(example.parameters))
        found = decide(example.input, example.output, example.answer)
        assert accepts(found) is example.accepted, (example.name, found)


@every_judge
def test_there_are_enough_examples(name: str) -> None:
    accepted = [example.accepted for example in examples(name)]
    assert accepted.count(True) >= 4
    assert accepted.count(False) >= 4
    assert any(not example.output.strip() for example in examples(name)), "an empty output"
    chosen = {key for example in examples(name) for key in example.parameters}
    assert chosen == {parameter.name for parameter in JUDGES[name].info.parameters}


@pytest.mark.parametrize("name", [name for name in JUDGES if JUDGES[name].info.looser_than])
def test_a_looser_judge_accepts_what_the_stricter_accepts(name: str) -> None:
    """Over the examples of all judges.  An answer that is none of its kind has no looser judge."""
    looser, compared = natively(JUDGES[name].given({})), 0
    for stricter in JUDGES[name].info.looser_than:
        decide = natively(JUDGES[stricter].given({}))
        for example in (one for other in JUDGES for one in examples(other)):
            texts = (example.input, example.output, example.answer)
            if judged(decide, *texts) and (found := judged(looser, *texts)) is not None:
                assert found, (stricter, example)
                compared += 1
    assert compared >= 10


@every_judge
def test_looseness_goes_in_no_circle(name: str) -> None:
    reached, waiting = set[str](), list(JUDGES[name].info.looser_than)
    while waiting:
        other = waiting.pop()
        if other not in reached:
            reached.add(other)
            waiting += JUDGES[other].info.looser_than
    assert name not in reached


@every_function
def test_parameters_have_the_defaults_of_the_source(name: str) -> None:
    tree = ast.parse(FUNCTIONS[name].source)
    assigned = {
        target.id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name) and not target.id.startswith("_")
    }
    parameters = FUNCTIONS[name].info.parameters
    assert assigned == {one.name.upper(): one.default for one in parameters}
    for one in parameters:
        assert type(assigned[one.name.upper()]) is type(one.default)


@every_function
def test_a_source_is_for_python_3_8_and_the_standard_library(name: str) -> None:
    tree = ast.parse(FUNCTIONS[name].source, feature_version=(3, 8))
    assert ast.get_docstring(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            assert all(alias.name in sys.stdlib_module_names for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module in sys.stdlib_module_names


# --- what a program may write ---------------------------------------------------------------------


@every_function
@often
@given(data=st.data())
def test_no_output_makes_a_judge_fail(name: str, data: st.DataObject) -> None:
    example = data.draw(st.sampled_from(examples(name)))
    output = data.draw(st.binary(max_size=60) | TEXTS.map(str.encode))
    decide = natively(FUNCTIONS[name].given(example.parameters))
    accepts(decide(example.input, output, example.answer))


@every_function
@often
@given(output=TEXTS, answer=TEXTS)
def test_no_answer_makes_a_judge_fail_without_saying_so(
    name: str, output: str, answer: str
) -> None:
    judged(natively(FUNCTIONS[name].given({})), b"", output.encode(), answer.encode())


# Of the two others the answer is a measure, and a list.
@pytest.mark.parametrize("name", sorted(JUDGES.keys() - {"permutation", "one_of_lines"}))
@often
@given(data=st.data())
def test_the_answer_itself_is_accepted(name: str, data: st.DataObject) -> None:
    example = data.draw(st.sampled_from(examples(name)))
    decide = natively(JUDGES[name].given(example.parameters))
    assert accepts(decide(example.input, example.answer, example.answer))


_BYTES = 5_000_000


@cache
def large(kind: str) -> tuple[bytes, bytes]:
    """Output and answer of some 5 MB."""
    random_ = random.Random(5)
    if kind == "numbers":
        numbers = [b"%d" % random_.randrange(10**8) for _ in range(_BYTES // 9)]
        answer = b"%d\n%s\n" % (len(numbers), b"\n".join(numbers))
        random_.shuffle(numbers)
        return b"%d\n%s\n" % (len(numbers), b" ".join(numbers)), answer
    if kind == "short tokens":
        tokens = [b"1"] * (_BYTES // 2)
        return b" ".join([*tokens[1:], b"2"]), b" ".join([b"2", *tokens[1:]])
    if kind == "json":
        objects = b",".join(b'{"a":%d.5}' % number for number in range(_BYTES // 14))
        return b"[%s]" % objects, b"[%s, 1]" % objects
    one = {"one token": b"9", "empty lines": b"\n", "brackets": b"["}[kind]
    return one * _BYTES, b"1\n"


KINDS = ("numbers", "short tokens", "one token", "empty lines", "brackets")


@pytest.mark.parametrize(("name", "kind"), [("json", "json"), *itertools.product(FUNCTIONS, KINDS)])
def test_megabytes_take_a_bounded_time(name: str, kind: str) -> None:
    """Of CPU; what a judge has by default is many times what is needed."""
    output, answer = large(kind)
    decide = natively(FUNCTIONS[name].given({}))
    began = time.process_time()
    judged(decide, b"", output, answer)
    assert time.process_time() - began < LimitsConfig().judge_cpu_time_s


@pytest.mark.parametrize("flood", [b"ab ", b"ab\n", b"[],", b'{"a":1},'], ids=ascii)
@every_function
def test_a_flood_takes_little_more_memory_than_its_text(name: str, flood: bytes) -> None:
    """Else a wrong output would be the judge's failure, and no verdict about the program."""
    output = b"[" + flood * (1_000_000 // len(flood))
    decide = natively(FUNCTIONS[name].given({}))
    for example in examples(name)[:3]:
        tracemalloc.start()
        try:
            assert judged(decide, b"", output, example.answer) is not True
            _, peak_bytes = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak_bytes < 8 * len(output)
