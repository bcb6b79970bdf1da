"""Inside the sandbox: what follows the source of a judge that is a Python function.

Both are one program, compiled once, so that a judge's own lines keep their numbers.  Standard input
is a line (nonce, three sizes) and then input, output and answer; the decision goes to standard
output, and what the judge prints to standard error.  The judge is somebody's program like any
other: it can forge nothing that it could not simply return, so no channel of its own is needed.

A decision is to cost no more than a trivial program.  So nothing is imported that need not be, and
nothing is left behind that the interpreter would have to clear away at its end: see the zygote's
`LEAVING_WORDS`.
"""

MYPY = False
if MYPY:  # what is imported here would be in the judge's way
    from typing import Any, Callable, Dict


def _scalebox_decide(function: "Callable[[str, str, str], Any]") -> None:
    import os

    channel = os.dup(1)
    os.dup2(2, 1)
    whole = os.read(0, 65536)
    if len(whole) == 65536:
        pieces = [whole]
        while pieces[-1]:
            pieces.append(os.read(0, 1 << 20))
        whole = b"".join(pieces)
    head, _, whole = whole.partition(b"\n")
    nonce, *sizes = head.decode("ascii").split()
    first, second = int(sizes[0]), int(sizes[0]) + int(sizes[1])
    texts = [
        part.decode("utf-8", "replace")
        for part in (whole[:first], whole[first:second], whole[second:])
    ]

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

    record = decide()
    if record.get("message") == "" and len(record) == 2:
        line = '{"nonce": "%s", "accepted": %s}' % (
            nonce,
            "true" if record["accepted"] else "false",
        )
    else:
        import json

        for name in ("failed", "message"):
            if name in record:
                record[name] = record[name][:1000]
        line = json.dumps(dict(record, nonce=nonce))
    data = ("\n" + line + "\n").encode("ascii")
    while data:
        data = data[os.write(channel, data) :]


_scalebox_decide(judge)  # type: ignore[name-defined]  # noqa: F821 (the source before this)
