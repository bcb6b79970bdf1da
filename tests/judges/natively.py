"""Judges as plain functions of this process: what else runs in a slot, for tests that ask often."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scalebox.judging.compare import compare
from scalebox.model import Comparison, FunctionJudge, GivenJudge

#: Input, output, answer → what a judge returns.
Decides = Callable[[bytes, bytes, bytes], Any]


def natively(judge: GivenJudge) -> Decides:
    """Decides as the engine does, without a slot."""
    if isinstance(judge, Comparison):
        rule = judge
        return lambda given, output, answer: compare(rule, output, answer).accepted
    assert isinstance(judge, FunctionJudge)
    assert isinstance(judge.source, str)
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(judge.source, "judge.py", "exec"), names)
    function = names["judge"]

    def decide(*texts: bytes) -> Any:
        # As the harness reads them.
        return function(*(text.decode("utf-8", "replace") for text in texts))

    return decide


def accepts(found: Any) -> bool:
    """What a judge returned, as yes or no; fails if it is nothing that a judge may return."""
    words = ""
    if isinstance(found, tuple):
        found, words = found
    assert isinstance(words, str)
    assert isinstance(found, (bool, int, float)), found
    assert 0 <= found <= 1
    return found == 1


def judged(decide: Decides, given: bytes, output: bytes, answer: bytes) -> bool | None:
    """Whether the output is accepted; None: the judge says that the answer is none of its kind."""
    try:
        return accepts(decide(given, output, answer))
    except ValueError as error:
        if not str(error).startswith("the answer"):
            raise
        return None
