"""code-judge, asked as its clients ask."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.compat.asking import answered, ask, leaving
from tests.api.compat.cheats import STDIO_CHEATS
from tests.api.compat.daemon import compat_daemon
from tests.daemons import until

SUM = "print(sum(map(int, input().split())))"


def batch(url: str, path: str, *submissions: dict[str, Any]) -> list[dict[str, Any]]:
    """As rStar asks: a batch without ids."""
    said = answered(f"{url}/code_judge{path}", {"type": "batch", "submissions": list(submissions)})
    results: list[dict[str, Any]] = said["results"]
    assert len(results) == len(submissions)
    assert said["sub_id"]
    return results


def test_one_program_run(url: str) -> None:
    said = answered(
        f"{url}/code_judge/run",
        {"sub_id": "mine", "type": "python", "solution": SUM, "input": "3 4", "options": None},
    )
    assert said["cost"] > 0
    assert {**said, "cost": 0} == {
        "sub_id": "mine",
        "success": True,
        "run_success": True,
        "cost": 0,
        "stdout": "7\n",
        "stderr": "",
        "reason": "",
    }


def test_judging_compares_but_for_white_space_at_the_ends(url: str) -> None:
    for expected, success in (("7", True), ("\n 7 \n\n", True), ("8", False), ("7 7", False)):
        said = answered(
            f"{url}/code_judge/judge",
            {"type": "python", "solution": SUM, "input": "3 4", "expected_output": expected},
        )
        assert (said["success"], said["run_success"]) == (success, True), expected
        assert set(said) == {"sub_id", "success", "run_success", "cost", "reason"}


def test_a_large_output_is_compared_whole(url: str) -> None:
    body = {
        "type": "python",
        "solution": "print('x' * 500_000 + input())",
        "input": "y",
        "expected_output": "x" * 500_000 + "y",
    }
    assert answered(f"{url}/code_judge/judge", body)["success"]
    body["input"] = "z"
    said = answered(f"{url}/code_judge/run", body)
    assert not said["success"]
    assert said["stdout"] == "x" * 1000


@pytest.mark.parametrize("path", ["/run/batch", "/run/long-batch"])
def test_batches_keep_their_order(url: str, path: str) -> None:
    results = batch(
        url,
        path,
        {"type": "python", "solution": "print(1)", "input": None},
        {"type": "python", "solution": "import sys\nsys.exit(3)", "input": None},
        {"type": "cpp", "solution": '#include <cstdio>\nint main() { puts("2"); }'},
        {"type": "cpp", "solution": "int main() { return }"},
    )
    assert [one["stdout"] for one in results] == ["1\n", "", "2\n", ""]
    assert [one["run_success"] for one in results] == [True, False, True, False]
    assert [one["reason"] for one in results] == [""] * 4
    assert "error" in results[3]["stderr"]


@pytest.mark.parametrize("path", ["/judge/batch", "/judge/long-batch"])
def test_judged_batches(url: str, path: str) -> None:
    results = batch(
        url,
        path,
        *(
            {"type": "python", "solution": SUM, "input": f"{n} 1", "expected_output": "5"}
            for n in range(10)
        ),
    )
    assert [one["success"] for one in results] == [n == 4 for n in range(10)]


def test_a_sub_id_comes_back(url: str) -> None:
    said = answered(
        f"{url}/code_judge/judge/batch",
        {"sub_id": "all", "submissions": [{"type": "python", "solution": "", "sub_id": "one"}]},
    )
    assert said["sub_id"] == "all"
    assert said["results"][0]["sub_id"] == "one"


def test_math_is_refused_with_the_reason(url: str) -> None:
    results = batch(
        url,
        "/run/batch",
        {"type": "math", "solution": "1/2", "expected_output": "0.5", "options": {"a": "b"}},
        {"type": "python", "solution": "print(1)"},
    )
    assert [one["reason"] for one in results] == ["invalid_input", ""]
    assert "symbolic" in results[0]["stderr"]
    assert not results[0]["success"]


def test_bodies_that_do_not_fit_are_refused_as_fastapi_does(url: str) -> None:
    for path, body in (
        ("/run", {"type": "rust", "solution": ""}),
        ("/run", {"type": "python"}),
        ("/run/batch", {"submissions": []}),
        ("/judge/long-batch", {"submissions": [{"type": "python", "solution": 3.5}]}),
    ):
        status, said = ask(f"{url}/code_judge{path}", body)
        assert status == 422
        assert said["detail"][0]["loc"][0] == "body"


def test_ping_and_status(url: str) -> None:
    assert answered(f"{url}/code_judge/ping") == "pong"
    assert answered(f"{url}/code_judge/status") == {"queue": 0, "num_workers": 2}


@pytest.mark.parametrize("cheat", STDIO_CHEATS)
def test_cheats_earn_nothing(url: str, cheat: str) -> None:
    said = answered(
        f"{url}/code_judge/judge",
        {
            "type": "python",
            "solution": STDIO_CHEATS[cheat],
            "input": "20 22",
            "expected_output": "42",
        },
    )
    assert said["success"] is False


def test_too_slow_and_too_long_in_the_queue_are_told_apart() -> None:
    endless = {"type": "python", "solution": "while True: pass"}
    with compat_daemon({"code_judge": "/"}, limits={"cpu_time_s": 1.0}, sandbox={"slots": 1}) as (
        _,
        url,
    ):
        assert answered(f"{url}/run", endless)["reason"] == "worker_timeout"
        sleeper = {"type": "python", "solution": "import time\ntime.sleep(60)"}
        assert answered(f"{url}/run", sleeper)["reason"] == "worker_timeout"
        # More than one slot can do within the time that a short batch is waited for.
        said = answered(f"{url}/run/batch", {"submissions": [endless] * 12})
        reasons = [one["reason"] for one in said["results"]]
        assert set(reasons) == {"worker_timeout", "queue_timeout"}


def test_an_overfull_queue_is_waited_for() -> None:
    with compat_daemon({"code_judge": "/"}, engine={"max_queued_cases": 1}) as (_, url):
        said = answered(
            f"{url}/judge/long-batch",
            {
                "submissions": [
                    {
                        "type": "python",
                        "solution": SUM,
                        "input": f"{n} 0",
                        "expected_output": f"{n}",
                    }
                    for n in range(20)
                ]
            },
        )
        assert all(one["success"] for one in said["results"])


def test_who_goes_away_is_worked_for_no_longer() -> None:
    endless = {"type": "python", "solution": "while True: pass"}
    with compat_daemon({"code_judge": "/"}, limits={"cpu_time_s": 300.0}, sandbox={"slots": 1}) as (
        daemon,
        url,
    ):
        with leaving(f"{url}/run/long-batch", {"submissions": [endless] * 50}):
            until(lambda: daemon.status().queued_cases > 0)
        assert daemon.wait_until_idle().queued_cases == 0
