"""One row of a dataset: its prompt, and what a completion is judged by.

Rows are told by their fields, as bytedance/SandboxFusion:sandbox/tests/datasets/samples has them
(classes of sandbox/datasets/ there), besides this project's own:

- `tests`, an object with a `type`: a problem as the native API takes it;
- `tests`, a text: MultiPL-E's test program;
- `test`, a list of inputs and outputs: CodeContests (`CommonOJDataset`);
- `test`, packed, or `input_output`: LiveCodeBench, APPS, TACO;
- `test`, an object with `code`: a test program (`AutoEvalDataset`, `MBXPDataset`);
- `test` or `test_list`, asserts: MBPP, MHPP; with an `entry_point`: HumanEval, EvoEval.

A test program that only defines tests, as BigCodeBench's do for unittest, decides nothing: the
answer is an error.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec

from scalebox.api.codec import explain
from scalebox.api.compat import given
from scalebox.api.compat.evaluation import Task, Wanted
from scalebox.errors import BadRequestError, TooLargeError
from scalebox.formats import packed
from scalebox.model import Problem

#: As it stands in the file.
Row = dict[str, Any]

#: What packed tests may become.
_MAX_UNPACKED_BYTES = 256 << 20
_INSERT = "#<INSERT>"
_PROBLEM = ("tests", "limits", "name")
_FEWSHOT = "few-shot prompts are not made here; a row's labels may hold the examples"


class Prompt(msgspec.Struct, kw_only=True):
    """What a model is to be asked."""

    id: int | str
    prompt: str
    labels: dict[str, Any] = {}


def id_of(row: Row) -> int | str:
    """A row's id.

    Raises:
        BadRequestError: it has none.
    """
    for name in ("id", "task_id", "name"):
        if (value := row.get(name)) is not None:
            if isinstance(value, int | str) and not isinstance(value, bool):
                return value
            raise BadRequestError("expected a text or an integer", field=name)
    raise BadRequestError("the row has no id", field="id")


def prompt_of(row: Row, wanted: Wanted) -> Prompt:
    """What a model is to be asked.

    Raises:
        BadRequestError: the row has no text for it, or what is asked for is not made here.
    """
    if wanted.is_fewshot:
        raise BadRequestError(_FEWSHOT, field="config.is_fewshot")
    text = next((row[name] for name in ("content", "prompt") if isinstance(row.get(name), str)), "")
    if "test_list" in row:
        tests = _texts(row["test_list"], "test_list")
        text = f"{text} Your code should satisfy these tests:\n\n" + "\n".join(tests[:1])
    elif wanted.language and _is_stdio(row):
        text += (
            f"\n\nWrite a complete program in {wanted.language} that reads standard input and "
            "writes standard output."
        )
    return Prompt(id=id_of(row), prompt=text, labels=_labels(row))


def task_of(row: Row, wanted: Wanted) -> Task:
    """What a completion is judged by.

    Raises:
        BadRequestError: the row is of no kind that is judged here.
    """
    tests = row.get("tests")
    if isinstance(tests, dict):
        return _own(row, wanted)
    if isinstance(tests, str):
        return given.assert_task(_test_language(row, wanted), [tests], _entry_point(row))
    if "input_output" in row:
        return _live_code_bench(row["input_output"], row, wanted, "input_output")
    if "test_list" in row:
        return _asserts(_texts(row["test_list"], "test_list"), row)
    test = row.get("test")
    if isinstance(test, str):
        if _looks_packed(test):
            return _live_code_bench(_unpacked(test), row, wanted, "test")
        if test.lstrip()[:1] in ("[", "{"):
            test = given.from_json(test, "test")
    if isinstance(test, str):
        return _asserts([test], row)
    if isinstance(test, dict):
        return _test_program(test, row, wanted)
    if isinstance(test, list) and test and isinstance(test[0], str):
        return _asserts(_texts(test, "test"), row)
    if isinstance(test, list):
        language = _language(row, wanted) or given.language_of(wanted)
        return given.stdio_task(language, test, wanted, "test")
    raise BadRequestError("the row has no tests of a kind that is judged here", field="test")


def _own(row: Row, wanted: Wanted) -> Task:
    try:
        problem = msgspec.convert({name: row[name] for name in _PROBLEM if name in row}, Problem)
    except msgspec.ValidationError as error:
        raise explain(str(error)) from None
    language = _language(row, wanted) or given.language_of(wanted)
    return Task(language, problem.tests, limits=problem.limits)


def _live_code_bench(data: Any, row: Row, wanted: Wanted, place: str) -> Task:
    if isinstance(data, str):
        data = given.from_json(data, place)
    if not isinstance(data, dict):
        raise BadRequestError("expected the lists `inputs` and `outputs`", field=place)
    inputs, outputs = data.get("inputs"), data.get("outputs")
    if not isinstance(inputs, list) or not isinstance(outputs, list):
        raise BadRequestError("expected the lists `inputs` and `outputs`", field=place)
    if not inputs or len(inputs) != len(outputs):
        words = f"expected as many inputs as outputs; there are {len(inputs)} and {len(outputs)}"
        raise BadRequestError(words, field=place)
    language = _language(row, wanted) or "python"
    function = data.get("fn_name")
    if function is None:
        pairs = list(zip(inputs, outputs, strict=True))
        tests = given.stdio_pairs(pairs, wanted, place)
        whole = given.with_preamble if given.is_python(language) else str
        return Task(language, tests, whole=whole, run_timeout_s=20.0)
    cases = [
        {"fn_name": function, "json_input": True, "input": one, "output": other}
        for one, other in zip(inputs, outputs, strict=True)
    ]
    task = given.call_task(language, cases, place)
    if given.is_python(language):
        task = replace(task, whole=given.with_preamble)
    return replace(task, run_timeout_s=20.0)


def _looks_packed(text: str) -> bool:
    """Whether a text begins as base64 of zlib does."""
    return text.startswith(("eJ", "eN", "eF", "eA")) and not any(map(str.isspace, text[:32]))


def _unpacked(text: str) -> Any:
    try:
        found = packed.unpack(text, _MAX_UNPACKED_BYTES)
    except TooLargeError:
        raise BadRequestError(
            f"the packed tests have more than {_MAX_UNPACKED_BYTES} bytes, or too many values",
            field="test",
        ) from None
    except BadRequestError as error:
        raise BadRequestError(error.message, field="test") from None
    return found.get("input_output") if isinstance(found, dict) else found


def _asserts(programs: list[str], row: Row) -> Task:
    if not programs:
        raise BadRequestError("expected asserts", field="test_list")
    setup = _labels(row).get("test_setup_code")
    task = given.assert_task("python", ["\n".join(programs)], _entry_point(row))
    if not isinstance(setup, str) or not setup:
        return task
    whole = task.whole
    return replace(task, whole=lambda code: f"{setup}\n{whole(code)}")


def _test_program(test: dict[str, Any], row: Row, wanted: Wanted) -> Task:
    code = test.get("code", test.get("test"))
    if not isinstance(code, str):
        raise BadRequestError("expected test.code", field="test.code")
    language = _test_language(row, wanted)
    before, found, after = code.partition(_INSERT)
    task = given.assert_task(language, [after if found else code], _entry_point(row))
    whole = task.whole
    if found:
        task = replace(task, whole=lambda program: before + whole(program))
    return replace(task, files=_assets(test.get("asset")))


def _assets(asset: Any) -> dict[str, str] | None:
    if isinstance(asset, str):
        asset = given.from_json(asset, "test.asset")
    if not asset:
        return None
    if not isinstance(asset, dict):
        raise BadRequestError("expected files in base64, by their paths", field="test.asset")
    files = {path: text for path, text in asset.items() if text is not None}
    if not all(isinstance(text, str) for text in files.values()):
        raise BadRequestError("expected files in base64, by their paths", field="test.asset")
    return files


def _is_stdio(row: Row) -> bool:
    test = row.get("test")
    return isinstance(test, list) or (isinstance(test, str) and test.lstrip()[:2] == "[{")


def _language(row: Row, wanted: Wanted) -> str | None:
    """Of a program that any language may be: the request's, else what the row says."""
    return given.known_language(wanted.language) if wanted.language else _row_language(row)


def _test_language(row: Row, wanted: Wanted) -> str:
    """Of a program whose tests are programs: the row's, else what the request says."""
    return _row_language(row) or _language(row, wanted) or "python"


def _row_language(row: Row) -> str | None:
    labels = _labels(row)
    for value in (
        labels.get("execution_language"), labels.get("programming_language"),
        labels.get("language"), row.get("language"),
    ):  # fmt: skip
        if isinstance(value, str) and value:
            return given.known_language(value.partition(".")[0])  # `go_test.go`
    return None


def _entry_point(row: Row) -> str | None:
    for value in (row.get("entry_point"), _labels(row).get("entry_point")):
        if isinstance(value, str) and value:
            return value
    return None


def _labels(row: Row) -> dict[str, Any]:
    labels = row.get("labels")
    if isinstance(labels, str):
        labels = given.from_json(labels, "labels") if labels else None
    if labels is None:
        return {}
    if not isinstance(labels, dict):
        raise BadRequestError("expected an object", field="labels")
    return labels


def _texts(value: Any, place: str) -> list[str]:
    if isinstance(value, str):
        value = given.from_json(value, place)
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise BadRequestError("expected a list of texts", field=place)
    return value
