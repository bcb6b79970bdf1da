"""The steps for many problems: several at a time, each remembered, none lost to another's failure.

Every step takes what the ones before it found from the file of finished steps, or makes it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from scalebox.client.aio import AsyncClient
from scalebox.errors import ConnectionFailedError, ScaleboxError
from scalebox.judges.directory import Directory
from scalebox.model import (
    Data,
    FunctionJudge,
    JudgeSource,
    JudgeState,
    Limits,
    NamedJudge,
    ProgramJudge,
    Provenance,
    canonical_bytes,
)
from scalebox.specialjudges import classify, evidence, infer, objections, prove
from scalebox.specialjudges.agree import prove_together
from scalebox.specialjudges.endpoint import Endpoint
from scalebox.specialjudges.evidence import Evidence
from scalebox.specialjudges.exchange import UnusableAnswerError
from scalebox.specialjudges.generate import Candidate, generate
from scalebox.specialjudges.material import Material
from scalebox.specialjudges.prompts import (
    ModelOpinion,
    classification_prompt,
    parse_classification,
)
from scalebox.specialjudges.prove import Proof, Trial
from scalebox.specialjudges.work import Work, key_of

T = TypeVar("T")
#: What steps do; a higher number makes them all be done again.
_VERSION = 1
_LONGEST_REASON = 1000
_REFEREES = 3
_WRITTEN_LIMITS = Limits(cpu_time_s=2.0)


@dataclass(frozen=True, slots=True)
class Made:
    """A judge, and where it comes from.

    Attributes:
        model, prompt_sha256: of one that a model wrote.
    """

    judge: NamedJudge | FunctionJudge | ProgramJudge
    source: JudgeSource
    model: str = ""
    prompt_sha256: str | None = None

    def provenance(self, data_sha256: str) -> Provenance:
        """For the store."""
        return Provenance(
            source=self.source,
            model=self.model,
            prompt_sha256=self.prompt_sha256,
            data_sha256=data_sha256,
        )


def written(source: Data) -> FunctionJudge:
    """A judge that a model wrote: it decides soon, or not at all."""
    return FunctionJudge(source=source, limits=_WRITTEN_LIMITS)


class Curator:
    """Takes steps.

    Parameters:
        client: of the daemon that runs programs and judges.
        work: finished steps.
        judges: those that ship.
        languages: that the daemon has.
        seed: of the damage that is done to outputs.
    """

    def __init__(
        self,
        client: AsyncClient,
        work: Work,
        judges: Directory,
        languages: frozenset[str],
        *,
        seed: int = 0,
    ) -> None:
        self.client = client
        self.work = work
        self._judges = judges
        self._languages = languages
        self._seed = seed

    async def evidence(self, material: Material) -> Evidence:
        """What the problem's programs write; nothing for an interactive one.

        Raises:
            ScaleboxError: the daemon failed.
        """
        if material.interactive:
            return Evidence(programs=[])
        key = key_of(_VERSION, material.sha256(), sorted(self._languages))
        return await self._step(
            "evidence",
            material,
            key,
            Evidence,
            lambda: evidence.gather(self.client, material, self._languages),
        )

    async def trial(self, material: Material) -> Trial:
        """What judges of the problem are asked; raises as `evidence`."""
        return prove.prepare(material, await self.evidence(material), seed=self._seed)

    async def classify(
        self, material: Material, endpoint: Endpoint | None = None
    ) -> classify.Classification:
        """What the problem most likely needs; raises as `evidence`.

        Parameters:
            endpoint: a model that is asked for its opinion; None: nobody is.
        """
        found = await self.evidence(material)
        opinion = None if endpoint is None else await self._opinion(material, endpoint)
        return classify.classify(classify.signs_of(material, found), opinion=opinion)

    async def _opinion(self, material: Material, endpoint: Endpoint) -> ModelOpinion | None:
        """A model's; None: it has none that can be used.

        Raises:
            EndpointError: it cannot be asked.
            BudgetExhaustedError: nothing is left to be spent.
        """
        task = objections.task_of(await self.trial(material))
        messages = classification_prompt(task.statement, task.samples)

        async def work() -> list[ModelOpinion]:
            try:
                answer = await endpoint.ask(messages, "classify")
                return [parse_classification(answer.text)]
            except UnusableAnswerError:
                return []

        key = key_of(self._key(material), endpoint.settings.model)
        found = await self._step("opinion", material, key, list[ModelOpinion], work)
        return found[0] if found else None

    async def infer(self, material: Material) -> infer.Inference:
        """The strictest judge that ships and fits; raises as `evidence`."""

        async def work() -> infer.Inference:
            return await infer.infer(self.client, await self.trial(material), self._judges)

        return await self._step("infer", material, self._key(material), infer.Inference, work)

    async def generate(
        self, material: Material, endpoint: Endpoint, *, candidates: int, repairs: int
    ) -> list[Candidate]:
        """Judges that a model wrote; raises as `evidence`.

        What an earlier run has paid for is not asked again: conversations that came to their end.
        """
        trial = await self.trial(material)
        found = self._generated(material)
        done = {one.number for one in found if one.model == endpoint.settings.model}

        def remember(candidate: Candidate) -> None:
            found.append(candidate)
            self.work.put("generate", material.id, self._key(material), found)

        if len(done) < candidates:
            await generate(
                endpoint,
                objections.task_of(trial, (await self.classify(material)).kind),
                lambda judge: objections.objections(self.client, written(judge.source), trial),
                candidates=candidates,
                repairs=repairs,
                done=done,
                on_candidate=remember,
            )
        return found

    def _generated(self, material: Material) -> list[Candidate]:
        """Of all models; conversations that came to their end."""
        key = self._key(material)
        found = self.work.find("generate", material.id, key, list[Candidate]) or []
        return [one for one in found if one.ended == "done"]

    def _key(self, material: Material) -> str:
        return key_of(_VERSION, material.sha256(), self._seed)

    async def made(self, material: Material, *, own: bool) -> list[Made]:
        """The judges that earlier steps have found for a problem; raises as `evidence`.

        Parameters:
            own: also the one that comes with it.
        """
        found = []
        inferred = await self.infer(material)
        if inferred.judge is not None:
            found.append(Made(judge=inferred.judge, source="inferred"))
        found += [
            Made(
                judge=written(one.source),
                source="generated",
                model=one.model,
                prompt_sha256=one.prompt_sha256,
            )
            for one in self._generated(material)
            if one.state == "clean"
        ]
        if own and isinstance(material.own, FunctionJudge | ProgramJudge | NamedJudge):
            found.append(Made(judge=material.own, source="package"))
        return found

    async def prove(self, material: Material, made: Sequence[Made]) -> list[Proof]:
        """Try to refute judges of a problem, together; raises as `evidence`.

        Parameters:
            made: independent of each other.

        Returns:
            One proof a judge, in their order.
        """
        judges = [one.judge for one in made]
        key = key_of(_VERSION, material.sha256(), self._seed, *map(canonical_bytes, judges))

        async def work() -> list[Proof]:
            # An inferred judge is the strictest of those that fit; the next ones doubt with it.
            also = (await self.infer(material)).consistent[1 : 1 + _REFEREES]
            trial = await self.trial(material)
            return await prove_together(self.client, judges, trial, referees=also)

        return await self._step("prove", material, key, list[Proof], work)

    async def keep(self, material: Material, made: Made, proof: Proof, *, promote: bool) -> str:
        """Put a judge into the daemon's store, with its proof.

        Parameters:
            promote: make one that is proven the problem's own.

        Returns:
            Its state there.

        Raises:
            ScaleboxError: the daemon does not take it.
        """
        state = JudgeState.CANDIDATE
        if proof.holds:
            state = JudgeState.ACTIVE if promote else JudgeState.PROVEN
        record = await self.client.add_judge(
            made.judge,
            provenance=made.provenance(proof.data_sha256),
            problem=material.id,
            proof=msgspec.to_builtins(proof),
            state=state,
            reason="proven" if proof.holds else "; ".join(proof.refuted_by)[:_LONGEST_REASON],
        )
        return record.state.value

    async def _step(
        self,
        stage: str,
        material: Material,
        key: str,
        kind: type[T],
        work: Callable[[], Awaitable[T]],
    ) -> T:
        found = self.work.find(stage, material.id, key, kind)
        if found is None:
            found = await work()
            self.work.put(stage, material.id, key, found)
        return found


async def over(
    materials: Iterable[Material],
    step: Callable[[Material], Awaitable[T]],
    *,
    at_once: int,
) -> AsyncIterator[tuple[Material, T | ScaleboxError]]:
    """Take a step for each problem, in the order in which they are done.

    Parameters:
        at_once: so many problems at a time.

    Yields:
        The problem, and what the step gave, or why it failed for this problem.

    Raises:
        ConnectionFailedError: there is no daemon any more.
    """
    waiting = iter(materials)
    running: dict[asyncio.Task[T], Material] = {}
    try:
        while True:
            for material in waiting:
                running[asyncio.ensure_future(step(material))] = material
                if len(running) >= at_once:
                    break
            if not running:
                return
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                material = running.pop(task)
                try:
                    yield material, task.result()
                except ConnectionFailedError:
                    raise
                except ScaleboxError as error:
                    yield material, error
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
