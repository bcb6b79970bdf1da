"""SandboxFusion's datasets: what is read at start, and what is asked by dataset and id."""

from __future__ import annotations

import base64
import gzip
import json
import pickle
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scalebox.api.compat import datasets, rows
from scalebox.api.compat.datasets import BrokenRowError, Dataset, open_datasets
from scalebox.api.compat.evaluation import Wanted
from scalebox.errors import BadRequestError, ConfigError
from tests.api.compat.asking import ask
from tests.api.compat.daemon import compat_daemon
from tests.api.compat.evaluating import passed


def squeezed(value: Any) -> str:
    """As LiveCodeBench packs it."""
    return base64.b64encode(zlib.compress(pickle.dumps(value))).decode()


CONTESTS = [
    {
        "id": 7, "content": "Double a number.",
        "labels": '{"difficulty": "EASY"}',
        "test": json.dumps([{"input": {"stdin": str(n)}, "output": {"stdout": f"{2 * n}\n"}}
                            for n in range(5)]),
    },
    {
        "id": 3, "content": "Say yes.", "labels": "{}",
        "test": '[{"input": {"stdin": ""}, "output": {"stdout": "yes"}}]',
    },
]  # fmt: skip
LIVE = [
    {
        "id": 1, "content": "Swap.", "labels": '{"programming_language": "python"}',
        "test": squeezed({"input_output": json.dumps(
            {"inputs": ["ab\n", "cd\n"], "outputs": ["ba\n", "dc\n"]})}),
    },
    {
        "id": 2, "content": "Add.", "labels": '{"programming_language": "python"}',
        "test": squeezed({"input_output": json.dumps(
            {"inputs": ["[1, 2]\n3"], "outputs": ["6"], "fn_name": "total"})}),
    },
]  # fmt: skip
MBPP = [
    {
        "id": 11, "content": "Write a function that doubles.", "canonical_solution": "",
        "labels": {"test_setup_code": "FACTOR = 2", "challenge_test_list": []},
        "test_list": ["assert double(2) == 4", "assert double(5) == 10"],
    }
]  # fmt: skip
HUMAN = [
    {
        "task_id": "HumanEval/900", "entry_point": "triple",
        "prompt": "def triple(n: int) -> int:\n",
        "test": "def check(candidate):\n    assert candidate(2) == 6\n",
    }
]  # fmt: skip
PROGRAMS = [
    {
        "id": "a/1", "content": "A class.",
        "labels": json.dumps({"programming_language": "python", "execution_language": "python"}),
        "test": json.dumps({
            "code": "LIMIT = 3\n#<INSERT>\nassert up_to() == [0, 1, 2, 'here']\n",
            "asset": {"given.txt": base64.b64encode(b"here").decode(), "none.txt": None},
        }),
    }
]  # fmt: skip
MULTIPL_E = [
    {
        "name": "mbpp_900_twice", "language": "js", "prompt": "function twice(n){\n",
        "tests": "const assert = require('node:assert');\n"
                 "assert.deepEqual(twice(2), 4);\nassert.deepEqual(twice(3), 6);\n",
        "stop_tokens": ["\nfunction "],
    }
]  # fmt: skip
OWN = [
    {
        "id": "own/1", "content": "Halves.", "labels": {"source": "us"},
        "tests": {"type": "call", "function": "half", "cases": [{"args": [4], "expected": 2}]},
        "limits": {"cpu_time_s": 1.0},
    }
]  # fmt: skip


def lines(path: Path, several: list[Any]) -> str:
    text = "".join(f"{json.dumps(row)}\n" for row in several).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return str(path)


@pytest.fixture(scope="module")
def where(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("datasets")
    files = {
        "code_contests": lines(folder / "contests.jsonl.gz", CONTESTS),
        "live_code_bench_v1": lines(folder / "live.jsonl", LIVE),
        "mbpp": lines(folder / "mbpp.jsonl", MBPP),
        "humaneval_python": lines(folder / "human.jsonl", HUMAN),
        "autoeval": lines(folder / "programs.jsonl", PROGRAMS),
        "multiple_js": lines(folder / "multiple.jsonl", MULTIPL_E),
        "own": lines(folder / "own.jsonl", OWN),
    }
    with compat_daemon({"common_evaluate": "/", "datasets": files}) as (_, url):
        yield url


def submit(
    where: str, dataset: str, id: Any, code: str, language: str = "python", **config: Any
) -> Any:
    status, answer = ask(
        f"{where}/submit",
        {
            "dataset": dataset, "id": id, "completion": f"```{language}\n{code}\n```",
            "config": {"language": language, **config},
        },
    )  # fmt: skip
    assert status == 200, answer
    return answer


def test_the_names_of_datasets(where: str) -> None:
    status, names = ask(f"{where}/list_datasets")
    assert status == 200
    assert names == sorted(names)
    assert {"code_contests", "own"} <= set(names)
    assert ask(f"{where}/list_datasets", {}) == (200, names)


def test_ids_come_in_order_and_in_pages(where: str) -> None:
    asked: dict[str, Any] = {"dataset": "code_contests", "config": {}}
    assert ask(f"{where}/list_ids", asked) == (200, [3, 7])
    assert ask(f"{where}/list_ids", {**asked, "offset": 1}) == (200, [7])
    assert ask(f"{where}/list_ids", {**asked, "limit": 1}) == (200, [3])
    assert ask(f"{where}/list_ids", {**asked, "offset": -5, "limit": -1}) == (200, [])


def test_prompts(where: str) -> None:
    asked = {"dataset": "code_contests", "config": {"language": "cpp", "locale": "en"}}
    status, prompts = ask(f"{where}/get_prompts", asked)
    assert status == 200
    assert [prompt["id"] for prompt in prompts] == [3, 7]
    assert prompts[1]["prompt"].startswith("Double a number.")
    assert "cpp" in prompts[1]["prompt"]
    assert prompts[1]["labels"] == {"difficulty": "EASY"}
    status, prompt = ask(f"{where}/get_prompt_by_id", {"dataset": "mbpp", "id": 11, "config": {}})
    assert status == 200
    assert "double(2) == 4" in prompt["prompt"]
    assert "double(5)" not in prompt["prompt"]


@pytest.mark.parametrize("id", [7, "7"])
def test_a_row_of_inputs_and_outputs(where: str, id: Any) -> None:
    answer = submit(where, "code_contests", id, "print(2 * int(input()))")
    assert answer["accepted"] is True
    assert answer["id"] == id
    assert passed(answer) == [True] * 5
    wrong = submit(where, "code_contests", id, "print(0)", extra={"run_all_cases": True})
    assert passed(wrong) == [True, False, False, False, False]
    right = "#include <iostream>\nint main() { int n; std::cin >> n; std::cout << 2 * n; }"
    assert submit(where, "code_contests", id, right, "cpp")["accepted"] is True


def test_a_row_of_live_code_bench(where: str) -> None:
    assert submit(where, "live_code_bench_v1", 1, "print(input()[::-1])")["accepted"] is True
    assert submit(where, "live_code_bench_v1", 1, "print(input())")["accepted"] is False
    code = "class Solution:\n    def total(self, a: List[int], b): return sum(a) + b"
    assert submit(where, "live_code_bench_v1", 2, code)["accepted"] is True
    assert submit(where, "live_code_bench_v1", 2, "def total(a, b): return 5")["accepted"] is False


@pytest.mark.parametrize(
    ("dataset", "id", "right", "wrong"),
    [
        ("mbpp", 11, "def double(n): return FACTOR * n", "def double(n): return 4"),
        ("humaneval_python", "HumanEval/900", "def triple(n): return 3 * n", "def triple(n): ..."),
        ("autoeval", "a/1", "def up_to(): return [*range(LIMIT), open('given.txt').read()]",
         "def up_to(): return [*range(LIMIT)]"),
        ("own", "own/1", "def half(n): return n // 2", "def half(n): return n"),
    ],
)  # fmt: skip
def test_a_row_of_functions(where: str, dataset: str, id: Any, right: str, wrong: str) -> None:
    answer = submit(where, dataset, id, right)
    assert answer["accepted"] is True, answer
    assert passed(answer) == [True]
    assert submit(where, dataset, id, wrong)["accepted"] is False
    for hack in ("import os\nos._exit(0)", "import sys\nsys.exit(0)", "pass"):
        assert submit(where, dataset, id, hack)["accepted"] is False


def test_a_row_whose_tests_have_a_language_of_their_own(where: str) -> None:
    """As MultiPL-E's: a request that says another language changes nothing."""
    right, wrong = "function twice(n) { return 2 * n; }", "function twice(n) { return 4; }"
    assert submit(where, "multiple_js", "mbpp_900_twice", right)["accepted"] is True
    assert submit(where, "multiple_js", "mbpp_900_twice", wrong)["accepted"] is False
    for hack in ("process.exit(0)", "function twice(n) { process.exit(0); }"):
        assert submit(where, "multiple_js", "mbpp_900_twice", hack)["accepted"] is False


def test_a_row_may_come_with_the_request(where: str) -> None:
    row = CONTESTS[1]
    answer = submit(where, "any", 0, "print('yes')", provided_data=row, dataset_type="CommonOJ")
    assert answer["accepted"] is True
    asked = {"dataset": "any", "config": {"provided_data": [row]}}
    status, prompts = ask(f"{where}/get_prompts", asked)
    assert (status, prompts[0]["id"]) == (200, 3)
    assert ask(f"{where}/list_ids", asked) == (200, [3])


def test_metrics(where: str) -> None:
    results = [
        {"id": 1, "accepted": True, "extracted_code": "", "tests": []},
        {"id": 1, "accepted": False, "extracted_code": "", "tests": []},
        {"id": 2, "accepted": True, "extracted_code": "", "tests": []},
    ]
    asked = {"dataset": "mbpp", "config": {}, "results": results}
    assert ask(f"{where}/get_metrics", asked) == (200, {"Pass@k=1": 0.75})
    assert ask(f"{where}/get_metrics", {**asked, "results": []}) == (200, {})
    assert ask(f"{where}/get_metrics_function", asked) == (200, {"function": None})


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("list_ids", {"dataset": "none"}, 400, "no eval class found"),
        ("get_prompt_by_id", {"dataset": "mbpp", "id": 99}, 404, "99"),
        ("get_prompt_by_id", {"dataset": "mbpp", "id": "9" * 30}, 404, "999"),
        ("get_prompt_by_id", {"dataset": "mbpp"}, 422, "id"),
        ("get_prompts", {"dataset": "mbpp", "config": {"is_fewshot": True}}, 422, "few-shot"),
        ("get_prompts", {"config": {"provided_data": {}}}, 422, "list of objects"),
        ("submit", {"dataset": "code_contests", "id": 7, "completion": "x"}, 422, "language"),
        ("submit", {"id": 1, "completion": "x", "config": {"provided_data": []}}, 422, "a row"),
        ("submit", {"id": 1, "completion": "x", "config": {"provided_data": {}}}, 422, "no tests"),
    ],
)
def test_what_is_not_there_is_said(
    where: str, path: str, body: Any, status: int, words: str
) -> None:
    got, answer = ask(f"{where}/{path}", body)
    assert got == status, answer
    assert words in json.dumps(answer)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("[]", "line 2"),
        ("{", "line 2"),
        ("[" * 100_000, "line 2"),
        ('{"content": "no id"}', "no id"),
        ('{"id": true, "test": "assert f()"}', "id"),
        ('{"id": 3, "test": "[]"}', "test"),
        ('{"id": 1, "test": "assert f()"}', "was on line 1"),
        ('{"id": 3, "content": "no tests"}', "no tests"),
        ('{"id": 3, "test": "assert f()", "labels": "[]"}', "labels"),
        ('{"id": 3, "test": [{"input": {"stdin": ""}, "output": {"file": ""}}]}', "output.stdout"),
        ('{"id": 3, "test": [{"input": {"stdin": "", "a.txt": ""}, "output": {"stdout": ""}}]}',
         "files beside stdin"),
        ('{"id": 3, "tests": {"type": "call", "function": "", "cases": []}}', "tests.function"),
        ('{"id": 3, "test": "eJzrong"}', "base64"),
        ('{"id": 3, "input_output": "{\\"inputs\\": [\\"1\\"], \\"outputs\\": []}"}', "as many"),
        ('{"id": 3, "test": {"code": 5}}', "test.code"),
    ],
)  # fmt: skip
def test_a_file_with_a_line_that_is_no_row_is_refused(tmp_path: Path, row: str, words: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"id": 1, "test": "assert f()"}\n' + row + "\n")
    with pytest.raises(ConfigError) as refused:
        open_datasets({"rows": str(path)}, tmp_path)
    assert f"compat.datasets.rows = {path}" in refused.value.message
    assert words in refused.value.message
    assert "line 2" in refused.value.message


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    cut = tmp_path / "cut.jsonl.gz"
    cut.write_bytes(gzip.compress(b'{"id": 1, "test": "assert f()"}\n' * 100)[:-12])
    plain = tmp_path / "plain.jsonl.gz"
    plain.write_bytes(b"{}\n")
    empty = tmp_path / "empty.jsonl"
    empty.write_bytes(b"\n\n")
    for path in (tmp_path / "none.jsonl", tmp_path, cut, plain, empty):
        with pytest.raises(ConfigError, match=path.name):
            Dataset("rows", path, tmp_path)


def test_the_daemon_does_not_start_with_a_broken_dataset(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("{}\n")
    served = compat_daemon({"common_evaluate": "/", "datasets": {"rows": str(path)}})
    with pytest.raises(AssertionError, match="line 1"), served:
        pass


def test_rows_are_read_from_where_they_are(tmp_path: Path) -> None:
    """Empty lines, no line feed at the end, rows of any length, packed or not."""
    wanted = [{"id": f"r{n}", "test": "assert f()", "content": "é" * n * 1000} for n in range(20)]
    text = "\n\n".join(json.dumps(row, ensure_ascii=False) for row in wanted)
    plain, zipped = tmp_path / "plain.jsonl", tmp_path / "zipped.jsonl.gz"
    plain.write_text(text, encoding="utf-8")
    zipped.write_bytes(gzip.compress(text.encode()))
    for path in (plain, zipped):
        dataset = Dataset("rows", path, tmp_path)
        assert [dataset.row(row["id"]) for row in wanted] == wanted
        assert dataset.row("r20") is dataset.row(0) is None
    assert sorted(one.name for one in tmp_path.iterdir()) == ["plain.jsonl", "zipped.jsonl.gz"]


def test_tests_far_down_a_file_are_read_when_they_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be told from its id alone is said then; an id twice is said at start anyway."""
    monkeypatch.setattr(datasets, "_READ_AT_START_BYTES", 0)
    path = tmp_path / "rows.jsonl"
    path.write_text('{"id": 1, "test": "eJwrong"}\n{"task_id": "b"}\n')
    found = Dataset("rows", path, tmp_path)
    assert found.ids == [1, "b"]
    assert found.row("b") == {"task_id": "b"}
    path.write_text('{"id": 1}\n{"id": 1}\n')
    with pytest.raises(ConfigError, match="line 2: the id 1 was on line 1"):
        Dataset("rows", path, tmp_path)


def test_a_file_that_changes_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"id": 1, "test": "assert f()"}\n')
    found = Dataset("rows", path, tmp_path)
    path.write_text("...")
    with pytest.raises(BrokenRowError, match="has changed"):
        found.row(1)


def of(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data)).decode()


class Evil:
    """Runs something where it is unpickled."""

    def __reduce__(self) -> Any:
        return (print, ("unpickled",))


@pytest.mark.parametrize(
    "test",
    [
        squeezed(Evil()),
        squeezed({"input_output": Evil()}),
        squeezed({1, 2}),
        squeezed("{}"),
        squeezed([0] * 1_000_000),
        squeezed({"input_output": "[" * 100_000}),
        # An index of 2^31 would make a table of as many places.
        of(b"\x80\x04}r\x00\x00\x00\x80."),
        of(b"\x80\x04cposix\nsystem\n."),
        of(b"\x80\x04X\xff\xff\xff\xffshort"),
        of(b""),
        of(pickle.dumps("cut"))[:-8],
        "eJw",
    ],
)
def test_packed_data_of_strangers_is_only_data(
    test: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(BadRequestError) as refused:
        rows.task_of({"id": 1, "test": test}, Wanted())
    assert refused.value.field == "test"
    assert capsys.readouterr().out == ""


def test_what_unpacks_to_more_than_the_bound_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"id": 1, "test": squeezed('{"inputs": ["1"], "outputs": ["' + "x" * 100_000 + '"]}')}
    assert rows.task_of(row, Wanted()).language == "python"
    monkeypatch.setattr(rows, "_MAX_UNPACKED_BYTES", 10_000)
    with pytest.raises(BadRequestError, match="more than 10000 bytes"):
        rows.task_of(row, Wanted())
