"""Remote reward models, as OpenRLHF and slime ask them.

OpenRLHF (OpenRLHF/OpenRLHF:openrlhf/utils/remote_rm_utils.py, openrlhf/utils/agent.py) sends whole
conversations, waits 180 s and tries five times; slime (THUDM/slime:slime/rollout/rm_hub/
__init__.py) sends one answer, waits 120 s and tries ten times.  Both ask again for every status
that is no success, so a failure of ours is one: it is never a reward of 0.

Labels say what is tested: a ground truth (`formats.truths`), in an object perhaps with the answers'
`language` and `limits` besides.  What of an answer is code is decided by `extraction`, what a
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
from scalebox.formats.truths import Truth, truth_of
from scalebox.model import Limits, Submission
from scalebox.rewards import RewardShape, pick_cases, reward_of

_OPENRLHF_S, _SLIME_S = 180.0, 120.0
_MAX_ANSWERS = 100_000
#: Of the URL's parameters, those of `RewardShape`; an internal error is always an HTTP error.
_SHAPE = ("kind", "max_cases", "weak")


class Label(Struct, frozen=True, kw_only=True):
    """What is tested, and how.

    Attributes:
        truth: the tests, or the id of a problem.
        language: of the answers.
        limits: of each test.
    """

    truth: Truth
    language: str
    limits: Limits


class _Besides(Struct, kw_only=True):
    """What a label may say beside its tests."""

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
    tests = label.truth.tests
    report = await serving.judge(
        request,
        deadline,
        Submission(
            language=label.language,
            source=code,
            tests=None if tests is None else pick_cases(tests, shape.max_cases),
            problem=label.truth.problem,
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
    if isinstance(given, str) and given.lstrip()[:1] == "{":
        try:
            given = await codec.decode_bounded(codec.JSON, object, given.encode())
        except BadRequestError as error:
            raise BadRequestError(f"{field}: {error.message}", field=field) from None
    besides = _Besides()
    if isinstance(given, dict):
        said = {name: value for name, value in given.items() if name in _Besides.__struct_fields__}
        given = {name: value for name, value in given.items() if name not in said}
        besides = serving.fit(said, _Besides)
    try:
        # In a thread: there is no telling how long a text takes.
        truth = await to_thread.run_sync(truth_of, given)
    except BadRequestError as error:
        raise BadRequestError(f"{field}: {error.message}", field=field) from None
    limits = besides.limits if besides.limits != Limits() else truth.limits
    return Label(truth=truth, language=besides.language, limits=limits)


#: What is asked is the URL itself; with and without a slash at its end.
_ROUTES = (("POST", ""), ("POST", "/"))
OPENRLHF = Protocol(
    "openrlhf", tuple((*route, openrlhf) for route in _ROUTES), serving.unprocessable
)
SLIME = Protocol("slime", tuple((*route, slime) for route in _ROUTES), serving.unprocessable)
