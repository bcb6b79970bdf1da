"""EvalPlus's own evaluator, timed: run in an environment that has `evalplus` from PyPI.

    python -m bench.evalplus_theirs ROWS SAMPLES OUT --parallel N

`ROWS` is HumanEval+ as JSON lines, `SAMPLES` EvalPlus's own form.  Their expected outputs are made
first, and timed apart: a second evaluation finds them in their cache.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m bench.evalplus_theirs", description=__doc__)
    parser.add_argument("rows", type=Path)
    parser.add_argument("samples", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--parallel", type=int, required=True)
    options = parser.parse_args(arguments)
    os.environ["HUMANEVAL_OVERRIDE_PATH"] = str(options.rows)
    from evalplus import evaluate  # type: ignore[import-not-found]

    began = time.perf_counter()
    problems = evaluate.get_human_eval_plus()
    evaluate.get_groundtruth(problems, evaluate.get_human_eval_plus_hash(), [])
    prepared = time.perf_counter()
    evaluate.evaluate("humaneval", str(options.samples), parallel=options.parallel)
    ended = time.perf_counter()
    found = next(options.samples.parent.glob(f"{options.samples.stem}*eval_results.json"))
    results = json.loads(found.read_text(encoding="utf-8"))["eval"]
    verdicts = {
        # Its pass@k with the further inputs asks for both, too.
        task: [
            [base := one["base_status"] == "pass", base and one["plus_status"] == "pass"]
            for one in ones
        ]
        for task, ones in results.items()
    }
    out = {"prepared_s": prepared - began, "judged_s": ended - prepared, "verdicts": verdicts}
    options.out.write_text(json.dumps(out), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
