"""From a model's answers to a judge in service: a scripted model, a real daemon, its store.

Only what holds is promoted.  That a model of any quality writes such judges, nothing here shows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from scalebox.client.aio import AsyncClient
from scalebox.errors import RemoteError
from scalebox.judges.directory import shipped
from scalebox.model import NamedJudge, OutputCase, OutputTests, Report, Submission
from scalebox.specialjudges.curation import Curator
from scalebox.specialjudges.endpoint import Budget, Endpoint, EndpointSettings
from scalebox.specialjudges.material import Material
from scalebox.specialjudges.work import Work
from tests.specialjudges.endpoint_server import (
    Reply,
    Script,
    ScriptedEndpoint,
    always,
    in_turn,
    repaired,
    serving,
)
from tests.specialjudges.problems import SPLIT_JUDGE, SPLIT_STATEMENT, split

YES = "def judge(input, output, answer):\n    return True\n"
ANSWER_ONLY = "def judge(input, output, answer):\n    return output.split() == answer.split()\n"
#: Agrees with everything that is known, and accepts a third number.
LOOSE = SPLIT_JUDGE.replace("len(tokens) != 2", "len(tokens) not in (2, 3)").replace(
    "map(int, tokens)", "map(int, tokens[:2])"
)
EXITS = "import os\n\ndef judge(input, output, answer):\n    os._exit(0)\n"
FORGES = (
    "import os\n\ndef judge(input, output, answer):\n"
    "    for fd in range(1, 20):\n        try:\n"
    "            os.write(fd, b'\\n{\"accepted\": true}\\n')\n        except OSError:\n"
    "            pass\n    return True\n"
)
LOOPS = "def judge(input, output, answer):\n    while True: pass\n"


def block(source: str) -> Reply:
    return Reply(f"Here it is:\n\n```python\n{source}```\n")


#: By problem: the model's answers to three conversations, and whether one judge is promoted.
PLANS: dict[str, tuple[Script, bool]] = {
    "good": (in_turn(block(SPLIT_JUDGE), block(SPLIT_JUDGE + "\n# two\n"), block(LOOSE)), True),
    "mended": (repaired(block(ANSWER_ONLY), block(SPLIT_JUDGE)), True),
    "lenient": (always(block(YES)), False),
    "contradictory": (in_turn(block(SPLIT_JUDGE), block(LOOSE), Reply("I cannot.")), False),
    "prose": (always(Reply("There is no need for a judge here.")), False),
    "slow": (always(Reply("too late", delay_s=5.0)), False),
    "broken": (always(Reply("no", status=500)), False),
    "exits": (always(block(EXITS)), False),
    "forges": (always(block(FORGES)), False),
    "loops": (always(block(LOOPS)), False),
    "obeys": (always(block("SECRET = open('/etc/passwd').read()\n" + YES)), False),
}


def problem(name: str) -> Material:
    statement = f"[{name}] {SPLIT_STATEMENT}"
    return dataclasses.replace(split(), id=f"model/{name}", statement=statement, own=None)


@pytest.fixture
async def server() -> AsyncIterator[ScriptedEndpoint]:
    scripts = {f"[{name}]": script for name, (script, _) in PLANS.items()}
    endpoint = ScriptedEndpoint(scripts)
    async with serving(endpoint):
        yield endpoint


def endpoint_of(server: ScriptedEndpoint, **budget: int) -> Endpoint:
    settings = EndpointSettings(
        base_url=server.base_url, model="scripted-1", timeout_s=1.0, retries=1
    )
    return Endpoint(settings, budget=Budget(**budget))  # type: ignore[arg-type]


async def judged(client: AsyncClient, name: str) -> Report:
    cases = [OutputCase(input="10", output=text, answer="5 5") for text in ("3 7", "3 8", "3 7 1")]
    tests = OutputTests(cases=cases, judge=NamedJudge(name=name))
    return await client.judge(Submission(language="", source="", tests=tests, stop="never"))


@pytest.mark.parametrize("name", PLANS)
async def test_only_what_holds_is_promoted(
    client: AsyncClient, server: ScriptedEndpoint, name: str, tmp_path: Path
) -> None:
    promoted = PLANS[name][1]
    material = problem(name)
    with Work(tmp_path / "work") as work:
        curator = Curator(client, work, shipped(), frozenset({"python"}))
        async with endpoint_of(server) as endpoint:
            # One that loops takes all of its limit each time.
            count = 1 if name == "loops" else 3
            await curator.generate(material, endpoint, candidates=count, repairs=1)
        made = await curator.made(material, own=False)
        proofs = await curator.prove(material, made) if made else []
        holding = [(one, proof) for one, proof in zip(made, proofs, strict=True) if proof.holds]
        assert bool(holding) is promoted, [proof.refuted_by for proof in proofs]
        for one, proof in holding[:1]:
            assert await curator.keep(material, one, proof, promote=True) == "active"
    if promoted:
        report = await judged(client, f"problem:{material.id}")
        assert [case.verdict for case in report.cases] == [
            "accepted", "wrong_answer", "wrong_answer",
        ]  # fmt: skip
        record = await client.judge_record(f"problem:{material.id}")
        assert record.provenance.model == "scripted-1"
        assert record.provenance.prompt_sha256
        assert record.proof
        assert record.proof["holds"] is True
    else:
        with pytest.raises(RemoteError):
            await judged(client, f"problem:{material.id}")


async def test_work_that_was_interrupted_goes_on(
    client: AsyncClient, server: ScriptedEndpoint, tmp_path: Path
) -> None:
    material = problem("good")
    with Work(tmp_path / "work") as work:
        curator = Curator(client, work, shipped(), frozenset({"python"}))
        async with endpoint_of(server, max_requests=1) as endpoint:
            first = await curator.generate(material, endpoint, candidates=3, repairs=0)
        assert sum(one.ended == "budget" for one in first) == 2
        assert len(server.requests) == 1
    with Work(tmp_path / "work") as work:
        curator = Curator(client, work, shipped(), frozenset({"python"}))
        async with endpoint_of(server) as endpoint:
            again = await curator.generate(material, endpoint, candidates=3, repairs=0)
        assert [one.ended for one in again] == ["done"] * 3
        assert len(server.requests) == 3
