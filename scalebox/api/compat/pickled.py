"""Test data that clients send as `base64(zlib(pickle(…)))`, read without trusting the sender.

open-instruct's clients send their tests so (allenai/open-instruct:open_instruct/code_utils/
code_utils.py, `encode_tests`).  A pickle is a program for a small machine, which can import and
call anything, and ask for any amount of memory before it shows a byte.  So Python's own machine is
never started: the steps are carried out here, and there are only those that make plain data (lists,
tuples, dictionaries with texts as keys, texts, numbers, None).
"""

from __future__ import annotations

import base64
import binascii
import pickletools
import zlib
from typing import Any

from scalebox.errors import BadRequestError, TooLargeError

#: A test takes about six steps, and a submission has 10,000 tests at most.
MAX_STEPS = 500_000

_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_EMPTY: dict[str, type] = {"EMPTY_LIST": list, "EMPTY_DICT": dict, "EMPTY_TUPLE": tuple}
#: The step's argument is the value.
_GIVEN = frozenset(
    {
        *("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT"),
        *("SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"),
        *("SHORT_BINBYTES", "BINBYTES", "BINBYTES8"),
    }
)
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_NAMING = frozenset({"BINPUT", "LONG_BINPUT"})
_NAMED = frozenset({"BINGET", "LONG_BINGET"})
_NOTHING = frozenset({"PROTO", "FRAME"})


def unpack(text: str, limit_bytes: int) -> Any:
    """The data behind a text; takes as long as there is data, so call it in a worker thread.

    Parameters:
        text: base64 of zlib of a pickle.
        limit_bytes: the most that it may become when it is decompressed.

    Raises:
        BadRequestError: it is nothing of the kind, or not plain data.
        TooLargeError: it becomes too much.
    """
    try:
        packed = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadRequestError("the tests are neither JSON nor base64", field="tests") from None
    decompressor = zlib.decompressobj()
    try:
        data = decompressor.decompress(packed, limit_bytes)
    except zlib.error as error:
        raise BadRequestError(
            f"the tests are base64, but not of what zlib has compressed: {error}", field="tests"
        ) from None
    if decompressor.unconsumed_tail:
        raise TooLargeError(
            f"the tests become more than {limit_bytes} bytes when they are decompressed "
            "(server.max_request_bytes)",
            field="tests",
        )
    if not decompressor.eof:
        raise BadRequestError("the tests' compressed data is cut short", field="tests")
    return plain(data)


def plain(data: bytes) -> Any:
    """The plain data of a pickle; what it names more than once is one value, not copies.

    Raises:
        BadRequestError: it is no pickle, or not of plain data.
        TooLargeError: it has more than `MAX_STEPS`.
    """
    machine = _Machine()
    try:
        for count, (step, argument, _) in enumerate(pickletools.genops(data)):
            if count >= MAX_STEPS:
                raise TooLargeError(
                    f"the tests' pickle has more than {MAX_STEPS} steps; send JSON", field="tests"
                )
            if step.name == "STOP":
                return machine.stack.pop()
            machine.do(step.name, argument)
    except (BadRequestError, TooLargeError):
        raise
    except Exception as error:
        # Of a malformed one anything may come: ValueError, IndexError, KeyError …
        raise BadRequestError(
            f"the tests' pickle is broken ({type(error).__name__})", field="tests"
        ) from None
    raise BadRequestError("the tests' pickle has no end", field="tests")


class _Machine:
    """The part of pickle's machine that makes plain data.

    Attributes:
        stack: values that are not yet part of another.
    """

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}

    def do(self, name: str, argument: Any) -> None:
        """One step.

        Raises:
            BadRequestError: it is one that does more than to make plain data.
            Exception: it does not fit what is there.
        """
        stack = self.stack
        if name in _GIVEN:
            stack.append(argument)
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name in _EMPTY:
            stack.append(_EMPTY[name]())
        elif name == "MARK":
            self._marks.append(len(stack))
        elif name == "MEMOIZE":
            self._memo[len(self._memo)] = stack[-1]
        elif name in _NAMING:
            self._memo[argument] = stack[-1]
        elif name in _NAMED:
            stack.append(self._memo[argument])
        elif name == "TUPLE":
            stack.append(tuple(self._since_mark()))
        elif name in _TUPLES:
            items = [stack.pop() for _ in range(_TUPLES[name])]
            stack.append(tuple(reversed(items)))
        elif name in ("APPEND", "APPENDS"):
            items = [stack.pop()] if name == "APPEND" else self._since_mark()
            _of(stack[-1], list).extend(items)
        elif name in ("SETITEM", "SETITEMS"):
            items = [stack.pop(), stack.pop()][::-1] if name == "SETITEM" else self._since_mark()
            keys, values = items[::2], items[1::2]
            # Keys of other kinds can be chosen so that each takes as long as all before it.
            _of(stack[-1], dict).update(zip((_of(key, str) for key in keys), values, strict=True))
        elif name not in _NOTHING:
            raise BadRequestError(
                f"the tests' pickle has a step {name}; only plain data is read: lists, "
                "dictionaries, texts and numbers",
                field="tests",
            )

    def _since_mark(self) -> list[Any]:
        mark = self._marks.pop()
        items = self.stack[mark:]
        del self.stack[mark:]
        return items


def _of(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise TypeError(f"no {kind.__name__}")
    return value
