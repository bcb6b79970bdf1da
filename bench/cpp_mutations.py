"""Flaws in a judge written in C++: each operator finds its places and says what to put there.

By text alone, so that some of what comes out need not compile; places where it surely would not
are left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from bench.cpp_text import MOST_TOKENS, CppText, Token
from bench.edits import Edit

#: Functions by which validators reject (`validate.h` of problemtools, `streamcorr.h`, and the
#: `validation.h` of BAPCtools), and customary names of parameters that hold one.
REJECTS = frozenset({
    "wrong_answer", "report_error", "feedback", "WA", "PE", "fail", "reject", "die", "quitf",
    "quit", "input_error",
})  # fmt: skip
#: What they are given is no bound.
_PLUMBING = frozenset({"tie", "sync_with_stdio", "setprecision", "precision"})
_EXITS = frozenset({"exit", "_exit", "quick_exit"})
_REJECTED = re.compile(r"43|\w*WA")
_VERDICTS = {"42": "43", "43": "42"}
_FALSE = frozenset({"false", "0"})
_RELATIONS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}
_ORDERS = {"<": -1, "<=": -1, ">": 1, ">=": 1}
_CONNECTIVES = {"&&": "||", "||": "&&", "and": "or", "or": "and"}
_INTEGER = re.compile(r"(0|[1-9][0-9]{0,17})([uUlL]*)")
_DECIMAL = re.compile(r"((?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)([fFlL]?)")
#: What is smaller, and no integer, is taken for a tolerance.
TOLERANCE_BELOW = 0.05
TOLERANCE_FACTORS = (1e3, 1e6)
#: What validators of problemtools call their streams; each is read in place of another.
_STREAMS = {"author_out": "judge_ans", "cin": "judge_ans", "judge_ans": "judge_in",
            "judge_in": "judge_ans"}  # fmt: skip
_ARGUMENTS = {"1": "2", "2": "1"}
_BEFORE_STATEMENT = frozenset({";", "{", "}", ")", "else", ":"})


def edits(source: str, names: Iterable[str] = ()) -> Iterator[Edit]:
    """All changes that the operators know for a text.

    Parameters:
        names: those that its headers define.
    """
    text = CppText(source)
    known = text.words() | frozenset(names)
    for operator in _OPERATORS:
        yield from operator(text)
    yield from _other_stream(text, known)


def _replace(text: CppText, operator: str, first: int, last: int, by: str) -> Edit:
    start, end = text.span(first, last)
    return Edit(operator, start, end, by)


def _conditions(text: CppText) -> Iterator[tuple[int, int, int]]:
    """Conditions of `if` that are one expression: where the `if` is, first and last token."""
    for index, token in text.code():
        if token.text != "if":
            continue
        condition = text.condition(index)
        if condition is None:
            continue
        first, last = condition
        declares = text.tokens[first].kind == text.tokens[first + 1].kind == "word"
        if declares and text.text(first) not in ("not", "sizeof"):
            continue
        if not any(text.text(inner) == ";" for inner in range(first, last + 1)):
            yield index, first, last


def _negated(text: CppText) -> Iterator[Edit]:
    for _, first, last in _conditions(text):
        by = f"!({text.segment(first, last)})"
        yield _replace(text, "condition_negated", first, last, by)


def _dropped(text: CppText) -> Iterator[Edit]:
    """What is read in the condition is still read, but it rejects no more."""
    for _, first, last in _conditions(text):
        begin = last + 2
        end = text.end_of_statement(begin)
        if not begin <= end <= begin + MOST_TOKENS:
            continue
        by = ""
        if _rejects(text, begin, end):
            by = "&& 0"
        elif text.text(end + 1) == "else":
            otherwise = text.end_of_statement(end + 2)
            if end < otherwise <= end + MOST_TOKENS and _rejects(text, end + 2, otherwise):
                by = "|| 1"
        if by:
            by = f"({text.segment(first, last)}) {by}"
            yield _replace(text, "condition_dropped", first, last, by)


def _rejects(text: CppText, first: int, last: int) -> bool:
    """Whether something in a branch rejects."""
    return any(
        text.text(index) == "throw"
        or _rejecting_call(text, index) >= 0
        or (text.text(index) == "return" and text.text(index + 1) in _FALSE)
        for index in range(first, last + 1)
    )


def _rejecting_call(text: CppText, index: int) -> int:
    """The last token of a call that rejects and begins at a token; -1: there is none."""
    if text.text(index + 1) != "(" or text.tokens[index].kind != "word":
        return -1
    closing = text.partners[index + 1]
    word = text.text(index)
    if word in REJECTS:
        return closing
    exits = word in _EXITS and _REJECTED.fullmatch(text.text(index + 2))
    return closing if exits and closing == index + 3 else -1


def _in_messages(text: CppText) -> frozenset[int]:
    """Tokens of the arguments with which it is rejected: nothing depends on them."""
    found: set[int] = set()
    for index, _ in text.code():
        if index not in found and (last := _rejecting_call(text, index)) > 0:
            found.update(range(index, last + 1))
    return frozenset(found)


def _relation_shifted(text: CppText) -> Iterator[Edit]:
    messages = _in_messages(text)
    negations = {
        index
        for _, first, last in _conditions(text)
        for index in _only_relation(text, first, last)
        if text.text(index) in ("==", "!=")
    }
    for index, token in text.code():
        if token.text not in _RELATIONS or token.kind != "punct":
            continue
        if text.text(index - 1) == "operator" or index in text.in_templates:
            continue
        if index not in messages and index not in negations:
            yield _replace(text, "relation_shifted", index, index, _RELATIONS[token.text])


def _only_relation(text: CppText, first: int, last: int) -> list[int]:
    """The relation of a condition that is no more than one: negating it does the same."""
    inside = range(first, last + 1)
    found = [index for index in inside if text.text(index) in _RELATIONS]
    joined = any(text.text(index) in (*_CONNECTIVES, "!", "?") for index in inside)
    return found if len(found) == 1 and not joined else []


def _bound_shifted(text: CppText) -> Iterator[Edit]:
    messages = _in_messages(text)
    for index, token in _numbers(text):
        number = _INTEGER.fullmatch(token.text)
        if number is None or index in text.in_templates or index in messages:
            continue
        before, after = text.text(index - 1), text.text(index + 1)
        ends = before == "(" and text.text(index - 2) in _EXITS | _PLUMBING
        streams = before == "[" and text.text(index - 2) == "argv"
        if ends or streams or before in ("return", "case") or number[1] in _VERDICTS:
            continue
        value, suffix = int(number[1]), number[2]
        compared = before in _RELATIONS or after in _RELATIONS
        divides = before in ("/", "%", "/=", "%=")
        shifted = [value + 1]
        if value > 1 or (value == 1 and not divides) or (compared and not suffix):
            shifted.append(value - 1)
        for other in shifted:
            # `x- -1` and not `x--1`, and a macro's body stays apart from its name.
            by = f"{other}{suffix}" if other >= 0 else f" ({other})"
            yield _replace(text, "bound_shifted", index, index, by)


def _numbers(text: CppText) -> Iterator[tuple[int, Token]]:
    """Literals in code, and those that are all of a macro."""
    for index, token in enumerate(text.tokens):
        if token.kind != "number":
            continue
        if not token.directive or _is_all_of_a_macro(text, index):
            yield index, token


def _is_all_of_a_macro(text: CppText, index: int) -> bool:
    """`#define NAME 1e-6`; what follows is on another line, or nothing."""
    if index < 3 or text.text(index - 2) != "define" or text.text(index - 3) != "#":
        return False
    if index + 1 >= len(text.tokens):
        return True
    return "\n" in text.source[text.tokens[index].end : text.tokens[index + 1].start]


def _connective_swapped(text: CppText) -> Iterator[Edit]:
    for index, token in text.code():
        if token.text not in _CONNECTIVES or token.kind not in ("punct", "word"):
            continue
        before, after = text.text(index - 1), text.text(index + 1)
        # Not the `&&` of a reference.
        if before not in ("auto", ">") and after not in (")", ",", ">", ":", "..."):
            by = _CONNECTIVES[token.text]
            yield _replace(text, "connective_swapped", index, index, by)


def _tolerance_loose(text: CppText) -> Iterator[Edit]:
    for index, token in _numbers(text):
        number = _DECIMAL.fullmatch(token.text)
        if number is None or not 0 < float(number[1]) < TOLERANCE_BELOW:
            continue
        for factor in TOLERANCE_FACTORS:
            by = f"{float(number[1]) * factor:.6g}"
            # `1` would be an integer, and `1L` a long one.
            by += ("" if "." in by or "e" in by else ".0") + number[2]
            yield _replace(text, "tolerance_loose", index, index, by)


def _loops(text: CppText) -> Iterator[Edit]:
    """The first or the last turn is left out."""
    macros = _loop_macros(text)
    for index, token in text.code():
        inside = text.condition(index) if token.text == "for" or token.text in macros else None
        if inside is None:
            continue
        if token.text == "for":
            parts = text.parts(*inside, ";")
            if len(parts) == 3:
                yield from _for(text, *parts)
        else:
            parts = text.parts(*inside, ",")
            if len(parts) == 3 and all(first <= last for first, last in parts):
                yield _plus(text, "loop_skips_first", parts[1], 1)
                yield _plus(text, "loop_skips_last", parts[2], -1)


def _loop_macros(text: CppText) -> frozenset[str]:
    """Names of macros as `#define rep(i, a, b) for (…)`, with three parameters."""
    found = set()
    for index, token in enumerate(text.tokens):
        if not token.directive or token.text != "define" or text.text(index - 1) != "#":
            continue
        head = [text.text(at) for at in range(index + 2, index + 10)]
        if head[0] == "(" and head[2] == head[4] == "," and head[6] == ")" and head[7] == "for":
            found.add(text.text(index + 1))
    return frozenset(found)


def _for(
    text: CppText, begin: tuple[int, int], condition: tuple[int, int], step: tuple[int, int]
) -> Iterator[Edit]:
    steps = {text.text(index) for index in range(step[0], step[1] + 1)}
    down = bool(steps & {"--", "-=", "/=", ">>="})
    first = text.parts(*begin, ",")[0]
    sides = text.parts(*first, "=")
    if len(sides) == 2 and sides[1][0] <= sides[1][1]:
        yield _plus(text, "loop_skips_first", sides[1], -1 if down else 1)
    if any(text.text(index) in _CONNECTIVES for index in range(condition[0], condition[1] + 1)):
        return
    for relation, sense in _ORDERS.items():
        sides = text.parts(*condition, relation)
        if len(sides) == 2 and sides[1][0] <= sides[1][1]:
            yield _plus(text, "loop_skips_last", sides[1], sense)


def _plus(text: CppText, operator: str, part: tuple[int, int], amount: int) -> Edit:
    said = text.segment(*part)
    if said.isdecimal():
        # As the operator of bounds writes it, so that there are not two of one flaw.
        return _replace(text, operator, *part, str(int(said) + amount))
    sign = "+" if amount > 0 else "-"
    by = f"{said} {sign} 1" if part[0] == part[1] else f"({said}) {sign} 1"
    return _replace(text, operator, *part, by)


def _flipped(text: CppText) -> Iterator[Edit]:
    """Truth values, what functions return, and the exit codes of the contract."""
    main = _body_of_main(text)
    for index, token in text.code():
        before, after = text.text(index - 1), text.text(index + 1)
        by = ""
        if token.text in ("true", "false") and index not in text.in_templates:
            by = "false" if token.text == "true" else "true"
        elif token.text in ("0", "1") and before == "return" and after == ";":
            by = "" if index in main else str(1 - int(token.text))
        elif token.text in _VERDICTS and (
            before == "return" or (before == "(" and text.text(index - 2) in _EXITS)
        ):
            by = _VERDICTS[token.text]
        if by:
            yield _replace(text, "value_flipped", index, index, by)


def _body_of_main(text: CppText) -> range:
    for index, token in text.code():
        if token.text == "main" and text.text(index + 1) == "(":
            opening = text.partners[index + 1] + 1
            if opening and text.text(opening) == "{" and text.partners[opening] > 0:
                return range(opening, text.partners[opening])
    return range(0)


def _rejection_deleted(text: CppText) -> Iterator[Edit]:
    """Calls that reject, and assertions; not where dropping the condition does the same."""
    for index, token in text.code():
        if token.kind != "word":
            continue
        first = index
        if text.text(index - 1) in (".", "->"):
            first = index - 2
        last = _rejecting_call(text, index)
        if token.text == "assert" and text.text(index + 1) == "(":
            last = text.partners[index + 1]
        if last < 0 or text.text(last + 1) != ";":
            continue
        if text.text(first - 1) in _BEFORE_STATEMENT and not _is_all_of_a_branch(
            text, first, last + 1
        ):
            yield _replace(text, "rejection_deleted", first, last, "")


def _is_all_of_a_branch(text: CppText, first: int, last: int) -> bool:
    """Whether a statement is all that an `if` without `else` does."""
    if text.text(first - 1) == "{" and text.text(last + 1) == "}":
        first, last = first - 1, last + 1
    closing = first - 1
    if text.text(closing) != ")" or text.partners[closing] < 0:
        return False
    head = text.text(text.partners[closing] - 1)
    return head in ("if", "constexpr") and text.text(last + 1) != "else"


def _other_stream(text: CppText, known: frozenset[str]) -> Iterator[Edit]:
    """The answer is read in place of the output or of the input, or the input in its place."""
    for index, token in text.code():
        by = _STREAMS.get(token.text, "")
        if token.kind == "word" and by in known:
            if text.text(index - 1) in (".", "->") or text.text(index + 1) in (".", "->"):
                continue
            first = index
            if text.text(index - 1) == "::":
                first = index - 2
            yield _replace(text, "other_stream", first, index, by)
        elif token.text == "argv" and text.text(index + 1) == "[" and text.text(index + 3) == "]":
            number = _ARGUMENTS.get(text.text(index + 2))
            if number is not None:
                yield _replace(text, "other_stream", index + 2, index + 2, number)


_OPERATORS: tuple[Callable[[CppText], Iterator[Edit]], ...] = (
    _negated,
    _dropped,
    _relation_shifted,
    _bound_shifted,
    _connective_swapped,
    _tolerance_loose,
    _loops,
    _flipped,
    _rejection_deleted,
)
