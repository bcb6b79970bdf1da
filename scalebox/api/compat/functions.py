"""Functions that are called where they come alone, or in languages that have no `call` tests.

The original writes a program around each call (icip-cas/ScaleBox:sandbox/utils/testing.py,
`concat_function_assertion`), so its clients send a function and no more: in Java without a class,
in Go without a package.  Here most of its languages have `call` tests, in which what is expected
stays outside of the program; for the others an assert is written, of values that are no lists.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any

from scalebox.errors import BadRequestError
from scalebox.model import AssertCase, AssertTests, CallCase

_TYPE = re.compile(r"\b(?:class|struct|record|enum|interface)\s+\w")
#: What must stand before a class.
_HEADS = {"java": ("import ", "package "), "csharp": ("using ",)}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_!?-]*")
#: What languages do not know of JSON's escapes.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_PROGRAMS = {
    "bash": """[ "$({name} {args})" = {expected} ] || exit 1\n""",
    "d": "unittest {{ assert({name}({args}) == {expected}); }}\nvoid main() {{}}\n",
    "julia": '{name}({args}) == {expected} || error("wrong")\n',
    "lua": "assert({name}({args}) == {expected})\n",
    "perl": "die 'wrong' unless {name}({args}) {equal} {expected};\n",
    "r": "stopifnot({name}({args}) == {expected})\n",
    "racket": '(unless (equal? ({name} {args}) {expected}) (error "wrong"))\n',
    "scala": (
        "def main(args: Array[String]): Unit = {{\n  assert({name}({args}) == {expected})\n}}\n}}\n"
    ),
}
#: Languages whose calls are asserts.
ASSERTED = frozenset(_PROGRAMS)
_TRUE_FALSE = {
    "bash": ("1", "0"), "perl": ("1", "0"), "r": ("TRUE", "FALSE"), "racket": ("#t", "#f"),
}  # fmt: skip


def whole(language: str) -> Callable[[str], str]:
    """Makes a program of a function, where its language asks for more than that.

    Parameters:
        language: by its first name.
    """
    if language in _HEADS:
        return lambda code: _in_a_class(code, _HEADS[language])
    if language == "go":
        return lambda code: code if re.search(r"^package ", code, re.M) else f"package main\n{code}"
    if language == "php":
        return lambda code: code if "<?php" in code else f"<?php\n{code}"
    if language == "scala":
        return lambda code: f"object Problem {{\n{code}\n"
    return str


def _in_a_class(code: str, heads: tuple[str, ...]) -> str:
    if _TYPE.search(code):
        return code
    lines = code.splitlines()
    head = [line for line in lines if line.startswith(heads)]
    body = [line for line in lines if not line.startswith(heads)]
    return "\n".join([*head, "class Solution {", *body, "}", ""])


def asserts(language: str, name: str, cases: list[CallCase], place: str) -> AssertTests:
    """Calls as programs, in one of the languages `ASSERTED`.

    Parameters:
        language: by its first name.
        name: of the function.
        cases: the calls.
        place: of the cases, for messages.

    Raises:
        BadRequestError: a value cannot be written in this language.
    """
    if not _NAME.fullmatch(name):
        raise BadRequestError("expected the name of a function", field=f"{place}.fn_name")
    separator = " " if language in ("bash", "racket") else ", "
    programs = []
    for index, case in enumerate(cases):
        args = [_literal(value, language, f"{place}.input[{index}]") for value in case.args]
        program = _PROGRAMS[language].format(
            name=name,
            args=separator.join(args),
            expected=_literal(case.expected, language, f"{place}.output[{index}]"),
            equal="eq" if isinstance(case.expected, str) else "==",
        )
        programs.append(AssertCase(program=program))
    return AssertTests(cases=programs)


def _literal(value: Any, language: str, place: str) -> str:
    if isinstance(value, bool):
        return _TRUE_FALSE.get(language, ("true", "false"))[0 if value else 1]
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return str(value)
    if isinstance(value, str) and not _CONTROL.search(value):
        return _text(value, language)
    raise BadRequestError(
        f"functions in {language} are called with texts, numbers and booleans only", field=place
    )


def _text(value: str, language: str) -> str:
    if language == "bash":
        return "'" + value.replace("'", "'\\''") + "'"
    text = json.dumps(value, ensure_ascii=False)
    for sign in {"perl": "$@%", "julia": "$"}.get(language, ""):
        text = text.replace(sign, f"\\{sign}")
    return text
