"""LiveCodeBench's calls: both modes, over a real daemon."""

from __future__ import annotations

import base64
import gzip
import json
import pickle
import zlib
from typing import Any

import pytest

from scalebox.client.aio import AsyncClient
from scalebox.client.sync import Client
from scalebox.errors import BadRequestError, TooLargeError
from scalebox.integrations import livecodebench
from scalebox.integrations.livecodebench import samples
from scalebox.model import NamedJudge
from tests.integrations.inprocess.quirks import QUIRKS, Quirk, sample
from tests.integrations.inprocess.said import SAID
from tests.judging.datasets import data_folder

ADD = "a, b = map(int, input().split())\nprint(a + b)"
TRUE = [True]


@pytest.mark.parametrize("quirk", QUIRKS, ids=lambda quirk: quirk.name)
def test_a_quirk_is_reproduced_in_strict_mode(quirk: Quirk, client: Client) -> None:
    results, _ = livecodebench.run_test(quirk.sample, quirk.code, timeout=1, client=client)
    assert repr(results) == repr(quirk.strict)


@pytest.mark.parametrize("quirk", QUIRKS, ids=lambda quirk: quirk.name)
def test_a_quirk_is_absent_in_fixed_mode(quirk: Quirk, client: Client) -> None:
    results, _ = livecodebench.run_test(
        quirk.sample, quirk.code, timeout=1, client=client, mode="lcb-fixed"
    )
    assert repr(results) == repr(quirk.fixed)
    assert repr(quirk.fixed) != repr(quirk.strict)


@pytest.mark.parametrize("said", SAID, ids=lambda said: repr(said["code"])[:60])
def test_strict_mode_says_what_their_checker_says(said: dict[str, Any], client: Client) -> None:
    tests = sample(said["inputs"], said["outputs"], said["fn_name"])
    results, metadata = livecodebench.run_test(tests, said["code"], timeout=1, client=client)
    metadata.pop("execution time", None)
    assert repr(results) == repr(said["results"])
    assert json.loads(json.dumps(metadata)) == said["metadata"]


def test_a_process_that_dies_is_an_index_error_of_their_checker(client: Client) -> None:
    with pytest.raises(IndexError, match="list index out of range"):
        livecodebench.check_correctness(
            sample(["1"], ["1"]), "import os; os._exit(0)", 1, client=client
        )


def test_the_time_limit_is_of_cpu_time_whatever_runs_beside(client: Client) -> None:
    def program(cpu_s: float) -> str:
        return (
            f"import time\nuntil = time.process_time() + {cpu_s}\n"
            "while time.process_time() < until: pass\nprint(1)"
        )

    programs = [[program(0.6), program(1.8)] * 3]
    tests = sample([""], ["1"])
    _, results, _ = livecodebench.codegen_metrics([tests], programs, timeout=1, client=client)
    assert results[0] == [[True], [-3]] * 3


def test_a_sleeper_is_too_slow(client: Client) -> None:
    tests = sample([""], ["1"])
    code = "import time\ntime.sleep(1000)\nprint(1)"
    assert livecodebench.run_test(tests, code, timeout=0.5, client=client)[0] == [-3]


def test_who_catches_every_time_limit_is_stopped_by_that_of_all_tests(client: Client) -> None:
    tests = sample(["", ""], ["1", "1"])
    code = (
        "def spin():\n    while True:\n        pass\n"
        "while True:\n    try:\n        spin()\n    except BaseException:\n        pass"
    )
    results, metadata = livecodebench.run_test(tests, code, timeout=0.2, client=client)
    assert (results, metadata["error_code"]) == ([-2], -5)


def test_much_output_is_taken_where_much_is_expected(client: Client) -> None:
    code = "print('0123456789' * 3_000_000)"
    much = "0123456789" * 3_000_000
    assert livecodebench.run_test(sample([""], [much]), code, client=client)[0] == [True]
    assert livecodebench.run_test(sample([""], ["0"]), code, client=client)[0] == [-2]


def test_metrics_have_the_form_of_theirs(client: Client) -> None:
    tests = [sample(["1 2", "3 4"], ["3", "7"]), sample(["1"], ["2"], "double")]
    programs = [
        [ADD, "print(3)", "import os; os._exit(0)"],
        ["def double(n): return n * 2", "double = abs", "def double(n): return (n,)"],
    ]
    metrics, results, metadata = livecodebench.codegen_metrics(
        tests, programs, k_list=[1, 2, 5], num_process_evaluate=4, client=client
    )
    assert results == {
        0: [[True, True], [True, -2], [-2]],
        1: [[True], [False], [False]],
    }
    assert metrics["pass@1"] == pytest.approx(1 / 3)
    assert metrics["pass@2"] == pytest.approx(2 / 3)
    assert metrics["detail"]["pass@1"] == pytest.approx({0: 1 / 3, 1: 1 / 3})
    assert "pass@5" not in metrics
    assert "pass@5" not in metrics["detail"]
    assert [json.loads(one).get("error_code") for one in metadata[0]] == [None, -2, -5]
    assert json.loads(metadata[0][2])["error"] == "IndexError('list index out of range')"


async def test_the_same_for_asyncio_programs(client: Client) -> None:
    tests = [sample(["1 2"], ["3"]), sample(["1"], ["2"], "double")]
    programs = [[ADD, "print(4)"], ["def double(n): return n * 2", "1 +"]]
    async with AsyncClient(client.address) as awaited:
        for mode in ("lcb-strict", "lcb-fixed"):
            mine = await livecodebench.async_codegen_metrics(
                tests, programs, [1], client=awaited, mode=mode
            )
            theirs = livecodebench.codegen_metrics(tests, programs, [1], client=client, mode=mode)
            assert mine[:2] == theirs[:2]
            assert mine[1] == {0: [[True], [-2]], 1: [[True], [-4]]}
        assert (await livecodebench.async_check_correctness(tests[0], ADD, client=awaited))[0]
        with pytest.raises(IndexError):
            await livecodebench.async_check_correctness(
                tests[0], "raise KeyboardInterrupt", client=awaited
            )
        with pytest.raises(BadRequestError, match="inputs"):
            await livecodebench.async_codegen_metrics(
                [sample([], [])], [[ADD]], client=awaited, mode="lcb-fixed"
            )


def test_a_sample_without_tests_passes_in_strict_mode_and_is_refused_in_fixed(
    client: Client,
) -> None:
    empty = sample([], [])
    assert livecodebench.run_test(empty, "print(1)", client=client)[0] == []
    metrics, *_ = livecodebench.codegen_metrics([empty], [["print(1)"]], client=client)
    assert metrics["pass@1"] == 1.0
    with pytest.raises(BadRequestError, match="at least one"):
        livecodebench.run_test(empty, "print(1)", client=client, mode="lcb-fixed")


def test_an_input_without_an_output_is_no_test_in_strict_mode_and_refused_in_fixed(
    client: Client,
) -> None:
    tests = sample(["1 2", "3 4"], ["3"])
    assert livecodebench.run_test(tests, ADD, client=client)[0] == TRUE
    with pytest.raises(BadRequestError, match="2 inputs and 1 outputs"):
        livecodebench.run_test(tests, ADD, client=client, mode="lcb-fixed")


@pytest.mark.parametrize(
    ("output", "answer", "right"),
    [
        ("1000000008 0.5", "1000000007 0.5", False),
        ("1000000007 0.5000001", "1000000007 0.5", True),
        ("x 0.5000001", "x 0.5", True),
        ("x 12346 0.5", "x 12345 0.5", False),
        ("YES", "yes", False),
        ("1\r\n2\r\n", "1\n2", True),
        ("1 2 3", "1 2", False),
    ],
)
def test_what_is_right_in_fixed_mode(output: str, answer: str, right: bool, client: Client) -> None:
    results, metadata = livecodebench.run_test(
        sample([""], [answer]), f"print({output!r})", client=client, mode="lcb-fixed"
    )
    assert results == ([True] if right else [-2]), metadata


def test_a_judge_decides_in_fixed_mode(client: Client) -> None:
    tests, program = sample([""], ["1 2 3"]), "print(3, 1, 2)"
    judge = NamedJudge(name="unordered_tokens")
    for options, results in (({}, [-2]), ({"judge": judge}, [True])):
        options = {"mode": "lcb-fixed", **options}
        assert livecodebench.run_test(tests, program, client=client, **options)[0] == results


def test_solutions_get_their_imports_in_fixed_mode(client: Client) -> None:
    code = "class Solution:\n    def f(self, a: List[int]) -> int: return heappop(a)"
    tests = sample(["[3, 2]"], ["3"], "f")
    assert livecodebench.run_test(tests, code, client=client, mode="lcb-fixed")[0] == TRUE


def test_long_integers_are_compared_in_strict_mode_and_refused_in_fixed(client: Client) -> None:
    tests = sample(["1"], ["-1" + "0" * 9000], "f")
    for power, results in ((9000, [True]), (8999, [False])):
        code = f"def f(n): return -10**{power}"
        assert livecodebench.run_test(tests, code, client=client)[0] == results
    with pytest.raises(BadRequestError, match="digits"):
        livecodebench.run_test(tests, "", client=client, mode="lcb-fixed")


@pytest.mark.parametrize("mode", ["lcb-strict", "lcb-fixed"])
@pytest.mark.parametrize("code", ["print('\ud800')", "\0", "x = 1  #" + "x" * 5_000_000])
def test_what_is_no_program_fails_by_itself(
    code: str, mode: livecodebench.Mode, client: Client
) -> None:
    tests = sample([""], ["1"])
    metrics, results, _ = livecodebench.codegen_metrics(
        [tests], [[code, "print(1)"]], [1], client=client, mode=mode
    )
    assert results[0][0] in ([-4], [-2])
    assert metrics["pass@1"] == 0.5


#: Right programs for tests in the public data, by the labels' `task_id`.
SOLVED = {
    "codeforces/1873_A": (
        "for _ in range(int(input())):\n"
        "    print('YES' if sum(a != b for a, b in zip(input(), 'abc')) < 3 else 'NO')"
    ),
    "leetcode/2727": (
        "class Solution:\n"
        "    def countSeniors(self, details: List[str]) -> int:\n"
        "        return sum(int(one[11:13]) > 60 for one in details)"
    ),
    "atcoder/abc301_a": (
        "n = int(input())\ns = input().strip()\n"
        "t, a = s.count('T'), s.count('A')\n"
        "print('TA'[a > t] if a != t else 'AT'[s[-1] == 'A'])"
    ),
}


def public_samples() -> list[tuple[dict[str, str], str]]:
    """Real samples with right programs where the machine has them; else one of our own."""
    path = data_folder() / "sandboxfusion_live_code_bench_v1.jsonl.gz"
    if not path.is_file():
        return [(sample(["1 2"], ["3"]), ADD)]
    rows = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    return [
        (pickle.loads(zlib.decompress(base64.b64decode(row["test"]))), SOLVED[name])
        for row in rows
        if (name := json.loads(row["labels"])["task_id"]) in SOLVED
    ]


@pytest.mark.parametrize("mode", ["lcb-strict", "lcb-fixed"])
def test_right_programs_pass_the_public_tests(mode: livecodebench.Mode, client: Client) -> None:
    for tests, code in public_samples():
        number = len(json.loads(tests["input_output"])["inputs"])
        results, metadata = livecodebench.run_test(tests, code, client=client, mode=mode)
        assert results == [True] * number, metadata
        results, _ = livecodebench.run_test(
            tests, "import os; os._exit(0)", client=client, mode=mode
        )
        assert not all(result > 0 for result in results)


def test_an_unknown_mode_is_refused(client: Client) -> None:
    with pytest.raises(BadRequestError, match="lcb-strict or lcb-fixed"):
        livecodebench.run_test(sample(["1"], ["1"]), "", mode="lcb", client=client)


def test_what_is_no_sample_is_refused(client: Client) -> None:
    for wrong in ({}, {"input_output": "{"}, {"input_output": '{"inputs": 1, "outputs": []}'}):
        with pytest.raises(BadRequestError, match="no sample"):
            livecodebench.run_test(wrong, "", client=client)


ANSWER = "First:\n```python\nprint(1)\n```\nNo, rather:\n```\nprint(2)\n```\n"


def test_the_last_pair_of_fences_is_taken_in_strict_mode() -> None:
    extract = livecodebench.extract_code
    assert extract(ANSWER) == "print(2)"
    assert extract("print(1)") == ""
    assert extract("```python\nprint(1)") == ""
    assert extract("```python\nprint(1)\n```\nthe meaning of ```\n") == ""
    assert extract(" print(1)\n", "GenericBase") == "print(1)"
    assert extract("[PYTHON]\nprint(1)\n[/PYTHON]", "CodeLLaMaInstruct") == "print(1)"


def test_code_is_found_as_everywhere_in_fixed_mode() -> None:
    extract = livecodebench.extract_code
    assert extract(ANSWER, mode="lcb-fixed").strip() == "print(1)"  # the one that says it is Python
    assert extract("```python\nprint(1)", mode="lcb-fixed").strip() == "print(1)"
    assert extract("Nothing at all.", mode="lcb-fixed") == ""


def packed(value: object) -> str:
    return base64.b64encode(zlib.compress(pickle.dumps(value))).decode()


def test_a_row_becomes_a_sample() -> None:
    public = [{"input": "1", "output": "2", "testtype": "functional"}]
    private = [{"input": "é", "output": "4", "testtype": "functional"}]
    for text in (json.dumps(private), packed(json.dumps(private))):
        row = {
            "public_test_cases": json.dumps(public),
            "private_test_cases": text,
            "metadata": json.dumps({"func_name": "f"}),
        }
        made = json.loads(livecodebench.sample_of_row(row)["input_output"])
        assert made == {"inputs": ["1", "é"], "outputs": ["2", "4"], "fn_name": "f"}
    with pytest.raises(BadRequestError, match="public_test_cases"):
        livecodebench.sample_of_row({"private_test_cases": "[]"})


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickled_text_is_read(protocol: int) -> None:
    for text in ("", "[]", "é" * 300, "a" * 70_000):
        assert samples.pickled_text(pickle.dumps(text, protocol)) == text


class Evil:
    def __reduce__(self) -> Any:
        return print, ("unpickled",)


@pytest.mark.parametrize(
    "tests",
    [
        packed(Evil()),
        packed([1]),
        packed(b"[]"),
        packed("{"),
        packed("{}"),
        base64.b64encode(zlib.compress(b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\x7f.")).decode(),
        base64.b64encode(zlib.compress(b"\x80\x04\x96\xff\xff\xff\xff\xff\xff\xff\x0f.")).decode(),
        base64.b64encode(zlib.compress(pickle.dumps("[]"))[:-9]).decode(),
        base64.b64encode(b"no zlib").decode(),
        "no base64",
        "[" * 100_000,
    ],
)
def test_other_pickles_are_refused_and_not_unpickled(
    tests: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(BadRequestError):
        samples.private_tests(tests)
    assert capsys.readouterr().out == ""


def test_what_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "MAX_TESTS_BYTES", 1000)
    assert samples.private_tests(packed("[]")) == []
    with pytest.raises(TooLargeError):
        samples.private_tests(packed("[" + " " * 2000 + "]"))
