"""Ground truths of data sets: what they are read as, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalebox.errors import BadRequestError
from scalebox.integrations.truths import Truth, truth_in_row, truth_of
from scalebox.model import (
    AssertCase,
    AssertTests,
    CallCase,
    CallTests,
    Comparison,
    Limits,
    Problem,
    StdioCase,
    StdioTests,
)

STDIO = StdioTests(cases=[StdioCase(input="1 2\n", answer="3\n")])
CALLS = CallTests(function="add", cases=[CallCase(args=[1, 2], expected=3)])
ASSERTS = AssertTests(cases=[AssertCase(program="assert add(1, 2) == 3")])


class Array:
    """What Parquet readers give in place of a list."""

    def __init__(self, *values: Any) -> None:
        self._values = values

    def tolist(self) -> list[Any]:
        return list(self._values)


@pytest.mark.parametrize(
    "given",
    [
        STDIO,
        {"inputs": ["1 2\n"], "outputs": ["3\n"]},
        {"inputs": Array("1 2\n"), "outputs": Array("3\n"), "fn_name": None},
        {"inputs": [["1 2", ""]], "outputs": [["3", ""]]},
        {"input": ["1 2\n"], "output": ["3\n"], "fn_name": "", "type": "stdin_stdout"},
        {"input_output": '{"inputs": ["1 2\\n"], "outputs": ["3\\n"]}'},
        {"input_output": {"inputs": ["1 2\n"], "outputs": ["3\n"]}},
        {"test_cases": '{"inputs": ["1 2\\n"], "outputs": ["3\\n"]}'},
        {"unit_tests": {"inputs": ["1 2\n"], "outputs": ["3\n"], "fn_name": None}},
        [{"input": "1 2\n", "output": "3\n", "testtype": "stdin"}],
        [{"input": "1 2\n", "output": "3\n"}],
        {
            "language": "python",
            "test_cases": Array(
                {"input": "1 2\n", "output": "3\n", "type": "stdin_stdout", "fn_name": None}
            ),
        },
        {"tests": [{"input": "1 2\n", "output": "3\n", "testtype": "stdin"}]},
        "{'test_cases': [{'type': 'stdin_stdout', 'input': '1 2\\n', 'output': '3\\n'}]}",
        {"tests": {"type": "stdio", "cases": [{"input": "1 2\n", "answer": "3\n"}]}},
        {"type": "stdio", "cases": [{"input": "1 2\n", "answer": "3\n"}]},
    ],
)
@pytest.mark.parametrize("as_text", [False, True])
def test_pairs_of_texts_are_cases_of_stdio(given: Any, as_text: bool) -> None:
    if as_text and not isinstance(given, str):
        given = json.dumps(
            given, default=lambda x: msgspec.to_builtins(x.tolist() if isinstance(x, Array) else x)
        )
    assert truth_of(given).tests == STDIO


@pytest.mark.parametrize(
    "given",
    [
        # Arguments in JSON, one a line, and a value in JSON: PRIME, LiveCodeBench.
        {"inputs": ["1\n2"], "outputs": ["3"], "fn_name": "add"},
        # Lists of arguments, values in a list of their own: APPS, TACO.
        {"inputs": [[1, 2]], "outputs": [[3]], "fn_name": "add"},
        {"inputs": [[1, 2]], "outputs": [3], "fn_name": "Solution().add"},
        {"input": ["1\n2"], "output": ["3"], "fn_name": "add", "type": "function_call"},
        [
            {
                "input": "1\n2",
                "output": "3",
                "testtype": "functional",
                "metadata": {"func_name": "add"},
            }
        ],
        [{"input": "1\n2", "output": "3", "type": "function_call", "fn_name": "add"}],
        [{"input": "1\n2", "output": "3", "metadata": '{"func_name": "add"}'}],
    ],
)
def test_names_of_functions_make_calls(given: Any) -> None:
    assert truth_of(given).tests == CALLS
    assert truth_of(json.dumps(given)).tests == CALLS


def test_a_list_of_one_is_its_element_only_where_all_outputs_are_such() -> None:
    def expected(outputs: list[Any]) -> list[Any]:
        inputs = [[1]] * len(outputs)
        tests = truth_of({"inputs": inputs, "outputs": outputs, "fn_name": "f"}).tests
        assert isinstance(tests, CallTests)
        return [case.expected for case in tests.cases]

    assert expected([[3], [[4]]]) == [3, [4]]
    assert expected([[3], [4, 5], []]) == [[3], [4, 5], []]
    texts = truth_of({"inputs": ["1"], "outputs": ["[3]"], "fn_name": "f"}).tests
    assert isinstance(texts, CallTests)
    assert texts.cases[0].expected == [3]


def test_texts_that_were_not_quoted_and_named_arguments_are_taken() -> None:
    tests = truth_of({"inputs": [{"a": 1}], "outputs": ["abc"], "fn_name": "f"}).tests
    assert tests == CallTests(function="f", cases=[CallCase(kwargs={"a": 1}, expected="abc")])


@pytest.mark.parametrize(
    "given",
    [
        ["assert add(1, 2) == 3"],
        "assert add(1, 2) == 3",
        {"asserts": ["assert add(1, 2) == 3"]},
        {"test_list": Array("assert add(1, 2) == 3")},
        {"inputs": [""], "outputs": [""], "assert_case": ["assert add(1, 2) == 3"]},
        {"input": [""], "output": ["assert add(1, 2) == 3"], "fn_name": "", "type": "assert"},
    ],
)
def test_asserts_are_test_programs(given: Any) -> None:
    assert truth_of(given).tests == ASSERTS


def test_humaneval_and_mbpp_rows_are_read() -> None:
    test = "def check(candidate):\n    assert candidate(1, 2) == 3\n"
    case = AssertCase(program=test)
    assert truth_of({"test": test, "entry_point": "add", "task_id": "HumanEval/0"}).tests == (
        AssertTests(cases=[case], entry_point="add")
    )
    row = {
        "test_list": ["assert add(1, 2) == 3"],
        "test_setup_code": "x = 1",
        "test_imports": ["import math"],
    }
    program = "import math\nx = 1\nassert add(1, 2) == 3"
    assert truth_of(row).tests == AssertTests(cases=[AssertCase(program=program)])


def test_what_is_ours_is_taken_with_its_judge_and_limits() -> None:
    judged = StdioTests(cases=STDIO.cases, judge=Comparison(mode="exact"))
    problem = Problem(tests=judged, limits=Limits(cpu_time_s=2.0))
    for form in (problem, msgspec.to_builtins(problem), msgspec.json.encode(problem).decode()):
        assert truth_of(form) == Truth(tests=judged, limits=Limits(cpu_time_s=2.0))
    assert truth_of({"inputs": ["1"], "outputs": ["1"]}).plain
    assert not truth_of(judged).plain


def test_ids_name_registered_problems() -> None:
    assert truth_of("sums/one") == truth_of({"problem": "sums/one"}) == Truth(problem="sums/one")


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (None, "NoneType"),
        (3.5, "float"),
        ("42", "asserts nothing"),
        ("-3/4", "asserts nothing"),
        ("{oops", "begins like JSON"),
        ([], "without any case"),
        ({}, "fields"),
        ({"question": "x"}, "question"),
        ({"inputs": [], "outputs": []}, "without any case"),
        ({"inputs": ["1"], "outputs": []}, "1 inputs, but 0 outputs"),
        ({"inputs": "1", "outputs": "2"}, "no lists"),
        ({"inputs": ["x"], "outputs": ["1"], "fn_name": "f"}, "cannot be read"),
        ([{"input": "1"}], "neither asserts nor pairs"),
        ([{"input": "1", "output": "1", "type": "function_call"}], "fn_name"),
        (
            [
                {"input": "1", "output": "1", "type": "function_call", "fn_name": "f"},
                {"input": "1", "output": "1", "type": "stdin_stdout"},
            ],
            "several kinds",
        ),
        ({"type": "stdio", "cases": [{"inptu": "1"}]}, "inptu"),
        # These would accept every program.
        ("def check(candidate):\n    assert candidate(1) == 2\n", "never calls it"),
        ("from solution import f\n\ndef test_f():\n    assert f(1) == 2\n", "never calls it"),
    ],
)
def test_what_is_no_ground_truth_is_refused(given: Any, why: str) -> None:
    with pytest.raises(BadRequestError, match=why) as caught:
        truth_of(given)
    assert caught.value.field == "ground_truth"


FIELDS = ["inputs", "outputs", "input", "output", "fn_name", "type", "tests", "cases", "test"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(JSON)
def test_anything_else_is_a_ground_truth_or_refused(given: Any) -> None:
    try:
        truth = truth_of(given)
    except BadRequestError:
        return
    assert truth.problem or (truth.tests is not None and truth.tests.cases)


def test_rows_have_it_in_customary_columns() -> None:
    assert truth_in_row({"prompt": "p", "ground_truth": "t"}) == "t"
    assert truth_in_row({"reward_model": {"style": "rule", "ground_truth": "t"}}) == "t"
    assert truth_in_row({"reward_spec": {"ground_truth": "t"}}) == "t"
    assert truth_in_row({"verification_info": {"test_cases": []}}) == {"test_cases": []}
    row = {"task_id": 1, "test_list": ["t"], "test_imports": ["i"], "text": "x"}
    assert truth_in_row(row) == {"test_list": ["t"], "test_imports": ["i"]}
    # A problem's text, its answer and others are none.
    assert truth_in_row({"problem": "Add.", "answer": "42", "input": "1", "output": "2"}) is None
    assert truth_in_row({"ground_truth": None, "tests": None}) is None
    assert truth_in_row({"mine": "t", "ground_truth": "other"}, "mine") == "t"
