"""What people do without ScaleBox: run as a script by the judge's own interpreter, no isolation.

One line of JSON in, one out.  A request holds submissions, and how to run them:

* `subprocess`: `subprocess.run([python, file])` for every case;
* `native`: `subprocess.run([binary])` for every case;
* `exec`: one forked child a submission, which `exec`s the compiled source for every case with
  `sys.stdin` and `sys.stdout` replaced, as common reward functions do.

No imports beyond the standard library: the interpreter has nothing of ours.
"""

from __future__ import annotations

import io
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
from typing import Any

_TIMEOUT_S = 60


def _matches(output: str, answer: str) -> bool:
    return output.split() == answer.split()


def _by_subprocess(command: list[str], cases: list[list[str]]) -> int:
    right = 0
    for given, answer in cases:
        done = subprocess.run(
            command, input=given, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
        right += done.returncode == 0 and _matches(done.stdout, answer)
    return right


def _in_process(source: str, cases: list[list[str]]) -> int:
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        right = 0
        try:
            signal.alarm(_TIMEOUT_S)
            code = compile(source, "solution.py", "exec")
            for given, answer in cases:
                sys.stdin, sys.stdout = io.StringIO(given), io.StringIO()
                try:
                    exec(code, {"__name__": "__main__"})
                    right += _matches(sys.stdout.getvalue(), answer)
                except BaseException:
                    continue
            os.write(writer, str(right).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with open(reader, "rb") as result:
        text = result.read()
    os.waitpid(pid, 0)
    return int(text or b"0")


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    right = 0
    for submission in request["submissions"]:
        cases = submission["cases"]
        if request["mode"] == "exec":
            right += _in_process(submission["source"], cases)
        elif request["mode"] == "native":
            right += _by_subprocess([submission["source"]], cases)
        else:
            with tempfile.NamedTemporaryFile("w", suffix=".py", encoding="utf-8") as file:
                file.write(submission["source"])
                file.flush()
                right += _by_subprocess([sys.executable, file.name], cases)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"right": right, "programs_cpu_s": cpu_s}


def main() -> None:
    """Answer requests until the input ends."""
    requests, answers = sys.stdin, sys.stdout
    for line in requests:
        answers.write(json.dumps(_answer(json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
