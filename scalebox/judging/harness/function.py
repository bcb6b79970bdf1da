"""Inside the sandbox: what follows the source of a judge that is a Python function.

Both are one program, compiled once, so that a judge's own lines keep their numbers.  Standard input
is a line (nonce and three sizes for each question) and then the questions: input, output, answer.
Decisions go to standard output, among whatever the judge prints.  The judge is somebody's program
like any other: it can forge nothing that it could not simply return, so no channel of its own is
needed.

With several questions each but the last is decided in a process forked for it, one after the other:
whatever a decision changes in the judge, the others do not see.

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
    words = head.decode().split()
    ends = []
    total = 0
    for at, word in enumerate(words):
        if at % 4:
            total += int(word)
            ends.append(total)
    while len(texts) < total:
        texts += os.read(0, total - len(texts))
    start = at = 0
    while at + 4 < len(words):
        child = os.fork()
        if not child:
            break
        os.waitpid(child, 0)
        start = ends[at // 4 * 3 + 2]
        at += 4
    nonce = words[at]
    first, second, third = ends[at // 4 * 3 : at // 4 * 3 + 3]
    try:
        found = function(
            texts[start:first].decode("utf-8", "replace"),
            texts[first:second].decode("utf-8", "replace"),
            texts[second:third].decode("utf-8", "replace"),
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
    if at + 4 < len(words):
        os._exit(0)


_scalebox_decide(judge, DECISION)  # type: ignore[name-defined]  # noqa: F821 (the source before this)
