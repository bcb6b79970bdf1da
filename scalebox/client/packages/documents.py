"""YAML and XML of a package as plain data, within bounds.

Both can say much with little: a YAML alias or an XML entity stands for something large, and those
for others.  YAML is put together from the parser's events, so that every value is the text that
stands in the file (no `no` that is False, no `1e-6` that is a word in one version and a number in
the next) and what aliases stand for is counted.  XML with a document type is refused.
"""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree
from xml.parsers import expat

import yaml

from scalebox.client.folders import ProblemFileError, refuse_misspelt
from scalebox.client.packages.files import printable

#: Values of a document, with each alias counted as all of what it stands for.
MAX_VALUES = 200_000
#: Values inside values.
MAX_DEPTH = 50
#: Of a table whose keys are known.
_MOST_KEYS = 1000
_NOTHING = ("", "~", "null", "Null", "NULL")
_TRUE = ("true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", "1")
_PARSER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)

#: A text, or a list or a table of values.
Value = Any


class Table:
    """A table of a YAML document.

    Parameters:
        values: its keys and values.
        where: file and place, for messages.
    """

    def __init__(self, values: dict[str, Value], where: str) -> None:
        self.values = values
        self.where = where

    def __contains__(self, key: str) -> bool:
        return key in self.values and self.values[key] not in _NOTHING

    def refuse_misspelt(self, read: frozenset[str], harmless: frozenset[str]) -> None:
        """Raise ProblemFileError for a key that looks like one that is read, and is not another
        of the format's."""
        if len(self.values) > _MOST_KEYS:
            raise ProblemFileError(f"{self.where} has {len(self.values)} keys")
        refuse_misspelt(self.values.keys() - harmless, read, self.where)

    def wrong(self, key: str, wanted: str) -> ProblemFileError:
        """The error that a key's value is not what it must be."""
        shown = printable(str(self.values.get(key)) if self._is_text(key) else "a list or table")
        return ProblemFileError(f"{self.where}: `{key}` is {shown}; it must be {wanted}")

    def text(self, key: str, default: str = "") -> str:
        """A text; `default` where there is none."""
        if key not in self:
            return default
        if not self._is_text(key):
            raise self.wrong(key, "text")
        return str(self.values[key])

    def flag(self, key: str) -> bool:
        """A yes or no; False where there is none."""
        return self.text(key) in _TRUE

    def number(self, key: str) -> float | None:
        """A number above zero."""
        if key not in self:
            return None
        try:
            value = float(self.text(key))
        except ValueError:
            value = -1
        if not 0 < value < float("inf"):
            raise self.wrong(key, "a number above zero")
        return value

    def words(self, key: str) -> list[str]:
        """A list of texts; a text alone is a list of one."""
        if key not in self:
            return []
        value = self.values[key]
        if isinstance(value, str):
            return [value]
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            raise self.wrong(key, "a list of texts")
        return list(value)

    def table(self, key: str) -> Table:
        """A table within it; empty where there is none."""
        if key not in self:
            return Table({}, f"{self.where}, {printable(key)}")
        return as_table(self.values[key], f"{self.where}, {printable(key)}")

    def tables(self, key: str) -> list[Table]:
        """A list of tables."""
        value = self.values.get(key)
        if not isinstance(value, list):
            raise self.wrong(key, "a list")
        return [
            as_table(one, f"{self.where}, {printable(key)}[{index}]")
            for index, one in enumerate(value)
        ]

    def _is_text(self, key: str) -> bool:
        return isinstance(self.values.get(key), str)


def as_table(value: Value, where: str) -> Table:
    """A value that must be a table.

    Raises:
        ProblemFileError: it is something else.
    """
    if not isinstance(value, dict):
        raise ProblemFileError(f"{where}: expected a table (`key: value`)")
    return Table(value, where)


def read_yaml(text: str, where: str) -> Table:
    """A YAML document that is a table; an empty one is an empty table.

    Raises:
        ProblemFileError: it is no YAML, no table, or too large when aliases are written out.
    """
    try:
        value = _Builder(where).build(text)
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        # The others are of escapes that name no character.
        raise ProblemFileError(f"{where} is not YAML: {printable(str(error))}") from error
    if value is None or value in _NOTHING:
        value = {}
    return as_table(value, where)


class _Builder:
    """Makes values of the parser's events, without recursion."""

    def __init__(self, where: str) -> None:
        self._where = where
        #: Lists and tables that are not complete: the value, its key or None, its anchor, the
        #: count of values when it began.
        self._open: list[tuple[Value, list[str], str | None, int]] = []
        #: Anchor → value, how many values it is, how deep.
        self._anchors: dict[str, tuple[Value, int, int]] = {}
        self._root: Value = None
        self._count = 0
        self._deepest: list[int] = []

    def build(self, text: str) -> Value:
        documents = 0
        parser = _PARSER(text)
        try:
            while parser.check_event():
                event = parser.get_event()
                documents += isinstance(event, yaml.DocumentStartEvent)
                if documents > 1:
                    raise self._refused("several documents; one is read")
                self._take(event)
        finally:
            parser.dispose()
        return self._root

    def _take(self, event: Any) -> None:
        if isinstance(event, yaml.ScalarEvent):
            event.value.encode()  # ValueError: half of a character
            self._add(event.value, 1, 0, event.anchor)
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise self._refused(
                    f"an alias of nothing complete: *{printable(str(event.anchor))}"
                )
            value, count, depth = self._anchors[event.anchor]
            self._add(value, count, depth, None)
        elif isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
            value = [] if isinstance(event, yaml.SequenceStartEvent) else {}
            self._open.append((value, [], event.anchor, self._count))
            self._deepest.append(0)
            if len(self._open) > MAX_DEPTH:
                raise self._refused(f"values more than {MAX_DEPTH} deep")
        elif isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
            value, _, anchor, before = self._open.pop()
            count, depth = self._count - before + 1, self._deepest.pop() + 1
            self._count = before
            self._add(value, count, depth, anchor)

    def _add(self, value: Value, count: int, depth: int, anchor: str | None) -> None:
        self._count += count
        if self._count > MAX_VALUES or len(self._open) + depth > MAX_DEPTH:
            raise self._refused(
                f"more than {MAX_VALUES} values, or values more than {MAX_DEPTH} deep, "
                "when its aliases are written out"
            )
        if anchor is not None:
            self._anchors[anchor] = (value, count, depth)
        if not self._open:
            self._root = value
            return
        self._deepest[-1] = max(self._deepest[-1], depth)
        holder, key, _, _ = self._open[-1]
        if isinstance(holder, list):
            holder.append(value)
        elif not key:
            if not isinstance(value, str):
                raise self._refused("a key that is no text")
            if value in holder:
                raise self._refused(f"the key `{printable(value)}` twice")
            if value == "<<":
                raise self._refused("a merge (`<<`); write the keys out")
            key.append(value)
        else:
            holder[key.pop()] = value

    def _refused(self, what: str) -> ProblemFileError:
        return ProblemFileError(f"{self._where} has {what}")


def read_xml(raw: bytes, where: str) -> ElementTree.Element:
    """The root of an XML document.

    Raises:
        ProblemFileError: it is no XML, has a document type (and with it perhaps entities), or is
            too large.
    """
    builder = ElementTree.TreeBuilder()
    parser = expat.ParserCreate()
    state = {"elements": 0, "depth": 0}

    def start(name: str, attributes: dict[str, str]) -> None:
        state["elements"] += 1
        state["depth"] += 1
        if state["elements"] > MAX_VALUES or state["depth"] > MAX_DEPTH:
            raise ProblemFileError(
                f"{where} has more than {MAX_VALUES} elements, or elements more than {MAX_DEPTH} "
                "deep"
            )
        builder.start(name, attributes)

    def end(name: str) -> None:
        state["depth"] -= 1
        builder.end(name)

    def doctype(*_: object) -> None:
        raise ProblemFileError(
            f"{where} has a document type (`<!DOCTYPE`), which may declare entities; remove it"
        )

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(raw, True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        # The others are of encodings that nobody knows.
        raise ProblemFileError(f"{where} is not XML: {error}") from error
    return builder.close()
