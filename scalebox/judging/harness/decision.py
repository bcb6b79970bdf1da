"""Inside the sandbox: what a judge that is a function returned or raised, as a line of JSON.

Executed by `function` where that was no plain yes or no; `found` and `nonce` are there.
"""

import json

MYPY = False
if MYPY:
    from typing import Any, Dict

    found = None  # type: Any
    nonce = ""


def _describe(error: BaseException) -> str:
    traceback, line = error.__traceback__, 0
    while traceback is not None:
        line, traceback = traceback.tb_lineno, traceback.tb_next
    return "%s: %s (line %d)" % (type(error).__name__, error, line)


def _decide(found: "Any") -> "Dict[str, Any]":
    if isinstance(found, Exception):
        return {"failed": "raised " + _describe(found)}
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


record = dict(_decide(found), nonce=nonce)
for name in ("failed", "message"):
    if name in record:
        record[name] = record[name][:1000]
line = json.dumps(record)
