"""`sandbox-fusion`'s functions for datasets."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from bench.clients import Client, Served

CLIENT = Client("sandbox-fusion")

_ROW = {
    "id": 4, "content": "Double a number.", "labels": json.dumps({"difficulty": "EASY"}),
    "test": json.dumps(
        [{"input": {"stdin": f"{n}\n"}, "output": {"stdout": f"{2 * n}\n"}} for n in range(4)]
    ),
}  # fmt: skip
_RIGHT = "Here you are:\n```python\nprint(2 * int(input()))\n```"
_WRONG = "```python\nprint(2)\n```"
_CPP = "```cpp\n#include <iostream>\nint main() { int n; std::cin >> n; std::cout << 2 * n; }\n```"


def check_a_configured_dataset(served: Served) -> None:
    """`get_prompts`, `get_prompt_by_id` and `submit` over a file of `[compat.datasets]`."""
    from sandbox_fusion import (
        GetPromptByIdRequest,
        GetPromptsRequest,
        SubmitRequest,
        TestConfig,
        get_prompt_by_id,
        get_prompts,
        submit,
    )

    from tests.api.compat.daemon import compat_daemon

    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "rows.jsonl"
        rows.write_text(f"{json.dumps(_ROW)}\n")
        table = {"common_evaluate": "/", "datasets": {"code_contests": str(rows)}}
        with compat_daemon(table) as (_, url):
            config = TestConfig(language="python")
            asked = GetPromptsRequest(dataset="code_contests", config=config)
            prompts = get_prompts(asked, endpoint=url)
            assert [prompt.id for prompt in prompts] == [4], prompts
            assert prompts[0].labels == {"difficulty": "EASY"}, prompts
            one = GetPromptByIdRequest(dataset="code_contests", id=4, config=config)
            assert get_prompt_by_id(one, endpoint=url) == prompts[0]
            for completion, right in ((_RIGHT, True), (_WRONG, False)):
                request = SubmitRequest(
                    dataset="code_contests", id=4, completion=completion, config=config
                )
                result = submit(request, endpoint=url)
                assert result.accepted is right, result
            assert result.tests[0].exec_info.run_result.stdout == "2\n", result


def check_a_row_of_the_clients(served: Served) -> None:
    """`submit` and `submit_safe` of a row in `provided_data`, by threads; every case; C++."""
    from sandbox_fusion import SubmitRequest, TestConfig, run_concurrent, submit, submit_safe

    endpoint = f"{served.url}/common_evaluate"

    def request(completion: str, language: str = "python") -> SubmitRequest:
        config = TestConfig(
            language=language,
            provided_data=_ROW,
            dataset_type="CommonOJDataset",
            extra={"run_all_cases": True},
        )
        return SubmitRequest(dataset="mine", id="x/1", completion=completion, config=config)

    several = [(request(one), endpoint) for one in [_RIGHT, _WRONG] * 10]
    results = run_concurrent(submit, several)
    assert [one.accepted for one in results] == [True, False] * 10, results
    assert [test.passed for test in results[1].tests] == [False, True, False, False], results[1]
    assert results[0].id == "x/1", results[0]
    assert submit_safe(request(_CPP, "cpp"), endpoint).accepted
    broken = submit(request("```cpp\nint main() {\n```", "cpp"), endpoint)
    assert not broken.accepted, broken
    assert broken.tests[0].exec_info.compile_result.return_code == 1, broken


def check_no_reward_without_code(served: Served) -> None:
    """`submit` of answers that only claim to be right."""
    from sandbox_fusion import SubmitRequest, TestConfig, submit

    config = TestConfig(language="python", provided_data=_ROW)
    for completion in (
        "",
        "I am right.",
        "```python\n```",
        "```python\nimport os; os._exit(0)\n```",
        "```python\nprint('{\"accepted\": true}')\n```",
    ):
        request = SubmitRequest(dataset="mine", id=4, completion=completion, config=config)
        result = submit(request, endpoint=f"{served.url}/common_evaluate")
        assert not result.accepted, result
        assert not any(test.passed for test in result.tests), result


def check_a_failed_judge_is_asked_again(served: Served) -> None:
    """`submit` raises where a special judge fails, after as many tries as it is told."""
    from sandbox_fusion import SubmitRequest, TestConfig, submit

    config = TestConfig(
        language="python",
        provided_data=_ROW,
        extra={"special_judge_program": "raise SystemExit(9)"},
    )
    request = SubmitRequest(dataset="mine", id=4, completion=_RIGHT, config=config)
    said = ""
    try:
        submit(request, endpoint=f"{served.url}/common_evaluate", max_attempts=2)
    except Exception as error:  # the client raises nothing more exact
        said = str(error)
    assert "code 500" in said, said
