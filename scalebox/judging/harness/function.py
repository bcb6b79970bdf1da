"""Inside the sandbox: what follows the source of a judge that is a Python function.

Both are one program, compiled once, so that a judge's own lines keep their numbers.  Standard input
is a line (nonce, three sizes) and then input, output and answer; the decision goes to standard
output, among whatever the judge prints.  The judge is somebody's program like any other: it can
forge nothing that it could not simply return, so no channel of its own is needed.

A decision is to cost no more than a trivial program, and every process loads this anew.  So it is
short: all but a plain yes or no is said by `decision`, which comes along as text and is compiled by
who needs it.  Nothing is left behind that the interpreter would have to clear away at its end (see
the zygote's `LEAVING_WORDS`).
"""

MYPY = False
if MYPY:  # what is imported here would be in the judge's way
    from typing import Any, Callable


def _scalebox_decide(function: "Callable[[str, str, str], Any]", decision: str) -> None:
    import os

    # At its end for a judge that reads on.
    whole = os.read(0, 1 << 16)
    head, _, texts = whole.partition(b"\n")
    nonce, first, second, third = head.decode().split()
    start, end = int(first), int(first) + int(second)
    total = end + int(third)
    while len(texts) < total:
        texts += os.read(0, total - len(texts))
    try:
        found = function(
            texts[:start].decode("utf-8", "replace"),
            texts[start:end].decode("utf-8", "replace"),
            texts[end:].decode("utf-8", "replace"),
        )
    except Exception as error:
        found = error
    if found is True:
        line = '{"nonce": "%s", "accepted": true}' % nonce
    elif found is False:
        line = '{"nonce": "%s", "accepted": false}' % nonce
    else:
        scope = {"found": found, "nonce": nonce}
        exec(decision, scope)
        line = scope["line"]
    os.write(1, ("\n" + line + "\n").encode("ascii"))


_scalebox_decide(judge, DECISION)  # type: ignore[name-defined]  # noqa: F821 (the source before this)
