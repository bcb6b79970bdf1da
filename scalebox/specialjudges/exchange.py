"""What goes to a model and what comes back: the words that endpoint, prompts and generate share.

No network in here, and nothing of the package `openai`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec
from msgspec import Struct

from scalebox.errors import ScaleboxError

#: Of a stranger's words, so many characters are repeated.
_WORDS = 300

#: How one request ended.  `cut`: answered, but the bound on its tokens came before its end.
Outcome = Literal[
    "answered",
    "cut",
    "rate_limited",
    "server_error",
    "connection",
    "timeout",
    "refused",
    "too_large",
    "nonsense",
    "cancelled",
]


class Message(Struct, frozen=True):
    """One message of a conversation, as endpoints take them."""

    role: Literal["system", "user", "assistant"]
    content: str


class RequestRecord(Struct, frozen=True, kw_only=True):
    """One request that was sent, whatever became of it.

    Attributes:
        purpose: what it was for, such as `generate` or `repair`.
        prompt_sha256: of the messages (`prompt_sha256`).
        model: the model that was asked for.
        answered_by: what the endpoint says answered; empty if it says nothing.
        outcome: how it ended.
        status: of HTTP; None: there was no answer.
        tokens_in, tokens_out: of prompt and answer.
        measured: whether the endpoint said how many; else they are the most that was expected.
        cost_usd: None: no prices are known.
        seconds: from sending to the end.
        date: when it ended, UTC.
    """

    purpose: str
    prompt_sha256: str
    model: str
    outcome: Outcome
    tokens_in: int
    tokens_out: int
    measured: bool
    seconds: float
    date: str
    answered_by: str = ""
    status: int | None = None
    cost_usd: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said.

    Attributes:
        text: its words, without the API key should they hold it.
        tokens_in, tokens_out: of prompt and answer.
        seconds: that it took, with waiting and asking again.
        finish_reason: the endpoint's word for why it ends; `length`: it was cut.
        prompt_sha256: of the messages that it answers.
    """

    text: str
    tokens_in: int
    tokens_out: int
    seconds: float
    finish_reason: str
    prompt_sha256: str


#: Called after each request with its record, what was said, and the answer's text if there is one:
#: for those who keep prompts, whose hashes alone are in the records.
OnExchange = Callable[[RequestRecord, Sequence[Message], str | None], None]


class Failure(Exception):
    """One request brought no answer; whether to send it again is the endpoint's to decide.

    Its text may hold a stranger's words, whole and as they came, but for the API key.

    Attributes:
        outcome: what became of it.
        status: of HTTP; None: no answer came.
        retry_after_s: the endpoint asks for so much patience.
        may_be_charged: the model may have worked for it.
    """

    def __init__(
        self,
        outcome: Outcome,
        words: str,
        *,
        status: int | None = None,
        retry_after_s: float | None = None,
        may_be_charged: bool = False,
    ) -> None:
        super().__init__(words)
        self.outcome = outcome
        self.status = status
        self.retry_after_s = retry_after_s
        self.may_be_charged = may_be_charged


class EndpointError(ScaleboxError):
    """The model gave no answer.

    Attributes:
        outcome: of the last request.
        is_about_the_prompt: another prompt may fare better; false: the endpoint is down, or its
            address, key or model is wrong, and there is no point in going on.
    """

    code = "endpoint"
    http_status = 502

    def __init__(self, message: str, *, outcome: Outcome, is_about_the_prompt: bool) -> None:
        super().__init__(message)
        self.outcome = outcome
        self.is_about_the_prompt = is_about_the_prompt


class BudgetExhaustedError(ScaleboxError):
    """What the requests may cost is spent; nothing was sent."""

    code = "budget"


class MissingExtraError(ScaleboxError):
    """A package of an extra is not installed; the message says which to install."""

    code = "missing_extra"


class UnusableAnswerError(ScaleboxError):
    """A model's answer is not what it was asked for."""

    code = "unusable_answer"


def prompt_sha256(messages: Sequence[Message]) -> str:
    """The address of a prompt: SHA-256 of its messages as JSON."""
    return hashlib.sha256(msgspec.json.encode(list(messages))).hexdigest()


def printable(text: str) -> str:
    """One line of a stranger's words, bounded, with nothing that a terminal would obey."""
    line = " ".join(text[: _WORDS * 4].split())
    line = "".join(char if char.isprintable() else "\ufffd" for char in line)
    return line if len(line) <= _WORDS else f"{line[:_WORDS]} …"
