"""Inside the sandbox, untrusted side: execute the submission and serve a tester's requests.

Reads requests from descriptor 3 and writes answers to descriptor 4, one line each.  It holds no
expected value and no way to the slot: whatever the submission does here, it is the tester, another
process, that decides.  Requests are `[operation, target, args, kwargs]`; answers are `{"v": value}`
with changed arguments as `"a"`, or `{"e": …}` for an exception.
"""

from __future__ import annotations

import os
import sys
from typing import Any, Callable

from scalebox.judging.harness.common import (
    LineReader,
    MalformedError,
    UncompilableError,
    UnserialisableError,
    decode,
    describe,
    dumps,
    flush_output,
    load_candidate,
    loads,
    read_stdin,
    write_all,
)
from scalebox.judging.harness.rich import (
    MESSAGE_BYTES,
    class_names,
    mutable_copy_target,
    reader,
    writer,
)

REQUESTS, ANSWERS = 3, 4
_MOST_HANDLES = 1_000_000
_exit = os._exit
_module_type = type(sys)

#: Classes that the tester takes from its own library when the submission imported them.
_LIBRARY = ("collections", "datetime", "decimal", "fractions", "typing")


class Server:
    """Answers requests about one loaded submission."""

    def __init__(self, module: Any) -> None:
        self._module = module
        self._objects: list[Any] = []
        self._numbers: dict[int, int] = {}
        self._other = writer(self._opaque)
        self._read = reader(self._handle)
        self._operations: dict[str, Callable[..., Any]] = {
            "name": self._name,
            "call": lambda target, *args, **kwargs: target(*args, **kwargs),
            "getattr": getattr,
            "setattr": setattr,
            "iter": iter,
            "next": next,
            "len": len,
            "getitem": lambda target, key: target[key],
            "setitem": self._set_item,
            "bool": bool,
            "str": str,
            "repr": repr,
            "eq": lambda target, other: bool(target == other),
        }

    def answer(self, line: str) -> str:
        """The answer to one request; runs the submission's code."""
        operation, target, trees, keywords = loads(line)
        args = [decode(tree, self._read) for tree in trees]
        kwargs = {name: decode(tree, self._read) for name, tree in keywords.items()}
        before = [
            (place, dumps(arg, self._other))
            for place, arg in enumerate(args)
            if operation == "call" and mutable_copy_target(arg) is not None
        ]
        if target is not None:
            args.insert(0, self._objects[target])
        try:
            value = self._operations[operation](*args, **kwargs)
        except BaseException as error:
            result = '"e":' + self._exception(error)
        else:
            try:
                result = '"v":' + dumps(value, self._other)
            except UnserialisableError:  # nested too deeply: an object to be asked, not a value
                result = '"v":' + dumps(Opaque(value), self._other)
        if target is not None:
            del args[0]
        changed = []
        for place, text in before:
            now = dumps(args[place], self._other)
            if now != text:
                changed.append("[%d,%s]" % (place, now))
        if changed:
            result += ',"a":[%s]' % ",".join(changed)
        return "{%s}" % result

    def _name(self, name: str) -> Any:
        value = getattr(self._module, name, self)
        if value is self:
            return Tagged("A", None)
        if isinstance(value, _module_type):
            return Tagged("M", value.__name__)
        if isinstance(value, type):
            if issubclass(value, BaseException):
                return Tagged("E", class_names(value))
            home, name = value.__module__, value.__name__
            if home in _LIBRARY and getattr(sys.modules.get(home), name, None) is value:
                return Tagged("L", [home, name])
        return value

    @staticmethod
    def _set_item(target: Any, key: Any, value: Any) -> None:
        target[key] = value

    def _opaque(self, value: Any) -> tuple[str, Any]:
        if type(value) is Tagged:
            return value.tag, value.body
        if type(value) is Opaque:
            value = value.value
        number = self._numbers.get(id(value))
        if number is None:
            number = len(self._objects)
            if number >= _MOST_HANDLES:
                raise UnserialisableError("too many objects")
            self._objects.append(value)
            self._numbers[id(value)] = number
        return "o", [number, str(type(value).__name__)[:100]]

    def _handle(self, tag: str, body: Any) -> Any:
        if tag == "o":
            return self._objects[body]
        raise MalformedError("an unknown tag")

    def _exception(self, error: BaseException) -> str:
        try:
            args = dumps(list(error.args))
        except BaseException:
            args = "null"
        return "[%s,%s,%s]" % (dumps(class_names(type(error))), dumps(describe(error)), args)


class Opaque:
    """An answer that is only referred to, whatever it is."""

    def __init__(self, value: Any) -> None:
        self.value = value


class Tagged:
    """An answer with a meaning of its own: a missing name, a module, a class."""

    def __init__(self, tag: str, body: Any) -> None:
        self.tag = tag
        self.body = body


def main() -> None:
    """The whole run; never returns."""
    read_stdin()
    requests = LineReader(REQUESTS, MESSAGE_BYTES)
    try:
        server = Server(load_candidate())
    except UncompilableError as error:
        write_all(ANSWERS, '{"c":%s}\n' % dumps(str(error)))
        _exit(0)
    except BaseException as error:
        flush_output()
        write_all(ANSWERS, '{"e":%s}\n' % dumps(describe(error)))
        _exit(0)
    write_all(ANSWERS, '{"v":null}\n')
    while True:
        line = requests.line()
        if line is None:
            flush_output()
            _exit(0)
        try:
            answer = server.answer(line)
        except BaseException as error:
            # Not the submission's exception, but a value of its that cannot be written.
            answer = '{"u":%s}' % dumps(describe(error))
        flush_output()
        write_all(ANSWERS, answer + "\n")


if __name__ == "__main__":
    main()
