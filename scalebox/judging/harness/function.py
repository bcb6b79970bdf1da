"""Inside the sandbox: what follows the source of a judge that is a Python function.

Both are one program, compiled once, so that a judge's own lines keep their numbers.  Standard input
is a line of JSON (nonce, sizes) and then input, output and answer; the decision goes to descriptor
5.  The judge is somebody's program like any other: it can forge nothing that it could not simply
return.
"""

MYPY = False
if MYPY:  # what is imported here would be in the judge's way
    from typing import Any, Callable, Dict


def _scalebox_decide(function: "Callable[[str, str, str], Any]") -> None:
    import json
    import os
    import sys

    stream = sys.stdin.buffer
    head = json.loads(stream.readline())
    texts = [stream.read(size).decode("utf-8", "replace") for size in head["sizes"]]
    sys.stdin = open(os.devnull)  # noqa: SIM115 (it lives as long as the process)

    def describe(error: BaseException) -> str:
        traceback, line = error.__traceback__, 0
        while traceback is not None:
            line, traceback = traceback.tb_lineno, traceback.tb_next
        return "%s: %s (line %d)" % (type(error).__name__, error, line)

    def decide() -> "Dict[str, Any]":
        try:
            found = function(*texts)
        except Exception as error:
            return {"failed": "raised " + describe(error)}
        words = ""
        if isinstance(found, tuple) and len(found) == 2 and isinstance(found[1], str):
            found, words = found
        if type(found).__module__ == "num%s" % "py" and hasattr(found, "item"):
            found = found.item()
        if isinstance(found, bool):
            return {"accepted": found, "message": words}
        if isinstance(found, (int, float)) and 0 <= found <= 1:
            return {"accepted": found == 1, "score": float(found), "message": words}
        return {"failed": "returned %s" % repr(found)[:200]}

    record = dict(decide(), nonce=head["nonce"])
    for name in ("failed", "message"):
        if name in record:
            record[name] = record[name][:1000]
    data = ("\n" + json.dumps(record) + "\n").encode("ascii")
    while data:
        data = data[os.write(5, data) :]


_scalebox_decide(judge)  # type: ignore[name-defined]  # noqa: F821 (the source before this)
