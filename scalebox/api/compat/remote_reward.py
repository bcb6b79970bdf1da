"""Remote reward models, as OpenRLHF and slime ask them.

OpenRLHF (OpenRLHF/OpenRLHF:openrlhf/utils/remote_rm_utils.py, openrlhf/utils/agent.py) sends whole
conversations, waits 180 s and tries five times; slime (THUDM/slime:slime/rollout/rm_hub/
__init__.py) sends one answer, waits 120 s and tries ten times.  Both ask again for every status
that is no success, so a failure of ours is one: it is never a reward of 0.

Labels say what is tested (`Label`).  What of an answer is code is decided by `extraction`, what a
report is worth by `rewards`; the shape is in the URL that the trainer is given, such as
`?kind=fraction&max_cases=10`.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from aiohttp import web
from anyio import to_thread
from msgspec import Meta, Struct

from scalebox.api import codec
from scalebox.api.compat import serving
from scalebox.api.compat.serving import Deadline, Protocol
from scalebox.api.structure import MAX_VALUES, check_structure
from scalebox.errors import (
    BadRequestError,
    InternalError,
)
from scalebox.extraction import extract_code
from scalebox.model import (
    CallCase,
    CallTests,
    Identifier,
    Limits,
    StdioCase,
    StdioTests,
    Submission,
    Tests,
)
from scalebox.rewards import RewardShape, pick_cases, reward_of

_OPENRLHF_S, _SLIME_S = 180.0, 120.0
_MAX_ANSWERS = 100_000
#: Of the URL's parameters, those of `RewardShape`; an internal error is always an HTTP error.
_SHAPE = ("kind", "max_cases", "weak")


class Label(Struct, kw_only=True, forbid_unknown_fields=True):
    """What is tested, and how; what else a label may be is turned into one.

    Attributes:
        tests: as in `POST /v1/judge`; or
        problem: the id of a registered problem.
        inputs, outputs: one a test, in place of both: texts for a program; with `fn_name` each
            input is a list of arguments, or a text with the JSON of one a line.
        fn_name: the function that is called.
        language: of the answers.
        limits: of each test.
    """

    tests: Tests | None = None
    problem: Identifier | None = None
    inputs: list[Any] | None = None
    outputs: list[Any] | None = None
    fn_name: str | None = None
    language: Annotated[str, Meta(min_length=1, max_length=64)] = "python"
    limits: Limits = Limits()


class Queries(Struct, kw_only=True):
    """What OpenRLHF sends; older versions send `query` alone, which is not enough to judge."""

    query: Annotated[list[str], Meta(max_length=_MAX_ANSWERS)]
    prompts: list[str]
    labels: list[Any]


class Rewards(Struct, kw_only=True):
    """What it is answered: `scores` are what it filters by, from 0 to 1."""

    rewards: list[float]
    scores: list[float]
    extra_logs: dict[str, list[float]]


class Sample(Struct, kw_only=True):
    """What slime sends."""

    response: str
    label: Any
    prompt: Any = None


class _Answered(Struct):
    """One answer's worth, and whether there was code in it."""

    reward: float
    has_code: bool


async def openrlhf(request: web.Request) -> web.StreamResponse:
    """`POST`: the rewards of many conversations."""
    deadline = Deadline(_OPENRLHF_S)
    shape = _shape(request)
    asked = await serving.read(request, Queries)
    count = len(asked.query)
    if len(asked.prompts) != count or len(asked.labels) != count:
        raise BadRequestError(
            f"{count} query, {len(asked.prompts)} prompts, {len(asked.labels)} labels: there must "
            "be as many of each"
        )
    await _bound(asked.labels)
    answers = [
        (_response(query, prompt), await _label(label, f"labels[{index}]"))
        for index, (query, prompt, label) in enumerate(
            zip(asked.query, asked.prompts, asked.labels, strict=True)
        )
    ]

    async def work(answer: tuple[str, Label]) -> _Answered:
        return await _answered(request, deadline, shape, *answer)

    done = await serving.each(answers, work)
    rewards = [one.reward for one in done]
    return serving.answer(
        Rewards(
            rewards=rewards,
            scores=rewards,
            extra_logs={"has_code": [float(one.has_code) for one in done]},
        )
    )


async def slime(request: web.Request) -> web.StreamResponse:
    """`POST`: the reward of one answer, a bare number."""
    deadline = Deadline(_SLIME_S)
    shape = _shape(request)
    sample = await serving.read(request, Sample)
    label = await _label(sample.label, "label")
    done = await _answered(request, deadline, shape, sample.response, label)
    return serving.answer(done.reward)


def _response(query: str, prompt: str) -> str:
    """What the model has added; tokenizers do not give every prompt back as it was."""
    _, found, rest = query.rpartition(prompt) if prompt else ("", "", query)
    return rest if found else query


async def _bound(labels: list[Any]) -> None:
    """Texts are counted as one value each when the body is read; there is more in these.

    Raises:
        TooLargeError: together they hold more than one document may.
    """
    texts = [label for label in labels if isinstance(label, str)]
    if sum(map(len, texts)) > MAX_VALUES:
        await to_thread.run_sync(lambda: check_structure("json", ",".join(texts).encode()))


def _shape(request: web.Request) -> RewardShape:
    """From the URL.

    Raises:
        BadRequestError: it says what there is not.
    """
    unknown = sorted(set(request.query) - set(_SHAPE))
    if unknown:
        raise BadRequestError(
            f"the URL has {unknown[0][:50]!r}; it can have {', '.join(_SHAPE)}", field="url"
        )
    try:
        return msgspec.convert(dict(request.query), RewardShape, strict=False)
    except (msgspec.ValidationError, ValueError) as error:
        raise BadRequestError(f"the URL's parameters: {error}", field="url") from None


async def _answered(
    request: web.Request, deadline: Deadline, shape: RewardShape, text: str, label: Label
) -> _Answered:
    code = extract_code(text, language=label.language)
    if code is None:
        return _Answered(reward=0.0, has_code=False)
    report = await serving.judge(
        request,
        deadline,
        Submission(
            language=label.language,
            source=code,
            tests=None if label.tests is None else pick_cases(label.tests, shape.max_cases),
            problem=label.problem,
            limits=label.limits,
            stop=shape.stop,
        ),
    )
    reward = reward_of(report, shape)
    if reward is None:
        raise InternalError(f"no reward: {report.verdict}")
    return _Answered(reward=reward, has_code=True)


async def _label(given: Any, field: str) -> Label:
    """A label, whichever of its forms is sent.

    Raises:
        BadRequestError: it is none of them.
    """
    if isinstance(given, str):
        text = given.strip()
        if text[:1] not in ("{", "["):
            given = {"problem": text}
        else:
            try:
                given = await codec.decode_bounded(codec.JSON, object, text.encode())
            except BadRequestError as error:
                raise BadRequestError(f"{field}: {error.message}", field=field) from None
    if isinstance(given, list):
        # Texts of asserts, as MBPP has them.
        given = {"tests": {"type": "assert", "cases": [{"program": one} for one in given]}}
    elif isinstance(given, dict) and "type" in given:
        given = {"tests": given}
    try:
        label = msgspec.convert(given, Label)
    except msgspec.ValidationError as error:
        refusal = codec.explain(str(error))
        raise BadRequestError(
            f"{field}: {refusal.message}", field=f"{field}.{refusal.field or ''}".rstrip(".")
        ) from None
    except RecursionError:
        raise BadRequestError(f"{field} is nested too deeply", field=field) from None
    ways = [label.tests is not None, label.problem is not None, label.inputs is not None]
    if sum(ways) != 1:
        raise BadRequestError(
            f"{field} needs either `tests`, the id of a problem, or `inputs` and `outputs`",
            field=field,
        )
    if label.inputs is not None:
        label.tests = _from_inputs(label, field)
    return label


def _from_inputs(label: Label, field: str) -> Tests:
    inputs, outputs = label.inputs or [], label.outputs or []
    if len(inputs) != len(outputs):
        raise BadRequestError(
            f"{field} has {len(inputs)} inputs and {len(outputs)} outputs", field=field
        )
    pairs = list(zip(inputs, outputs, strict=True))
    if label.fn_name:
        return CallTests(
            function=label.fn_name,
            cases=[
                CallCase(args=_arguments(given, field), expected=_value(expected))
                for given, expected in pairs
            ],
        )
    if not all(isinstance(side, str) for pair in pairs for side in pair):
        raise BadRequestError(
            f"{field}: inputs and outputs must be texts, unless there is a fn_name", field=field
        )
    return StdioTests(cases=[StdioCase(input=given, answer=answer) for given, answer in pairs])


def _arguments(given: Any, field: str) -> list[Any]:
    if isinstance(given, list):
        return given
    if not isinstance(given, str):
        raise BadRequestError(f"{field}: an input must be a list of arguments", field=field)
    return [_value(line) for line in given.split("\n")]


def _value(given: Any) -> Any:
    """A value as it is, or of a text the JSON in it, as LiveCodeBench has them."""
    if not isinstance(given, str):
        return given
    try:
        return msgspec.json.decode(given)
    except (msgspec.DecodeError, RecursionError):
        return given


#: What is asked is the URL itself; with and without a slash at its end.
_ROUTES = (("POST", ""), ("POST", "/"))
OPENRLHF = Protocol(
    "openrlhf", tuple((*route, openrlhf) for route in _ROUTES), serving.unprocessable
)
SLIME = Protocol("slime", tuple((*route, slime) for route in _ROUTES), serving.unprocessable)
