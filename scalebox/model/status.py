"""What a daemon says of itself, and of what it has."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from scalebox.model.basics import Enforcement, IsolationLevel, Verdict
from scalebox.model.requests import Submission
from scalebox.model.stored import StoredJudge


class LanguageInfo(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One language of this daemon.

    Attributes:
        name, aliases: what `Submission.language` may say.
        available: whether its tool chain was found.
        toolchain: its version.
        missing: if not available, what is missing and how to get it.
    """

    name: str
    aliases: list[str]
    available: bool
    toolchain: str = ""
    missing: str = ""


class LanguageTest(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A submission that shows whether a language works on this host.

    Attributes:
        language: its name.
        kind: what the program does: `accepted`, `wrong`, `runtime_error`, `time_limit`,
            `memory_limit` or `compile_error`.
        submission: to be sent to `POST /v1/judge`.
        verdict: what must come of it.
    """

    language: str
    kind: str
    submission: Submission
    verdict: Verdict


class JudgeParameter(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One parameter of a judge that can be named.

    Attributes:
        name: the key in `NamedJudge.parameters`.
        default: its value where none is given; a value is of the same kind.
        description: what it does, with its unit if it has one.
        minimum, maximum: of a number.
        choices: the only values that it may have, if it may not have others.
    """

    name: str
    default: bool | int | float | str
    description: str
    minimum: float | None = None
    maximum: float | None = None
    choices: list[bool | int | float | str] = []


class JudgeInfo(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One judge that a submission can name.

    Attributes:
        name: what `NamedJudge.name` says.
        title: a few words.
        accepts: which outputs, in a sentence.
        description: for people.
        parameters: what can be chosen.
        looser_than: judges all of whose accepted outputs this one accepts too, each with the
            defaults of its parameters, wherever the answer is of its kind; those that follow from
            others' are left out.
        stored: of a judge of the store, what became of it; None: it ships with ScaleBox.
    """

    name: str
    title: str
    accepts: str
    description: str = ""
    parameters: list[JudgeParameter] = []
    looser_than: list[str] = []
    stored: StoredJudge | None = None


class SlotStatus(Struct, frozen=True, kw_only=True):
    """One slot, for operators."""

    index: int
    state: Literal["starting", "idle", "busy", "broken"]
    pid: int
    runs: int
    restarts: int


class Status(Struct, frozen=True, kw_only=True):
    """The answer of `GET /v1/status`.

    Attributes:
        version: of scalebox.
        uptime_s: seconds since start.
        isolation, enforcement: what this host gives; `notes` says what is missing, for people.
        slots: one entry a slot.
        queued_cases, running_cases: now.
        queue_limit_cases: more than this is refused with 429.
        draining: whether the daemon only finishes what it has.
        counters: monotonic counts since start, by name.
    """

    version: str
    node: str
    uptime_s: float
    isolation: IsolationLevel
    enforcement: Enforcement
    notes: list[str]
    slots: list[SlotStatus]
    queued_cases: int
    running_cases: int
    queue_limit_cases: int
    draining: bool
    counters: dict[str, float]
