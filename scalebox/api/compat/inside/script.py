"""Inside the sandbox: a script whose last expression is its result, as in a notebook's cell.

Standard input holds a line of JSON, `[token, script]`.  The script has standard output and error to
itself, and an empty standard input; at its end a line is put after what it has written to standard
error: the token, and `{"text": the last expression's repr or null, "error": null or {"name":
..., "value": ..., "traceback": ...}}`.

Scripts that judge start the program that they judge as processes of their own, of the same user.
So the script is nowhere in a file, and nobody reads this process's memory or its descriptors: the
answers that such a program must not see, and the token, are there.
"""

from __future__ import annotations

import ast
import builtins
import ctypes
import json
import linecache
import os
import sys
import traceback
from typing import Any

_PR_SET_DUMPABLE = 4
#: As notebooks show where code is from.
_NAME = "<cell>"


def main() -> None:
    """Run the script, and tell what came of it."""
    token, script = json.loads(sys.stdin.buffer.readline())
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    sys.stdin = os.fdopen(0, closefd=False)
    # What a judged program leaves in the folder is not what the script imports next.
    sys.path.append(sys.path.pop(0))
    process, told = os.getpid(), os.dup(2)
    linecache.cache[_NAME] = (len(script), None, script.splitlines(True), _NAME)
    what = _run(script)  # type: dict[str, Any]
    sys.stdout.flush()
    if os.getpid() != process:  # the script's own child, which came back from it
        os._exit(0)
    line = b"\n%s %s\n" % (token.encode("ascii"), json.dumps(what).encode("ascii"))
    while line:
        line = line[os.write(told, line) :]
    os._exit(1 if what["error"] else 0)


def _run(script: str) -> dict[str, Any]:
    module = type(sys)("__main__")
    module.__dict__["__builtins__"] = builtins
    sys.modules["__main__"] = module
    sys.argv[:] = [""]
    try:
        tree = ast.parse(script, _NAME)
        last = None
        if tree.body and isinstance(tree.body[-1], ast.Expr):
            last = ast.Expression(tree.body.pop().value)  # type: ignore[attr-defined]
        exec(compile(tree, _NAME, "exec"), module.__dict__)
        value = eval(compile(last, _NAME, "eval"), module.__dict__) if last else None
        return {"text": None if value is None else repr(value), "error": None}
    except BaseException as error:
        kind, value, place = sys.exc_info()
        # Without the frames of this file.
        while place is not None and place.tb_frame.f_code.co_filename != _NAME:
            place = place.tb_next
        lines = traceback.format_exception(kind, value, place)
        return {
            "text": None,
            "error": {
                "name": type(error).__name__,
                "value": str(error),
                "traceback": "".join(lines),
            },
        }


main()
