"""What the harnesses share: plain data as text that survives a hostile process, and loading.

Values are written as JSON in which what JSON lacks is an object with one key, the tag: `{"t": …}`
tuple, `s` set, `z` frozenset, `m` dict with string keys, `d` other dicts (list of pairs), `f` nan
and infinities, `i` integers beyond 64 bits (hexadecimal: linear time to read), `c` complex, `b`
bytes, `y` bytearray.  Nothing here looks up a name that a submission can replace later: builtins
are copied into this module, and the JSON scanner is an object made before the submission runs.
"""

from __future__ import annotations

import builtins
import os
import sys
from json.decoder import JSONDecoder
from json.encoder import encode_basestring_ascii as _quote
from typing import Any, Callable, Optional, Tuple

globals().update({k: v for k, v in vars(builtins).items() if not k.startswith("__")})

#: Nesting beyond this is refused on both sides.
MAX_DEPTH = 200
#: The submission's file, in the working directory.
CANDIDATE_FILE = "candidate.py"
CANDIDATE_NAME = "candidate"
#: In place of a call's index: the record about loading the submission.
LOADING_INDEX = -1

_BIG = 1 << 63
#: The array library; never named literally, see the package's docstring.
_ARRAYS = "num%s" % "py"
_scan = JSONDecoder().scan_once  # type: ignore[attr-defined]
_os_read, _os_write = os.read, os.write
_float_repr, _int_repr, _latin = float.__repr__, int.__repr__, bytes.decode
_modules = sys.modules

#: Writes a value that is not exactly plain data: value -> (tag, body made of writable data).
Other = Optional[Callable[[Any], Tuple[str, Any]]]
#: Reads a tag that is not one of the above: (tag, body, depth) -> value.
OtherTag = Optional[Callable[[str, Any, int], Any]]


class UnserialisableError(Exception):
    """A value that is not plain data, or nested too deeply."""


class MalformedError(Exception):
    """Text that `dumps` does not write."""


class UncompilableError(Exception):
    """The submission's source does not compile; the text says why."""


def dumps(value: Any, other: Other = None) -> str:
    """A value as one line of text.

    Raises:
        UnserialisableError: it is not plain data (and `other` does not help).
    """
    parts: list[str] = []
    _write(value, parts.append, 0, other)
    return "".join(parts)


def _write(value: Any, out: Callable[[str], None], depth: int, other: Other) -> None:
    kind = type(value)
    if kind is str:
        out(_quote(value))
    elif kind is int:
        out(_int_repr(value) if -_BIG <= value < _BIG else '{"i":"%x"}' % value)
    elif value is None:
        out("null")
    elif kind is bool:
        out("true" if value else "false")
    elif kind is float:
        out(_float_repr(value) if value - value == 0 else '{"f":"%s"}' % _float_repr(value))
    elif depth >= MAX_DEPTH:
        raise UnserialisableError("nested more than %d deep" % MAX_DEPTH)
    elif kind is list:
        _write_items("[", value, "]", out, depth, other)
    elif kind is tuple:
        _write_items('{"t":[', value, "]}", out, depth, other)
    elif kind is dict:
        _write_dict(value, out, depth, other)
    elif kind is set:
        _write_items('{"s":[', value, "]}", out, depth, other)
    elif kind is frozenset:
        _write_items('{"z":[', value, "]}", out, depth, other)
    elif kind is bytes:
        out('{"b":%s}' % _quote(_latin(value, "latin-1")))
    elif kind is bytearray:
        out('{"y":%s}' % _quote(_latin(bytes(value), "latin-1")))
    elif kind is complex:
        _write_items('{"c":[', (value.real, value.imag), "]}", out, depth, other)
    elif other is None:
        _write(as_plain(value), out, depth + 1, None)
    else:
        tag, body = other(value)
        out('{"%s":' % tag)
        _write(body, out, depth + 1, other)
        out("}")


def _write_items(
    start: str, items: Any, end: str, out: Callable[[str], None], depth: int, other: Other
) -> None:
    out(start)
    separator = ""
    for item in items:
        out(separator)
        _write(item, out, depth + 1, other)
        separator = ","
    out(end)


def _write_dict(value: Any, out: Callable[[str], None], depth: int, other: Other) -> None:
    if any(type(key) is not str for key in value):
        _write_items('{"d":[', [list(pair) for pair in value.items()], "]}", out, depth, other)
        return
    out('{"m":{')
    separator = ""
    for key, item in value.items():
        out(separator)
        out(_quote(key))
        out(":")
        _write(item, out, depth + 1, other)
        separator = ","
    out("}}")


def as_plain(value: Any) -> Any:
    """The plain data behind an instance of a subclass of it (a Counter, a named tuple, …).

    Raises:
        UnserialisableError: there is none.
    """
    kind = type(value)
    for base, copy in _BASES:
        if issubclass(kind, base):
            return copy(value)
    if kind.__module__ == _ARRAYS and getattr(value, "shape", None) == ():
        item = value.item()
        if type(item) in (int, float, bool, complex, str, bytes):
            return item
    raise UnserialisableError("%s is not plain data" % _type_name(value))


#: Base type -> what makes an exact instance without running an override of the subclass.
_BASES: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (int, int.__pos__),
    (str, str.__str__),
    (float, float.__pos__),
    (complex, complex.__pos__),
    (list, lambda value: list.__getitem__(value, slice(None))),
    (tuple, lambda value: tuple.__getitem__(value, slice(None))),
    (dict, lambda value: dict(dict.items(value))),
    (set, lambda value: set(set.__iter__(value))),
    (frozenset, lambda value: frozenset(frozenset.__iter__(value))),
    (bytes, lambda value: b"".join([value])),
)


def _type_name(value: Any) -> str:
    return str(type.__getattribute__(type(value), "__name__"))[:100]


def loads(text: str) -> Any:
    """The JSON tree of one line, tags not yet read.

    Raises:
        MalformedError: not JSON, or with nesting or numbers that the interpreter refuses.
    """
    try:
        tree, end = _scan(text, 0)
    except (ValueError, StopIteration, RecursionError) as error:
        raise MalformedError("not JSON: %s" % type(error).__name__) from None
    if end != len(text):
        raise MalformedError("text after the value")
    return tree


def decode(tree: Any, other: OtherTag = None, depth: int = 0) -> Any:
    """The value of a JSON tree; fresh objects each time.

    Raises:
        MalformedError: something that `dumps` does not write.
    """
    kind = type(tree)
    if kind is not list and kind is not dict:
        return tree
    if depth > 2 * MAX_DEPTH:
        raise MalformedError("nested too deeply")
    if kind is list:
        return [item if type(item) in _SCALARS else decode(item, other, depth + 1) for item in tree]
    if len(tree) != 1:
        raise MalformedError("an object with %d tags" % len(tree))
    ((tag, body),) = tree.items()
    try:
        if tag == "m":
            return {key: decode(item, other, depth + 1) for key, item in body.items()}
        build = _LISTS.get(tag)
        if build is not None:
            if type(body) is not list:
                raise MalformedError("not a list")
            return build(decode(body, other, depth + 1))
        build = _TEXTS.get(tag)
        if build is not None:
            return build(body)
        if other is not None:
            return other(tag, body, depth + 1)
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:
        raise MalformedError("bad %r: %s" % (tag, error)) from None
    raise MalformedError("an unknown tag")


_SCALARS = frozenset((int, str, float, bool, type(None)))


_FLOATS = {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}
#: Tag -> what is made of a list of decoded items.
_LISTS: dict[str, Callable[[Any], Any]] = {
    "t": tuple,
    "s": set,
    "z": frozenset,
    "d": lambda pairs: {key: value for key, value in pairs},
    "c": lambda parts: complex(*parts),
}
#: Tag -> what is made of the body itself.
_TEXTS: dict[str, Callable[[Any], Any]] = {
    "i": lambda body: int(body, 16),
    "f": lambda body: _FLOATS[body],
    "b": lambda body: body.encode("latin-1"),
    "y": lambda body: bytearray(body.encode("latin-1")),
}


def write_all(fd: int, text: str) -> None:
    """Write a text made by `dumps` or of ASCII."""
    view = memoryview(text.encode("ascii", "backslashreplace"))
    while view:
        view = view[_os_write(fd, view) :]


class LineReader:
    """Lines from a descriptor, each at most `limit` bytes."""

    def __init__(self, fd: int, limit: int = 1 << 26) -> None:
        self._fd = fd
        self._limit = limit
        self._parts: list[bytes] = []
        self._rest = b""

    def line(self) -> str | None:
        """The next line without its end; None at the end of the stream.

        Raises:
            MalformedError: a line over the limit, or not ASCII.
        """
        size = 0
        while b"\n" not in self._rest:
            self._parts.append(self._rest)
            size += len(self._rest)
            if size > self._limit:
                raise MalformedError("a line of more than %d bytes" % self._limit)
            self._rest = _os_read(self._fd, 1 << 16)
            if not self._rest:
                return None
        head, _, self._rest = self._rest.partition(b"\n")
        whole = b"".join((*self._parts, head))
        self._parts = []
        try:
            return whole.decode("ascii")
        except UnicodeDecodeError:
            raise MalformedError("not ASCII") from None


def read_stdin() -> bytes:
    """All of standard input; afterwards the submission finds it empty, with nothing to reread."""
    chunks = []
    while True:
        chunk = _os_read(0, 1 << 20)
        if not chunk:
            break
        chunks.append(chunk)
    read_end, write_end = os.pipe()
    os.dup2(read_end, 0)
    os.close(read_end)
    os.close(write_end)
    return b"".join(chunks)


def load_candidate(names: Callable[[bytes], dict[str, Any]] | None = None) -> Any:
    """Execute the submission as a module called `candidate`; returns the module.

    `__name__` is not `__main__`, so that the part of a script below that test does not run.

    Parameters:
        names: from the source to what its namespace holds beforehand.

    Raises:
        UncompilableError: the source does not compile.
        BaseException: whatever the submission raises, SystemExit included.
    """
    fd = os.open(CANDIDATE_FILE, os.O_RDONLY)
    chunks = []
    while True:
        chunk = _os_read(fd, 1 << 20)
        if not chunk:
            break
        chunks.append(chunk)
    os.close(fd)
    source = b"".join(chunks)
    module = type(sys)(CANDIDATE_NAME)
    path = os.path.join(os.getcwd(), CANDIDATE_FILE)
    module.__file__ = path
    module.__dict__["__builtins__"] = builtins
    if names is not None:
        module.__dict__.update(names(source))
    sys.modules[CANDIDATE_NAME] = module
    try:
        code = compile(source, path, "exec", 0, True)
    except BaseException as error:
        raise UncompilableError(describe(error)) from None
    exec(code, module.__dict__)
    return module


def describe(error: BaseException) -> str:
    """`TypeName: message (candidate.py, line n)`, cut; runs as little of the submission's code as
    an exception allows."""
    name = _type_name(error)
    try:
        text = str(error)
        text = text[:300] if type(text) is str else ""
    except BaseException:
        text = ""
    line = 0
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename.endswith(CANDIDATE_FILE):
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    place = " (%s, line %d)" % (CANDIDATE_FILE, line) if line else ""
    return (name + (": " + text if text else "") + place)[:500]


def flush_output() -> None:
    """Hand the submission's buffered output over, whatever it made of sys.stdout."""
    for name in ("stdout", "stderr"):
        try:
            getattr(sys, name).flush()
        except BaseException:
            continue
