"""What a model is asked: a task in the words of the configuration.

Prompts are programs, full of braces: in a template two names are replaced, and nothing else in it
means anything, nor in what they are replaced by.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Any, Literal

import msgspec
from msgspec import Struct

from scalebox.suite.config import ModelConfig
from scalebox.suite.errors import SuiteError
from scalebox.suite.tasks import Task

_NAMES = re.compile(r"\{(prompt|instruction)\}")


class Message(Struct, frozen=True):
    """One turn of a conversation."""

    role: Literal["system", "user"]
    content: str


class Prompt(Struct, frozen=True, kw_only=True):
    """What one request asks.

    Attributes:
        messages: of a conversation; empty: there is a text to be continued.
        text: to be continued.
    """

    messages: tuple[Message, ...] = ()
    text: str = ""

    @property
    def fields(self) -> dict[str, Any]:
        """As a request has it: `messages` of /chat/completions or `prompt` of /completions."""
        return {"messages": list(self.messages)} if self.messages else {"prompt": self.text}


def request_text(task: Task, model: ModelConfig) -> Prompt:
    """A task as a model is asked it.

    Parameters:
        task: its `prompt`, and its `instruction` where it has one (else the prompt).
        model: `kind`, `system` and `template`.  Without a template a conversation asks the
            instruction, and a continuation begins with the prompt.

    Raises:
        SuiteError: the template names nothing of the task, there is a system message and no
            conversation, the text is empty, or it is none that can be sent.
    """
    prompt = _worded(task, model)
    text = prompt.messages[-1].content if prompt.messages else prompt.text
    if not text.strip():
        raise SuiteError(f"task {task.id!r}: there is nothing to ask: its prompt is empty")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise SuiteError(
            f"task {task.id!r}: its prompt is no text that can be sent: half of a character (a "
            f"lone surrogate) at {error.start:,}"
        ) from None
    return prompt


def prompts_sha256(tasks: Iterable[Task], model: ModelConfig) -> str:
    """What a model is asked in a whole benchmark, as one hash: each task's id and prompt in their
    order, and of continuations the texts that end them.

    Prompts that cannot be sent have a hash, too: samples from a file may be judged all the same.

    Raises:
        SuiteError: of the template and the system message, as `request_text`.
    """
    digest = hashlib.sha256()
    for task in tasks:
        prompt = _worded(task, model)
        texts = [prompt.text, *(f"{one.role}: {one.content}" for one in prompt.messages)]
        stop = task.stop if model.kind == "completion" else ()
        line = [[_whole(text) for text in part] for part in ([task.id], texts, stop)]
        digest.update(msgspec.json.encode(line) + b"\n")
    return digest.hexdigest()


def _worded(task: Task, model: ModelConfig) -> Prompt:
    if model.system and model.kind == "completion":
        raise SuiteError(
            f"model {model.name!r}: a completion has no system message; put its words into "
            "template, or set kind = 'chat'"
        )
    text = _filled(task, model)
    if model.kind == "completion":
        return Prompt(text=text)
    system = (Message("system", model.system),) if model.system else ()
    return Prompt(messages=(*system, Message("user", text)))


def _filled(task: Task, model: ModelConfig) -> str:
    words = {"prompt": task.prompt, "instruction": task.instruction or task.prompt}
    if not model.template:
        return words["prompt" if model.kind == "completion" else "instruction"]
    # Once through, so that what is put in is not looked at again.
    text, count = _NAMES.subn(lambda name: words[name[1]], model.template)
    if not count:
        raise SuiteError(
            f"model {model.name!r}: its template has neither {{prompt}} nor {{instruction}}, so "
            "every task would be asked in the same words"
        )
    return text


def _whole(text: str) -> str:
    """A text with halves of characters written out."""
    return text.encode("utf-8", "backslashreplace").decode()
