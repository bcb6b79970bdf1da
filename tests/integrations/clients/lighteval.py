"""`lighteval`: its copy of LiveCodeBench's checker beside ours in strict mode."""

from __future__ import annotations

from typing import Any

from bench.clients import Client, Served, import_alone

CLIENT = Client(
    "lighteval",
    requirements=("numpy", "tqdm"),
    alone="torch and transformers, which its copy of LiveCodeBench's checker never touches",
)

#: Its standard input is a plain `StringIO`: what reads that otherwise than by lines differs.
_NOT_THEIRS = ("sys.stdin", "fileinput")


def _theirs() -> Any:
    return import_alone("lighteval.tasks.tasks.lcb.codegen_metrics")


def check_the_same_is_said(served: Served) -> None:
    """`check_correctness`: 100 programs, checked by its own copy and by ours: the same codes."""
    from scalebox.integrations import livecodebench
    from tests.integrations.inprocess.quirks import sample
    from tests.integrations.inprocess.said import SAID

    theirs, different = _theirs(), []
    programs = [one for one in SAID if not any(word in one["code"] for word in _NOT_THEIRS)]
    for said in programs:
        tests = sample(said["inputs"], said["outputs"], said["fn_name"])
        results, _ = livecodebench.run_test(tests, said["code"], timeout=1)
        dead = [-1] * len(said["inputs"])
        known = list(theirs.check_correctness(tests, said["code"], 1))
        # Of a process that dies, the copy gives the codes that LiveCodeBench means to give.
        if repr(known) != repr(results) and not (known == dead and results == [-2]):
            different.append((said["code"], known, results))
    assert len(programs) > 90, len(programs)
    assert not different, different


def check_metrics_are_the_same(served: Served) -> None:
    """`codegen_metrics`: pass@k of theirs and of ours, in the whole and of each problem."""
    from scalebox.integrations import livecodebench
    from tests.integrations.inprocess.quirks import sample

    tests = [sample(["1 2", "3 4"], ["3", "7"]), sample(["1"], ["2"], "double")]
    programs = [
        ["a, b = map(int, input().split())\nprint(a + b)", "print(3)"],
        ["def double(n): return n * 2", "def double(n): return n + 1"],
    ]
    ks = [1, 2]
    known, codes = _theirs().codegen_metrics(tests, programs, k_list=ks)
    metrics, results, _ = livecodebench.codegen_metrics(tests, programs, k_list=ks)
    assert dict(codes) == dict(results), (codes, results)
    assert {name: known[name] for name in ("pass@1", "pass@2")} == {
        name: metrics[name] for name in ("pass@1", "pass@2")
    }, (known, metrics)
    assert known["detail"] == metrics["detail"], (known, metrics)
