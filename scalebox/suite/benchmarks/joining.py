"""How benchmarks read fields and join prompts with what models write."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from scalebox.suite.errors import SuiteError


def text_field(row: Mapping[str, Any], name: str, place: str) -> str:
    """A field that must be a text.

    Raises:
        SuiteError: it is missing, or something else.
    """
    value = row.get(name)
    if not isinstance(value, str):
        words = "is missing" if name not in row else f"is {type(value).__name__}, not a text"
        raise SuiteError(f"{place}: field {name!r} {words} (there are {', '.join(row)})")
    return value


def lines_field(row: Mapping[str, Any], name: str, place: str) -> list[str]:
    """A field that must be a list of texts.

    Raises:
        SuiteError: it is missing, or something else.
    """
    value = row.get(name)
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        words = "is missing" if name not in row else "is no list of texts"
        raise SuiteError(f"{place}: field {name!r} {words} (there are {', '.join(row)})")
    return value


def until_stop(text: str, stop: Iterable[str]) -> str:
    """A continuation up to the first of the stop texts."""
    ends = [place for word in stop if word and (place := text.find(word)) >= 0]
    return text[: min(ends, default=len(text))]


def joined(prompt: str, code: str, function: str) -> str:
    """A program from a Python prompt and the code of an answer.

    Answers repeat the function as asked, mostly without the prompt's helpers and imports: those
    stand before it, and the later definition holds.  An answer that is the body alone continues
    the prompt.
    """
    defined = re.search(rf"(?m)^(?:async\s+)?(?:def|class)\s+{re.escape(function)}\b", code)
    if defined or re.search(rf"(?m)^{re.escape(function)}\s*=", code):
        return f"{prompt.rstrip()}\n    pass\n\n\n{code}" if _has_more(prompt, function) else code
    return prompt + code


def _has_more(prompt: str, function: str) -> bool:
    """Whether a prompt has more than the header of its function and the docstring."""
    head = re.split(rf"(?m)^(?:async\s+)?def\s+{re.escape(function)}\b", prompt)[0]
    return bool(head.strip())
