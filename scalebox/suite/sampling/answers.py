"""What an endpoint's answer means: bytes → the model's words, or why they are none.

Pure functions over what came.  Endpoints differ in what they add to OpenAI's API, and what is
behind a proxy's error page or a crashed engine must never be taken for an empty answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from msgspec import Struct

_WORDS = 300
_MAX_TOKENS = 1 << 40
_FINISH_CHARS = 64
#: The engine gave up, not the model (vllm-project/vllm:vllm/v1/engine/__init__.py; SGLang has the
#: first, OpenRouter the second).
_BROKEN = frozenset({"abort", "error"})


class NonsenseError(Exception):
    """An answer is none; the message says what it is instead."""


@dataclass(frozen=True, slots=True)
class Words:
    """What a model wrote; the fields are those of `Sample`."""

    text: str
    reasoning: str = ""
    finish: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Message(Struct):
    # Null where a model was cut while it thought, refuses, or calls a tool.
    content: str | list[Any] | None = None
    refusal: Any = None
    # vLLM's newer name, and that of DeepSeek, SGLang and older vLLM.
    reasoning: Any = None
    reasoning_content: Any = None


class _ChatChoice(Struct):
    message: _Message
    finish_reason: str | None = None


class _TextChoice(Struct):
    text: str
    finish_reason: str | None = None


class _Answer(Struct):
    choices: Any = None
    usage: Any = None
    error: Any = None


def words_of(body: bytes, kind: Literal["chat", "completion"]) -> Words:
    """The first choice of an answer to /chat/completions or /completions.

    Thinking that the endpoint tells apart is `reasoning`: a field of that name (vLLM from 0.11.1
    on, OpenRouter), `reasoning_content` (DeepSeek, SGLang, older vLLM), or parts of the content
    that are of the type `thinking` (Mistral).

    Raises:
        NonsenseError: it is no such answer, has no text and no reason why it ends, or was broken
            off by the engine.
    """
    try:
        answer = msgspec.json.decode(body, type=_Answer)
    except msgspec.ValidationError:
        raise NonsenseError(f"JSON that is no answer: {_start(body)}") from None
    except RecursionError:
        raise NonsenseError("JSON nested without end") from None
    except UnicodeDecodeError as error:
        raise NonsenseError(f"bytes that are no UTF-8 ({error.reason})") from None
    except msgspec.DecodeError as error:
        raise NonsenseError(_no_json(body, str(error))) from None
    if answer.error:
        raise NonsenseError(f"an error in the place of an answer: {said(body)}")
    if not isinstance(answer.choices, list) or not answer.choices:
        raise NonsenseError(f"an answer without choices: {_start(body)}")
    try:
        if kind == "chat":
            chat = msgspec.convert(answer.choices[0], _ChatChoice)
            text, reasoning = _conversation(chat.message)
            finish = chat.finish_reason
        else:
            continued = msgspec.convert(answer.choices[0], _TextChoice)
            text, reasoning, finish = continued.text, "", continued.finish_reason
    except msgspec.ValidationError as error:
        raise NonsenseError(f"an answer of another shape: choices[0]: {error}") from None
    if finish in _BROKEN:
        raise NonsenseError(f"an answer that was broken off (finish_reason {finish!r})")
    if not text and not finish:
        raise NonsenseError("an answer without text, and without a reason why it ends")
    return Words(
        text,
        reasoning,
        (finish or "")[:_FINISH_CHARS],
        _tokens(answer.usage, "prompt_tokens"),
        _tokens(answer.usage, "completion_tokens"),
    )


def said(body: bytes) -> str:
    """An endpoint's own words about an error, for a message: one line, cut, nothing in it that a
    terminal would obey.  Knows the places where OpenAI, vLLM, SGLang and FastAPI put them."""
    try:
        found = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return _start(body)
    for name in ("error", "message", "detail"):
        if isinstance(found, dict) and found.get(name):
            found = found[name]
    return printable(found) if isinstance(found, str) else _start(body)


def printable(text: str, chars: int = _WORDS) -> str:
    """One line of a stranger's words, cut to so many characters."""
    line = " ".join(text[: 4 * chars].split())
    line = "".join(char if char.isprintable() else "\ufffd" for char in line)
    return line if len(line) <= chars else f"{line[:chars]} …"


def _conversation(message: _Message) -> tuple[str, str]:
    """Text and reasoning of a message."""
    reasoning = next((one for one in (message.reasoning, message.reasoning_content) if one), "")
    reasoning = reasoning if isinstance(reasoning, str) else ""
    if isinstance(message.content, list):
        text, thoughts = _parts(message.content)
        return text, reasoning or thoughts
    if message.content is None and isinstance(message.refusal, str):
        return message.refusal, reasoning
    return message.content or "", reasoning


def _parts(parts: list[Any]) -> tuple[str, str]:
    texts: list[str] = []
    thoughts: list[str] = []
    for part in parts:
        match part:
            case str():
                texts.append(part)
            case {"type": "text" | "output_text", "text": str(text)}:
                texts.append(text)
            case {"type": "refusal", "refusal": str(text)}:
                texts.append(text)
            case {"type": "thinking", "thinking": str(text)}:
                thoughts.append(text)
            case {"type": "thinking", "thinking": list(inner)}:
                thoughts += [one["text"] for one in inner if _is_text(one)]
            case _:
                raise NonsenseError(f"a part of content that is no text: {_shown(part)}")
    return "".join(texts), "".join(thoughts)


def _is_text(part: Any) -> bool:
    return isinstance(part, dict) and isinstance(part.get("text"), str)


def _tokens(usage: Any, name: str) -> int | None:
    count = usage.get(name) if isinstance(usage, dict) else None
    known = isinstance(count, int) and not isinstance(count, bool) and 0 <= count <= _MAX_TOKENS
    return count if known else None


def _no_json(body: bytes, reason: str) -> str:
    start = body[:64].lstrip().lower()
    if not start:
        return "an empty body"
    if start.startswith((b"<!doctype", b"<html", b"<head", b"<?xml")):
        return f"a page of HTML: {_start(body)}"
    if start.startswith((b"data:", b"event:", b":")):
        return f"a stream of events, which was not asked for: {_start(body)}"
    return f"no JSON ({reason}): {_start(body)}"


def _start(body: bytes) -> str:
    return printable(body[: 4 * _WORDS].decode("utf-8", "replace")) or "nothing"


def _shown(part: Any) -> str:
    kind = part.get("type") if isinstance(part, dict) else None
    return printable(kind) if isinstance(kind, str) else type(part).__name__
