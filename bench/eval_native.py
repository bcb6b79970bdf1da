"""What samples of HumanEval+ cost by themselves: their calls alone, in CPU time, with no harness.

    python -m bench.eval_native ROWS SAMPLES OUT --parallel N

`ROWS` is HumanEval+ as JSON lines, `SAMPLES` EvalPlus's own form.  Each sample is loaded in a
process of its own, with as many at once as are said, and called with every input up to the first
that is wrong; what is counted is loading and calls.  So nobody who runs these programs, with this
interpreter and these inputs, on so many cores can be done sooner than `judged_s`.  There is no
sandbox here: for the programs of `eval_speed`, which are known.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import json
import math
import multiprocessing
import resource
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from scalebox.suite.rows import rows_of

#: As EvalPlus gives to a call that the reference solution is quick with, and to a process.
_CALL_S = 1.0
_MEMORY_BYTES = 4 << 30
_NEAR = 1e-6
#: Any zero of a polynomial is right: of its programs all are called with everything.
_ANY_IS_RIGHT = "HumanEval/32"

#: Task → its row, and what its reference solution returns; forks find it here.
_tasks: dict[str, tuple[dict[str, Any], list[Any]]] = {}


def same(one: Any, other: Any) -> bool:
    """Whether two returned values are equal, numbers nearly."""
    if isinstance(one, float) or isinstance(other, float):
        with contextlib.suppress(TypeError, ValueError, OverflowError):
            return math.isclose(one, other, rel_tol=_NEAR, abs_tol=_NEAR)
        return False
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def inputs_of(row: dict[str, Any]) -> list[list[Any]]:
    """All, in their order."""
    return [*row["base_input"], *row["plus_input"]]


def returned(text: str, row: dict[str, Any]) -> Iterator[tuple[float, Any]]:
    """Of each call, the CPU seconds until it is over (of the first, with loading) and the value."""
    begun_s = time.process_time()
    names: dict[str, Any] = {}
    exec(compile(text, "<string>", "exec", dont_inherit=True), names)
    spent_s = time.process_time() - begun_s
    for arguments in inputs_of(row):
        own = copy.deepcopy(arguments)
        begun_s = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, _CALL_S)
        try:
            value = names[row["entry_point"]](*own)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        spent_s += time.process_time() - begun_s
        yield spent_s, value
        spent_s = 0.0


def _over(signum: int, frame: object) -> None:
    raise TimeoutError


def judge(sample: dict[str, str]) -> tuple[float, bool]:
    """CPU seconds of a sample, and whether it is right."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    signal.signal(signal.SIGPROF, _over)
    row, expected = _tasks[sample["task_id"]]
    begun_s = time.process_time()
    total_s = 0.0
    try:
        for (spent_s, value), right in zip(
            returned(sample["solution"], row), expected, strict=True
        ):
            total_s += spent_s
            if sample["task_id"] != _ANY_IS_RIGHT and not same(value, right):
                return total_s, False
    except Exception:
        # Of a call that did not end, all that the process has spent and the others have not.
        return max(total_s, min(time.process_time() - begun_s, total_s + _CALL_S)), False
    return total_s, True


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m bench.eval_native", description=__doc__)
    parser.add_argument("rows", type=Path)
    parser.add_argument("samples", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--parallel", type=int, required=True)
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGPROF, signal.SIG_IGN)
    for _, row in rows_of(options.rows):
        reference = row["prompt"] + row["canonical_solution"]
        _tasks[row["task_id"]] = row, [value for _, value in returned(reference, row)]
    samples = [json.loads(line) for line in options.samples.read_text("utf-8").splitlines()]
    forking = multiprocessing.get_context("fork")
    with forking.Pool(options.parallel, maxtasksperchild=1) as pool:
        found = pool.map(judge, samples, chunksize=1)
    out = {
        "judged_s": sum(spent_s for spent_s, _ in found) / options.parallel,
        "right": [right for _, right in found],
    }
    options.out.write_text(json.dumps(out), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
