"""One judge in a folder: `judge.toml`, `judge.py` for a function, and examples.

Answers for: a folder that is read is one that makes sense, and parameters that are given are
checked before they become part of a judge.  Whether its examples are decided rightly, those find
out who run it.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec

from scalebox.errors import BadRequestError
from scalebox.model import (
    Blob,
    Comparison,
    FunctionJudge,
    GivenJudge,
    Judge,
    JudgeInfo,
    JudgeParameter,
    Limits,
    OutputCase,
    OutputTests,
    Submission,
    Verdict,
)

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_KINDS: dict[type, str] = {bool: "true or false", int: "an integer", float: "a number", str: "text"}
_TABLE, _SOURCE = "judge.toml", "judge.py"
#: Of names that somebody made up, so much is repeated.
_SHOWN = 60

Value = bool | int | float | str


class JudgeFolderError(BadRequestError):
    """A judge's folder cannot be read, or makes no sense."""

    code = "judge_folder"


class _Parameter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table `[parameters.NAME]`; `sets` is the field of a comparison that it becomes."""

    default: Value
    description: str
    minimum: float | None = None
    maximum: float | None = None
    choices: list[Value] = []
    sets: str | None = None


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`judge.toml`."""

    kind: Literal["compare", "function"]
    title: str
    accepts: str
    description: str
    looser_than: list[str] = []
    comparison: dict[str, Any] = {}
    limits: Limits = Limits()
    parameters: dict[str, _Parameter] = {}


@dataclass(frozen=True, slots=True)
class JudgeExample:
    """An output whose verdict is known.

    Attributes:
        name: such as `accepted/empty`.
        accepted: what the judge must decide.
        input, answer, output: what it is given.
        parameters: what it is given besides, from `NAME.toml`.
    """

    name: str
    accepted: bool
    input: bytes
    answer: bytes
    output: bytes
    parameters: dict[str, Value]

    @property
    def expected(self) -> Verdict:
        """Of a program that writes the output."""
        return Verdict.ACCEPTED if self.accepted else Verdict.WRONG_ANSWER

    def submission(self, judge: Judge) -> Submission:
        """The output, for the judge to decide about."""
        case = OutputCase(
            output=Blob(data=self.output),
            input=Blob(data=self.input),
            answer=Blob(data=self.answer),
            name=self.name,
        )
        tests = OutputTests(cases=[case], judge=judge)
        return Submission(language="", source="", tests=tests, id=self.name)


@dataclass(frozen=True, slots=True)
class JudgeFolder:
    """A judge that was read.

    Attributes:
        path: its folder, whose name is the judge's.
        info: what is told of it.
        table: the text of `judge.toml`.
        source: the text of `judge.py`; empty for a comparison.
    """

    path: Path
    info: JudgeInfo
    table: str
    source: str
    _judge: GivenJudge
    _sets: dict[str, str]

    def given(self, parameters: Mapping[str, Value]) -> GivenJudge:
        """The judge, with these parameters in the place of their defaults.

        Raises:
            BadRequestError: one is not there, of another kind, or out of range; `field` is
                `parameters.NAME`.
        """
        chosen = self._checked(parameters)
        if not chosen:
            return self._judge
        if isinstance(self._judge, Comparison):
            fields = {self._sets[name]: value for name, value in chosen.items()}
            return msgspec.structs.replace(self._judge, **fields)
        # After the source, whose lines so keep their numbers, and whose own values these replace.
        assignments = [f"{name.upper()} = {value!r}\n" for name, value in chosen.items()]
        source = "".join([self.source, "\n", *assignments])
        return msgspec.structs.replace(self._judge, source=source)

    def examples(self) -> list[JudgeExample]:
        """Its examples, accepted ones first.

        Raises:
            JudgeFolderError: a file is missing, or cannot be read.
        """
        return [
            _example(folder, stem)
            for folder in (self.path / "accepted", self.path / "rejected")
            for stem in sorted({file.stem for file in folder.glob("*.*")})
        ]

    def _checked(self, parameters: Mapping[str, Value]) -> dict[str, Value]:
        """Those that are not as by default."""
        known = {parameter.name: parameter for parameter in self.info.parameters}
        chosen: dict[str, Value] = {}
        for name, value in parameters.items():
            if name not in known:
                there = f"it has: {', '.join(known)}" if known else "it has none"
                raise _refused(name, f"{self.info.name} has no such parameter; {there}")
            value = _value(known[name], value)
            if value != known[name].default:
                chosen[name] = value
        return chosen


def read_judge(path: Path) -> JudgeFolder:
    """Read a judge's folder; its examples are read when they are asked for.

    Raises:
        JudgeFolderError: it makes no sense; the message says where, and what is expected.
    """
    where = path / _TABLE
    if not _NAME.fullmatch(path.name):
        raise JudgeFolderError(
            f"{path}: a judge's name, which is its folder's, has small letters, digits and _"
        )
    text, content = _toml(where)
    try:
        table = msgspec.convert(content, _Table)
        judge = _judge(path, table)
        parameters = [
            JudgeParameter(
                name=name,
                default=parameter.default,
                description=parameter.description,
                minimum=parameter.minimum,
                maximum=parameter.maximum,
                choices=parameter.choices,
            )
            for name, parameter in table.parameters.items()
        ]
        for parameter in parameters:
            _value(parameter, parameter.default)
    except (msgspec.ValidationError, ValueError) as error:
        raise JudgeFolderError(f"{where}: {error}") from error
    except BadRequestError as error:
        raise JudgeFolderError(f"{where}, {error.field}: {error.message}") from error
    info = JudgeInfo(
        name=path.name,
        title=table.title,
        accepts=table.accepts,
        description=" ".join(table.description.split()),
        parameters=parameters,
        looser_than=table.looser_than,
    )
    source = "" if isinstance(judge, Comparison) else _text(path / _SOURCE)
    sets = {name: parameter.sets or "" for name, parameter in table.parameters.items()}
    return JudgeFolder(path, info, text, source, judge, sets)


def _judge(path: Path, table: _Table) -> GivenJudge:
    """The judge with its parameters' defaults.

    Raises:
        ValueError: the table says too much or too little for its kind.
        JudgeFolderError: the source cannot be read.
    """
    for name, parameter in table.parameters.items():
        if not _NAME.fullmatch(name):
            raise ValueError(f"the parameter {name!r}: small letters, digits and _ make a name")
        if (table.kind == "compare") != (parameter.sets is not None):
            raise ValueError(
                f"the parameter {name!r}: of a comparison it `sets` a field of Comparison; of a "
                "function it sets a variable of its own name in capitals"
            )
    if table.kind == "compare":
        if table.limits != Limits():
            raise ValueError("a comparison has no limits")
        fields: dict[str, Any] = {"type": "compare", **table.comparison}
        fields |= {str(one.sets): one.default for one in table.parameters.values()}
        return msgspec.convert(fields, Comparison)
    if table.comparison:
        raise ValueError("[comparison] is for judges of kind `compare`")
    return FunctionJudge(source=_text(path / _SOURCE), limits=table.limits)


def _example(folder: Path, stem: str) -> JudgeExample:
    own = folder / f"{stem}.toml"
    try:
        given, answer, output = (
            (folder / f"{stem}.{end}").read_bytes() for end in ("in", "ans", "out")
        )
    except OSError as error:
        raise JudgeFolderError(
            f"cannot read {error.filename}: {error.strerror}; an example is NAME.in, NAME.ans and "
            "NAME.out, and perhaps a NAME.toml of parameters"
        ) from error
    parameters = _toml(own)[1] if own.exists() else {}
    name, accepted = f"{folder.name}/{stem}", folder.name == "accepted"
    return JudgeExample(name, accepted, given, answer, output, parameters)


def _value(parameter: JudgeParameter, value: Value) -> Value:
    """A value that the parameter can have.

    Raises:
        BadRequestError: it cannot.
    """
    kind = type(parameter.default)
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        raise _refused(parameter.name, f"is {_KINDS[kind]}, not {value!r:.{_SHOWN}}")
    if parameter.choices and value not in parameter.choices:
        raise _refused(
            parameter.name, f"is one of {', '.join(map(str, parameter.choices))}, not {value!r:.60}"
        )
    if isinstance(value, int | float):
        if not math.isfinite(value):
            raise _refused(parameter.name, f"is a finite number, not {value}")
        if parameter.minimum is not None and value < parameter.minimum:
            raise _refused(parameter.name, f"is at least {parameter.minimum:g}, not {value}")
        if parameter.maximum is not None and value > parameter.maximum:
            raise _refused(parameter.name, f"is at most {parameter.maximum:g}, not {value}")
    return value


def _refused(name: str, why: str) -> BadRequestError:
    shown = name[:_SHOWN].encode("unicode_escape").decode()
    return BadRequestError(f"{shown}: {why}", field=f"parameters.{shown}")


def _toml(path: Path) -> tuple[str, dict[str, Any]]:
    text = _text(path)
    try:
        return text, tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise JudgeFolderError(f"{path}: {error}") from error
    except RecursionError:
        raise JudgeFolderError(f"{path} is nested too deeply") from None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise JudgeFolderError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise JudgeFolderError(f"{path} is not UTF-8: {error}") from error
