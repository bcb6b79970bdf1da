"""`evalplus`: its own checker beside ours, and its `evaluate` with ours in it."""

from __future__ import annotations

import copy
import json
import tempfile
from pathlib import Path
from typing import Any

from bench.clients import Client, Served

CLIENT = Client(
    "evalplus",
    requirement="evalplus>=0.3.1",
    requirements=(
        *("numpy", "psutil", "tqdm", "termcolor", "appdirs", "tempdir", "wget"),
        *("multipledispatch", "datasets", "rich", "tree-sitter", "tree-sitter-python"),
    ),
    alone="transformers and the clients of five model services, which its checker never touches",
)

PROBLEMS: dict[str, dict[str, Any]] = {
    "HumanEval/900": {
        "task_id": "HumanEval/900",
        "prompt": 'def halves(xs):\n    """Half of each."""\n',
        "canonical_solution": "    return [x / 2 for x in xs]\n",
        "entry_point": "halves",
        "base_input": [[[1, 2]], [[]]],
        "plus_input": [[[3.5]], [[10**20, 0]]],
        "atol": 1e-6,
    },
    "HumanEval/901": {
        "task_id": "HumanEval/901",
        "prompt": 'def parts(text):\n    """The letters, and how many."""\n',
        "canonical_solution": "    return set(text), len(text)\n",
        "entry_point": "parts",
        "base_input": [["abca"]],
        "plus_input": [[""], ["é" * 100]],
        "atol": 0,
    },
}


def check_the_same_is_said(served: Served) -> None:
    """`untrusted_check`: 80 solutions, each checked by theirs and by ours: the same is said."""
    from evalplus.eval import untrusted_check

    from scalebox.integrations import evalplus
    from tests.integrations.inprocess.calls import CASES

    different = []
    for case in CASES:
        slow = [0.01] * len(case.inputs)
        rest = (case.name, case.expected, case.atol, slow, case.fast)
        given = (case.dataset, case.code, copy.deepcopy(case.inputs), *rest)
        status, details = untrusted_check(*copy.deepcopy(given))
        theirs, ours = (status, list(map(bool, details))), evalplus.untrusted_check(*given)
        if theirs != ours or ours != (case.status, case.details):
            different.append((case.body, theirs, ours))
    assert not different, different


def check_evaluation_with_our_checker(served: Served) -> None:
    """`evaluate`, with `untrusted_check` and `get_groundtruth` replaced: right, wrong, hostile."""
    from evalplus import evaluate

    from scalebox.integrations import evalplus

    evaluate.untrusted_check = evalplus.untrusted_check
    evaluate.get_groundtruth = evalplus.get_groundtruth
    evaluate.get_human_eval_plus = lambda **_: PROBLEMS
    evaluate.get_human_eval_plus_hash = lambda **_: "own"
    wrong = {
        "HumanEval/900": "def halves(xs): return [x // 2 for x in xs]",
        "HumanEval/901": "import os\ndef parts(text): os._exit(0)",
    }
    with tempfile.TemporaryDirectory() as directory:
        samples = Path(directory, "samples.jsonl")
        rows = [
            {"task_id": name, "solution": solution}
            for name, one in PROBLEMS.items()
            for solution in (one["prompt"] + one["canonical_solution"], wrong[name])
        ]
        samples.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        evaluate.evaluate("humaneval", str(samples), parallel=2)
        file = Path(directory, "samples_eval_results.json")
        results = json.loads(file.read_text(encoding="utf-8"))["eval"]
    said = {
        name: [(one["base_status"], one["plus_status"]) for one in ones]
        for name, ones in results.items()
    }
    assert said == {
        "HumanEval/900": [("pass", "pass"), ("fail", "fail")],
        "HumanEval/901": [("pass", "pass"), ("timeout", "timeout")],
    }, said
