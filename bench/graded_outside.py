"""What comes of a sample and its tests without ScaleBox: the same Python, and nothing around it.

Where this says what our verdict says, a verdict that differs from the published one is due to the
environment.  There is no sandbox here: it is for samples that somebody has looked at.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from pathlib import Path

#: By the clock, of a machine that may do other things.
_TIMEOUT_S = 900.0
_WORDS = 300
_PROGRAM = "sample_and_tests.py"
#: bigcode-project/bigcodebench:bigcodebench/eval/utils.py (`reliability_guard`); and no display.
_SET = {"TZ": "UTC", "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "MPLBACKEND": "agg"}


def run(python: Path, program: str, tests: str) -> str:
    """Run the tests of a sample by unittest's own runner.

    Parameters:
        python: with the libraries.
        tests: of the task; they define `TestCases`.

    Returns:
        `pass`, or `fail:` and what failed, or `timeout`.
    """
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, _PROGRAM)
        file.write_text(f"{program}\n{tests}\n", encoding="utf-8")
        process = subprocess.Popen(
            [python, "-m", "unittest", f"{file.stem}.TestCases"],
            cwd=directory,
            env={**os.environ, **_SET, "HOME": directory},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        try:
            _, words = process.communicate(timeout=_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return "timeout"
    return "pass" if process.returncode == 0 else f"fail: {_summary(words)}"


def _summary(words: str) -> str:
    failed = [line for line in words.splitlines() if line.startswith(("FAIL:", "ERROR:"))]
    said = [line for line in words.splitlines() if "Error" in line and line not in failed]
    return " ".join([*failed[:3], *said[:2]])[:_WORDS]
