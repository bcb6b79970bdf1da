"""What samples of HumanEval+ cost by themselves: their calls alone, in CPU time, with no harness.

    python -m bench.eval_native ROWS SAMPLES OUT --parallel N

`ROWS` is HumanEval+ as JSON lines, `SAMPLES` EvalPlus's own form.  Each sample is loaded in a
process of its own, with as many at once as are said, and called with every input up to the first
that is wrong; what is counted is loading and calls (`spent_s`, of each sample).  So nobody who runs
these programs, with this interpreter and these inputs, on so many cores can be done sooner than
`judged_s`.  There is no sandbox here: for the programs of `eval_speed`, which are known.
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
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from pathlib import Path
from typing import Any

from scalebox.suite.rows import rows_of

#: As EvalPlus gives to a call, at least and beside the reference solution's time, and to a process.
_CALL_S, _TIMES_REFERENCE = 1.0, 4.0
_MEMORY_BYTES = 4 << 30
_NEAR = 1e-6
#: Any zero of a polynomial is right: of its programs all are called with everything.
_ANY_IS_RIGHT = "HumanEval/32"

#: Task → its row, and of each call what its reference solution returns and how long it may take;
#: forks find it here.
_tasks: dict[str, tuple[dict[str, Any], list[Any], list[float]]] = {}


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


def returned(
    text: str, row: dict[str, Any], limits_s: Iterable[float], spent_s: list[float]
) -> Iterator[Any]:
    """What each call returns.

    Parameters:
        limits_s: of each call, by the clock.
        spent_s: gets the CPU seconds of loading, and then of each call, also of one that fails.
    """
    names: dict[str, Any] = {}
    with _measured(spent_s):
        exec(compile(text, "<string>", "exec", dont_inherit=True), names)
    for arguments, limit_s in zip(inputs_of(row), limits_s, strict=False):
        own = copy.deepcopy(arguments)
        signal.setitimer(signal.ITIMER_REAL, limit_s)
        try:
            with _measured(spent_s):
                value = names[row["entry_point"]](*own)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        yield value


@contextlib.contextmanager
def _measured(spent_s: list[float]) -> Iterator[None]:
    begun_s = time.process_time()
    try:
        yield
    finally:
        spent_s.append(time.process_time() - begun_s)


def _over(signum: int, frame: object) -> None:
    raise TimeoutError


def judge(sample: dict[str, str]) -> tuple[float, bool]:
    """CPU seconds of a sample, and whether it is right."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    signal.signal(signal.SIGALRM, _over)
    row, expected, limits_s = _tasks[sample["task_id"]]
    spent_s: list[float] = []
    values = returned(sample["solution"], row, limits_s, spent_s)
    try:
        right = all(
            sample["task_id"] == _ANY_IS_RIGHT or same(value, answer)
            for value, answer in zip(values, expected, strict=True)
        )
    except Exception:
        right = False
    return sum(spent_s), right


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m bench.eval_native", description=__doc__)
    parser.add_argument("rows", type=Path)
    parser.add_argument("samples", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--parallel", type=int, required=True)
    options = parser.parse_args(arguments)
    for _, row in rows_of(options.rows):
        reference = row["prompt"] + row["canonical_solution"]
        spent_s: list[float] = []
        values = list(returned(reference, row, repeat(0.0), spent_s))
        limits_s = [max(_CALL_S, _TIMES_REFERENCE * one_s) for one_s in spent_s[1:]]
        _tasks[row["task_id"]] = row, values, limits_s
    samples = [json.loads(line) for line in options.samples.read_text("utf-8").splitlines()]
    forking = multiprocessing.get_context("fork")
    with forking.Pool(options.parallel, maxtasksperchild=1) as pool:
        found = pool.map(judge, samples, chunksize=1)
    out = {
        "judged_s": sum(spent_s for spent_s, _ in found) / options.parallel,
        "spent_s": [spent_s for spent_s, _ in found],
        "right": [right for _, right in found],
    }
    options.out.write_text(json.dumps(out), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
