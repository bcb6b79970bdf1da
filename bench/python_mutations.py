"""Flaws in a judge written in Python: each operator finds its places in the syntax tree.

What is changed is a piece of the text; the rest keeps its layout.  A text that is no Python has no
places.
"""

from __future__ import annotations

import ast
import itertools
import re
import warnings
from collections.abc import Callable, Iterator
from functools import cached_property

from bench.cpp_mutations import REJECTS, TOLERANCE_BELOW, TOLERANCE_FACTORS
from bench.edits import Edit

#: A longer text is not taken apart.
MOST_CHARACTERS = 1 << 20
_EXITS = frozenset({"exit", "_exit", "quit"})
_VERDICTS = {42: 43, 43: 42}
_RELATIONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
_NEGATED = (ast.Eq, ast.NotEq, ast.In, ast.NotIn, ast.Is, ast.IsNot)
#: Of a chain of comparisons, so many are looked at.
_MOST_OF_A_CHAIN = 4
#: The file with the jury's answer, whatever the source imports.
_ANSWER = '__import__("sys").argv[2]'
_LINE_END = re.compile(r"\r\n|\r|\n")
_DECIMAL = re.compile(r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def edits(source: str) -> Iterator[Edit]:
    """All changes that the operators know for a text."""
    if len(source) > MOST_CHARACTERS:
        return
    try:
        text = PythonText(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for operator in _OPERATORS:
        try:
            yield from operator(text)
        except RecursionError:  # an expression that can be read, and not written
            continue


def is_python(source: str) -> bool:
    """Whether a text is a program at all."""
    try:
        _parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _parse(source: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # escapes that are none, in the judges of others
        return ast.parse(source)


class PythonText:
    """A source with its syntax tree.

    Parameters:
        source: a program.

    Attributes:
        source: as given.
        nodes: of the tree, without what is inside formatted strings, by where they begin.
        parents: of each.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: it is none, or too deep to read.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        tree = _parse(source)
        ends = (found.end() for found in _LINE_END.finditer(source))
        self._lines = [0, *ends]
        self._characters = None if source.isascii() else _characters(source)
        self.parents: dict[ast.AST, ast.AST] = {}
        found: list[ast.AST] = []
        waiting: list[ast.AST] = [tree]
        while waiting:
            node = waiting.pop()
            for child in ast.iter_child_nodes(node):
                # Before Python 3.12 the places of what is in formatted strings are not right.
                if not isinstance(child, ast.JoinedStr):
                    self.parents[child] = node
                    waiting.append(child)
            if isinstance(node, ast.expr | ast.stmt):
                found.append(node)
        self.nodes = sorted(found, key=self.span)

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Where a statement or an expression begins and ends, in characters."""
        assert isinstance(node, ast.expr | ast.stmt)
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return (
            self._offset(node.lineno, node.col_offset),
            self._offset(node.end_lineno, node.end_col_offset),
        )

    def _offset(self, line: int, column: int) -> int:
        begin = self._lines[line - 1]
        if self._characters is None:
            return begin + column
        # Columns are counted in bytes of UTF-8.
        first_byte, character_of_byte = self._characters
        return character_of_byte[first_byte[begin] + column]

    def segment(self, node: ast.AST) -> str:
        """The text of a statement or an expression."""
        start, end = self.span(node)
        return self.source[start:end]

    @cached_property
    def arguments(self) -> frozenset[ast.AST]:
        """Expressions that are `sys.argv`."""
        names = {
            target.id
            for node in self.nodes
            if isinstance(node, ast.Assign) and _name(node.value) == "argv"
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        return frozenset(one for one in self.nodes if _name(one) in {"argv", *names})

    def replace(self, operator: str, node: ast.AST, by: str) -> Edit:
        """The change that puts another text in a node's place."""
        return Edit(operator, *self.span(node), by)


def _characters(source: str) -> tuple[list[int], list[int]]:
    """The first byte of each character, and the character of each byte, with one past the end."""
    widths = [len(character.encode("utf-8", "surrogatepass")) for character in source]
    first_byte = [0, *itertools.accumulate(widths)]
    character_of_byte = [at for at, width in enumerate(widths) for _ in range(width)]
    return first_byte, [*character_of_byte, len(source)]


def _name(node: ast.AST) -> str:
    """The last word of what is called: `exit` of `sys.exit`."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _rejecting_call(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    name = _name(node.func)
    if name in _EXITS and len(node.args) == 1:
        code = node.args[0]
        return (isinstance(code, ast.Constant) and code.value == 43) or _name(code).endswith("WA")
    return name in REJECTS


def _rejects(statements: list[ast.stmt]) -> bool:
    for statement in statements:
        for node in ast.walk(statement):
            if isinstance(node, ast.Raise) or _rejecting_call(node):
                return True
            returned = node.value if isinstance(node, ast.Return) else None
            if isinstance(returned, ast.Constant) and returned.value in (False, 0):
                return True
    return False


def _conditions(text: PythonText) -> Iterator[Edit]:
    for node in text.nodes:
        if isinstance(node, ast.Assert):
            yield text.replace("condition_negated", node.test, f"not ({text.segment(node.test)})")
        if not isinstance(node, ast.If):
            continue
        test = text.segment(node.test)
        yield text.replace("condition_negated", node.test, f"not ({test})")
        # What is read in the condition is still read, but it rejects no more.  An `elif` is left
        # out of its `if`: that would make the time depend on the square of how many there are.
        if _rejects([one for one in node.body if not isinstance(one, ast.If)]):
            yield text.replace("condition_dropped", node.test, f"({test}) and False")
        elif _rejects([one for one in node.orelse if not isinstance(one, ast.If)]):
            yield text.replace("condition_dropped", node.test, f"({test}) or True")


def _relation_shifted(text: PythonText) -> Iterator[Edit]:
    for node in text.nodes:
        if not isinstance(node, ast.Compare) or _in_message(text, node):
            continue
        parent = text.parents.get(node)
        tests = isinstance(parent, ast.If | ast.Assert) and parent.test is node
        for place, relation in enumerate(node.ops[:_MOST_OF_A_CHAIN]):
            if tests and len(node.ops) == 1 and isinstance(relation, _NEGATED):
                continue  # negating the condition does the same
            ops = [*node.ops[:place], _RELATIONS[type(relation)](), *node.ops[place + 1 :]]
            changed = ast.Compare(left=node.left, ops=ops, comparators=node.comparators)
            yield text.replace("relation_shifted", node, f"({ast.unparse(changed)})")


def _connective_swapped(text: PythonText) -> Iterator[Edit]:
    for node in text.nodes:
        if isinstance(node, ast.BoolOp):
            op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            changed = ast.BoolOp(op=op, values=node.values)
            yield text.replace("connective_swapped", node, f"({ast.unparse(changed)})")


def _in_message(text: PythonText, node: ast.AST) -> bool:
    """Whether it is in the arguments of a call that rejects: nothing depends on it."""
    for _ in range(8):
        parent = text.parents.get(node)
        if parent is None or isinstance(parent, ast.stmt):
            return False
        if _rejecting_call(parent):
            return True
        node = parent
    return False


def _bound_shifted(text: PythonText) -> Iterator[Edit]:
    for node in text.nodes:
        if not isinstance(node, ast.Constant) or type(node.value) is not int:
            continue
        value, parent = node.value, text.parents.get(node)
        ends = isinstance(parent, ast.Call) and _name(parent.func) in _EXITS
        stream = isinstance(parent, ast.Subscript) and parent.value in text.arguments
        if ends or stream or value in _VERDICTS or isinstance(parent, ast.Return):
            continue
        if _in_message(text, node) or abs(value) >= 10**18:
            continue
        divides = isinstance(parent, ast.BinOp) and isinstance(
            parent.op, ast.Div | ast.FloorDiv | ast.Mod
        )
        yield text.replace("bound_shifted", node, str(value + 1))
        if value > 1 or (value == 1 and not divides) or isinstance(parent, ast.Compare):
            by = str(value - 1) if value > 0 else f"({value - 1})"
            yield text.replace("bound_shifted", node, by)


def _tolerance_loose(text: PythonText) -> Iterator[Edit]:
    """Literals, and texts of which a number is made: `Fraction("1e-6")`."""
    for node in text.nodes:
        if not isinstance(node, ast.Constant):
            continue
        value = node.value
        if isinstance(value, str) and isinstance(text.parents.get(node), ast.Call):
            number = float(value) if _DECIMAL.fullmatch(value) else 0.0
        else:
            number = value if isinstance(value, float) else 0.0
        if 0 < number < TOLERANCE_BELOW:
            for factor in TOLERANCE_FACTORS:
                loose = f"{number * factor:.6g}"
                by = repr(loose) if isinstance(value, str) else loose
                yield text.replace("tolerance_loose", node, by)


def _loops(text: PythonText) -> Iterator[Edit]:
    """The first or the last turn is left out."""
    iterables = [node.iter for node in text.nodes if isinstance(node, ast.For)]
    iterables += [
        generator.iter
        for node in text.nodes
        if isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp)
        for generator in node.generators
    ]
    for iterable in sorted(iterables, key=text.span):
        said = text.segment(iterable)
        if isinstance(iterable, ast.Tuple):
            said = f"({said})"
        yield text.replace("loop_skips_first", iterable, f"list({said})[1:]")
        yield text.replace("loop_skips_last", iterable, f"list({said})[:-1]")


def _flipped(text: PythonText) -> Iterator[Edit]:
    """Truth values, what functions return, and the exit codes of the contract."""
    for node in text.nodes:
        if not isinstance(node, ast.Constant):
            continue
        value, parent = node.value, text.parents.get(node)
        if isinstance(value, bool):
            yield text.replace("value_flipped", node, str(not value))
        elif type(value) is not int:
            continue
        elif isinstance(parent, ast.Return) and value in (0, 1):
            yield text.replace("value_flipped", node, str(1 - value))
        elif isinstance(parent, ast.Call) and _name(parent.func) in _EXITS and value in _VERDICTS:
            yield text.replace("value_flipped", node, str(_VERDICTS[value]))


def _rejection_deleted(text: PythonText) -> Iterator[Edit]:
    """Statements that reject, and assertions; not where dropping the condition does the same."""
    for node in text.nodes:
        rejects = isinstance(node, ast.Raise | ast.Assert) or (
            isinstance(node, ast.Expr) and _rejecting_call(node.value)
        )
        parent = text.parents.get(node)
        alone = isinstance(parent, ast.If) and parent.body == [node] and not parent.orelse
        if rejects and not alone:
            yield text.replace("rejection_deleted", node, "pass")


def _other_stream(text: PythonText) -> Iterator[Edit]:
    """The answer is read in place of the output or of the input, or the input in its place."""
    for node in text.nodes:
        if _name(node) == "stdin" and isinstance(getattr(node, "ctx", None), ast.Load):
            parent = text.parents.get(node)
            if isinstance(parent, ast.Attribute) and parent.attr == "buffer":
                yield text.replace("other_stream", parent, f'open({_ANSWER}, "rb")')
            else:
                yield text.replace("other_stream", node, f"open({_ANSWER})")
        elif isinstance(node, ast.Subscript) and node.value in text.arguments:
            place = node.slice
            if isinstance(place, ast.Constant) and place.value in (1, 2):
                by = "2" if place.value == 1 else "1"
                yield text.replace("other_stream", place, by)


_OPERATORS: tuple[Callable[[PythonText], Iterator[Edit]], ...] = (
    _conditions,
    _relation_shifted,
    _bound_shifted,
    _connective_swapped,
    _tolerance_loose,
    _loops,
    _flipped,
    _rejection_deleted,
    _other_stream,
)
