"""Samples that there are already: every form of file, and files that are not as they must be."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalebox.suite.errors import SuiteError
from scalebox.suite.sampling import files
from scalebox.suite.sampling.files import Samples, canonical_samples, read_samples
from scalebox.suite.tasks import Sample
from tests.suite.sampling.conftest import task

IDS = ["HumanEval/0", "HumanEval/1"]


def written(folder: Path, rows: list[Any], name: str = "samples.jsonl") -> Path:
    file = folder / name
    if name.endswith((".jsonl", ".jsonl.gz")):
        text = "".join(json.dumps(row) + "\n" for row in rows).encode()
    else:
        text = json.dumps(rows).encode()
    file.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    return file


def found(samples: Samples) -> list[tuple[str, int, str, str]]:
    return [(one.task, one.index, one.text, one.kind) for one in samples.samples]


def refused(file: Path, *parts: str, ids: list[str] = IDS, **given: Any) -> None:
    with pytest.raises(SuiteError) as caught:
        read_samples(file, ids, **given)
    for part in (str(file), *parts):
        assert part in str(caught.value)


@pytest.mark.parametrize("name", ["s.jsonl", "s.jsonl.gz", "s.json", "a.jsonl.old.json.gz"])
def test_forms_of_files(name: str, tmp_path: Path) -> None:
    rows = [
        {"task_id": "HumanEval/0", "completion": " a"},
        {"task_id": "HumanEval/1", "completion": " b"},
        {"task_id": "HumanEval/0", "completion": " c"},
    ]
    file = written(tmp_path, rows, name)
    samples = read_samples(file, IDS)
    assert found(samples) == [
        ("HumanEval/0", 0, " a", "completion"),
        ("HumanEval/1", 0, " b", "completion"),
        ("HumanEval/0", 1, " c", "completion"),
    ]
    assert samples.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert samples.missing == {}


@pytest.mark.parametrize(
    ("row", "kind", "texts"),
    [
        ({"solution": "x"}, "solution", ["x"]),
        ({"solution": "x", "completion": "y"}, "solution", ["x"]),
        ({"solutions": ["x", "y"]}, "solution", ["x", "y"]),
        ({"completion": "x", "text": "the problem's words"}, "completion", ["x"]),
        ({"completions": ["x", "y"]}, "completion", ["x", "y"]),
        ({"completion": ["x", "y"]}, "completion", ["x", "y"]),
        ({"answer": "x"}, "answer", ["x"]),
        ({"output": "x"}, "answer", ["x"]),
        ({"response": "x"}, "answer", ["x"]),
        ({"text": "x"}, "answer", ["x"]),
        ({"generation": "x", "text": "the problem's words"}, "answer", ["x"]),
        ({"outputs": ["x", "y"]}, "answer", ["x", "y"]),
        ({"generations": ["x"]}, "answer", ["x"]),
        ({"solution": ""}, "solution", [""]),
        ({"completions": ["x"], "metrics": float("nan"), "_identifier": "i"}, "completion", ["x"]),
    ],
)
def test_fields_say_what_a_row_holds(
    row: dict[str, Any], kind: str, texts: list[str], tmp_path: Path
) -> None:
    file = written(tmp_path, [{"task_id": "HumanEval/0", **row}])
    expected = [("HumanEval/0", index, text, kind) for index, text in enumerate(texts)]
    assert found(read_samples(file, IDS)) == expected


def test_output_file_of_livecodebench(tmp_path: Path) -> None:
    rows = [
        {"question_id": "abc301_a", "output_list": ["```x```", "y"], "code_list": ["x", ""]},
        {"question_id": "2777", "output_list": ["only words"]},
    ]
    file = written(tmp_path, rows, "Scenario.codegeneration_2_0.2.json")
    assert found(read_samples(file, ["abc301_a", "2777"])) == [
        ("abc301_a", 0, "x", "solution"),
        ("abc301_a", 1, "", "solution"),
        ("2777", 0, "only words", "answer"),
    ]


def test_numbers_are_ids_too(tmp_path: Path) -> None:
    file = written(tmp_path, [{"task_id": 11, "solution": "x"}])
    assert found(read_samples(file, ["11"])) == [("11", 0, "x", "solution")]


def test_our_own_samples_are_given_back(tmp_path: Path) -> None:
    ours = [
        Sample(task="HumanEval/1", index=1, text="b", kind="completion", finish="length"),
        Sample(task="HumanEval/1", index=0, text="", reasoning="r", completion_tokens=4),
        Sample(task="HumanEval/0", index=0, text="a", seconds=1.5),
    ]
    file = tmp_path / "samples.jsonl"
    file.write_bytes(b"".join(msgspec.json.encode(one) + b"\n" for one in ours))
    assert read_samples(file, IDS).samples == ours


def test_so_many_of_each_are_taken(tmp_path: Path) -> None:
    rows: list[Any] = [{"task_id": "HumanEval/0", "solutions": ["a", "b", "c"]}]
    ours = [msgspec.to_builtins(Sample(task="HumanEval/1", index=i, text="x")) for i in (2, 0)]
    samples = read_samples(written(tmp_path, rows + ours), IDS, 2)
    assert [one[:2] for one in found(samples)] == [
        ("HumanEval/0", 0), ("HumanEval/0", 1), ("HumanEval/1", 0),
    ]  # fmt: skip
    assert samples.missing == {"HumanEval/1": 1}
    assert samples.passed_over == 2


def test_tasks_without_samples_are_said(tmp_path: Path) -> None:
    file = written(tmp_path, [{"task_id": "B", "solution": "x"}])
    assert read_samples(file, ["C", "B", "A"]).missing == {"C": 1, "A": 1}
    assert read_samples(file, ["C", "B", "A"], 3).missing == {"C": 3, "B": 2, "A": 3}


def test_tasks_that_are_not_chosen_are_passed_over(tmp_path: Path) -> None:
    file = written(tmp_path, [{"task_id": name, "solution": "x"} for name in ("A", "B", "B")])
    samples = read_samples(file, ["A"], left_out=["B"])
    assert (found(samples), samples.passed_over) == ([("A", 0, "x", "solution")], 2)


def test_tasks_that_the_benchmark_has_not_are_an_error(tmp_path: Path) -> None:
    rows = [
        {"task_id": "HumanEval/0", "solution": "x"},
        {"task_id": "Mbpp/2", "solutions": ["x", "y"]},
        {"task_id": "Mbpp/3", "solution": "x"},
    ]
    refused(
        written(tmp_path, rows),
        "has samples to task 'Mbpp/2', and 1 other tasks (3 samples in all)",
        "its ids are like 'HumanEval/0'",
    )


def test_sample_that_is_there_twice_is_an_error(tmp_path: Path) -> None:
    twins = [msgspec.to_builtins(Sample(task="HumanEval/0", index=3, text=one)) for one in "ab"]
    refused(
        written(tmp_path, twins),
        "line 2: sample 3 of task 'HumanEval/0' is there twice (first at line 1)",
    )


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b'{"task_id": "HumanEval/0", "solu', "line 2 is no JSON (was it cut off?)"),
        (b'{"task_id": "HumanEval/0", "solution": "\xff"}', "line 2 is no UTF-8: invalid start"),
        (b'{"task_id": "HumanEval/0", "solution": "\\ud800"}', "line 2: solution has half of a"),
        (b'{"task_id": "HumanEval/0", "solution": null}', "line 2: solution is null, not a text"),
        (b'{"task_id": "HumanEval/0", "solutions": ["x", 3]}', "solutions is int, not a text"),
        (b'{"task_id": "HumanEval/0", "solutions": {"0": "x"}}', "solutions is dict, not a text"),
        (b'{"task_id": "HumanEval/0", "code": "x"}', "line 2 has no sample; it would be in solut"),
        (b'{"solution": "x"}', "line 2 does not say which task"),
        (b'{"task_id": null, "solution": "x"}', "line 2: task_id is null, not a text"),
        (b'{"task_id": true, "solution": "x"}', "line 2: task_id is bool, not a text"),
        (b'["HumanEval/0", "x"]', "line 2 is no sample: an object"),
        (b'"x"', "line 2 is no sample: an object"),
        (b"[" * 100_000, "line 2 is no JSON"),
        (b'{"task": "HumanEval/0", "index": 0}', "line 2 is no sample of ours: Object missing"),
        (b'{"task": "HumanEval/0", "index": "0", "text": "x"}', "is no sample of ours: Expected"),
        (b'{"task": "HumanEval/0", "index": -1, "text": "x"}', "ours: its index is -1"),
        (b'{"task": "HumanEval/0", "index": 0, "text": "\\ud800"}', "line 2 has half of a charac"),
        (b'{"task": "HumanEval/0", "index": 0, "text": "x", "kind": "y"}', "Invalid enum value"),
    ],
)
def test_line_that_is_not_as_it_must_be(line: bytes, words: str, tmp_path: Path) -> None:
    file = written(tmp_path, [{"task_id": "HumanEval/0", "solution": "x"}])
    file.write_bytes(file.read_bytes() + line + b"\n")
    refused(file, words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b'[{"task_id": "HumanEval/0"', "is no JSON (was it cut off?)"),
        (b'{"HumanEval/0": ["x"]}', "is dict, not a list of samples"),
        (b"null", "is null, not a list"),
        (b"[[]]", "item 0 is no sample"),
        (b"[]", "holds no sample to any of the 2 tasks"),
        (b'[{"task_id": "HumanEval/0", "solutions": []}]', "holds no sample"),
        (b"", "is no JSON"),
    ],
)
def test_json_that_is_not_as_it_must_be(text: bytes, words: str, tmp_path: Path) -> None:
    file = tmp_path / "s.json"
    file.write_bytes(text)
    refused(file, words)


def test_file_that_cannot_be_read(tmp_path: Path) -> None:
    refused(tmp_path / "none.jsonl", "cannot be read: No such file")
    refused(tmp_path / "samples.csv", "files of samples end in .jsonl")
    (tmp_path / "folder.jsonl").mkdir()
    refused(tmp_path / "folder.jsonl", "is no file")
    os.mkfifo(tmp_path / "pipe.jsonl")
    refused(tmp_path / "pipe.jsonl", "is no file")
    (tmp_path / "plain.jsonl.gz").write_text("{}\n")
    refused(tmp_path / "plain.jsonl.gz", "cannot be read: Not a gzipped file")
    whole = written(tmp_path, [{"task_id": "HumanEval/0", "solution": "x"}], "cut.jsonl.gz")
    whole.write_bytes(whole.read_bytes()[:-9])
    refused(whole, "cannot be read: Compressed file ended")
    damaged = bytearray(written(tmp_path, [{"task_id": "A"}] * 50, "bad.jsonl.gz").read_bytes())
    damaged[10] = 0xFF  # no kind of block is so
    (tmp_path / "bad.jsonl.gz").write_bytes(damaged)
    refused(tmp_path / "bad.jsonl.gz", "cannot be read")


def test_line_and_file_without_end_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small file unpacks to a large one, which is read up to a bound."""
    monkeypatch.setattr(files, "MAX_LINE_BYTES", 1 << 20)
    monkeypatch.setattr(files, "MAX_JSON_BYTES", 1 << 20)
    for name, words in (
        ("s.jsonl.gz", "line 1 is longer than 1,048,576 bytes"),
        ("s.json.gz", "is larger than 1,048,576 bytes"),
    ):
        file = tmp_path / name
        file.write_bytes(gzip.compress(b" " * (8 << 20)))
        refused(file, words)


def test_empty_lines_and_a_mark_of_byte_order_mean_nothing(tmp_path: Path) -> None:
    file = tmp_path / "s.jsonl"
    file.write_bytes(b'\xef\xbb\xbf{"task_id": "HumanEval/0", "solution": "x"}\r\n\n \n')
    assert found(read_samples(file, IDS)) == [("HumanEval/0", 0, "x", "solution")]


@given(
    st.lists(
        st.binary(max_size=30)
        | st.dictionaries(
            st.sampled_from(["task_id", "task", "index", "text", "solution", "outputs"]),
            st.none() | st.integers() | st.text(max_size=3) | st.lists(st.text(max_size=3)),
        ).map(lambda row: json.dumps(row).encode()),
        max_size=3,
    )
)
def test_any_file_is_samples_or_an_error(lines: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "s.jsonl")
        file.write_bytes(b"\n".join(lines))
        with contextlib.suppress(SuiteError):
            assert read_samples(file, ["", "0"]).samples


def test_canonical_solutions_are_samples() -> None:
    tasks = [task("A", canonical="x = 1\n"), task("B"), task("C", canonical="")]
    assert canonical_samples(tasks) == [
        Sample(task="A", index=0, text="x = 1\n", kind="solution"),
        Sample(task="C", index=0, text="", kind="solution"),
    ]


def test_data_without_solutions_says_so() -> None:
    with pytest.raises(SuiteError, match=r"no solution to any of the 4 tasks \('A', 'B', 'C', …"):
        canonical_samples([task(name) for name in "ABCD"])
