"""A remote reward model, asked as OpenRLHF asks."""

from __future__ import annotations

import json
from typing import Any

from tests.api.compat.answers import STDIO, SUM, said_by_a_model
from tests.api.compat.asking import answered, ask, leaving
from tests.api.compat.cheats import STDIO_CHEATS
from tests.api.compat.daemon import compat_daemon
from tests.daemons import until


def openrlhf(url: str, answers: list[str], labels: list[Any]) -> dict[str, Any]:
    """As `remote_rm_fn` asks."""
    said: dict[str, Any] = answered(
        f"{url}/openrlhf",
        {
            "query": [f"User: add.\n{answer}" for answer in answers],
            "prompts": ["User: add.\n"] * len(answers),
            "labels": labels,
        },
    )
    return said


def test_openrlhf_gets_a_reward_for_each(url: str) -> None:
    answers = [said_by_a_model(SUM), said_by_a_model("print(3)"), "I do not know."]
    said = openrlhf(url, answers, [json.dumps(STDIO)] * 3)
    assert said == {
        "rewards": [1.0, 0.0, 0.0],
        "scores": [1.0, 0.0, 0.0],
        "extra_logs": {"has_code": [1.0, 1.0, 0.0]},
    }


def test_code_in_the_prompt_is_not_the_answer(url: str) -> None:
    prompt = said_by_a_model(SUM)
    said = answered(
        f"{url}/openrlhf/",
        {"query": [prompt + "no code"], "prompts": [prompt], "labels": [json.dumps(STDIO)]},
    )
    assert said["rewards"] == [0.0]
    said = answered(
        f"{url}/openrlhf",
        {"query": ["<s>" + prompt + "none"], "prompts": [prompt], "labels": [json.dumps(STDIO)]},
    )
    assert said["rewards"] == [0.0]


def test_other_languages_and_limits(url: str) -> None:
    label = {**STDIO, "language": "cpp", "limits": {"cpu_time_s": 1.0}}
    code = "#include <iostream>\nint main() { int a, b; std::cin >> a >> b; std::cout << a + b; }"
    said = openrlhf(url, [said_by_a_model(code, "cpp")], [json.dumps(label)])
    assert said["rewards"] == [1.0]


def test_labels_that_say_nothing_are_refused(url: str) -> None:
    for label in (
        None,
        "",
        "{",
        "no id, since it has blanks",
        {},
        {"inputs": ["1"], "outputs": []},
        {"type": "stdio", "cases": [{"input": 1}]},
    ):
        status, said = ask(f"{url}/slime", {"response": said_by_a_model(SUM), "label": label})
        assert status == 422, label
        assert "label" in said["detail"][0]["msg"], label
    status, said = ask(f"{url}/openrlhf", {"query": ["a"], "prompts": [], "labels": []})
    assert status == 422


def test_labels_that_become_too_much_together_are_refused(url: str) -> None:
    label = "[" + "[]," * 100_000 + "[]]"
    body = {"query": [""] * 50, "prompts": [""] * 50, "labels": [label] * 50}
    status, said = ask(f"{url}/openrlhf", body)
    assert status == 413
    assert "values" in said["detail"]


def test_who_goes_away_is_worked_for_no_longer() -> None:
    with compat_daemon({"openrlhf": "/"}, sandbox={"slots": 1}) as (daemon, url):
        label = {**STDIO, "limits": {"cpu_time_s": 300.0}}
        body = {
            "query": [said_by_a_model("while True: pass")] * 20,
            "prompts": [""] * 20,
            "labels": [label] * 20,
        }
        with leaving(f"{url}/", body):
            until(lambda: daemon.status().queued_cases > 0)
        assert daemon.wait_until_idle().queued_cases == 0


def test_cheats_earn_nothing_in_one_batch_with_an_honest_program(url: str) -> None:
    label = json.dumps({"inputs": ["20 22"] * 2, "outputs": ["42"] * 2})
    answers = [said_by_a_model(code) for code in (SUM, *STDIO_CHEATS.values())]
    said = openrlhf(url, answers, [label] * len(answers))
    assert said["rewards"] == [1.0, *[0.0] * len(STDIO_CHEATS)]


def test_an_overfull_queue_is_waited_for() -> None:
    with compat_daemon({"openrlhf": "/"}, engine={"max_queued_cases": 2}) as (_, url):
        answers = [said_by_a_model(SUM)] * 20
        body = {"query": answers, "prompts": [""] * 20, "labels": [STDIO] * 20}
        assert answered(f"{url}/", body)["rewards"] == [1.0] * 20
