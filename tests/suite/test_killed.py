"""A run that is killed at any moment goes on: nothing is lost, or asked or judged twice."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from bench.endpoint import ScriptedEndpoint
from scalebox.client.sync import Client
from scalebox.suite import config, folder
from scalebox.suite.config import RunConfig
from scalebox.suite.folder import GRADES, RESULTS, SAMPLES, SUMMARY
from tests.suite.conftest import FUNCTIONS, changed, solution

N = 6
IN_FLIGHT = 3
KILLS = 4
ANSWERS = {
    f"def {name}(n)": [
        f"<think>Hm.</think>```python\n{solution(name, right=place % 3 > 0)}# {place}\n```"
        for place in range(N)
    ]
    for name in FUNCTIONS
}


@pytest.fixture
def asked(plan: RunConfig) -> RunConfig:
    sampled = changed(plan, "sampling", n=N, seed=0, in_flight=IN_FLIGHT)
    return changed(sampled, "output", k=(1, 2))


async def start(plan: RunConfig, path: Path) -> asyncio.subprocess.Process:
    path.write_text(config.dump(plan), encoding="utf-8")
    command = [sys.executable, "-m", "scalebox.cli", "eval", "run", str(path)]
    quiet = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(*command, stdout=quiet, stderr=quiet)


async def finished(plan: RunConfig, path: Path) -> None:
    process = await start(plan, path)
    _, words = await process.communicate()
    assert process.returncode == 0, words.decode()


def records(path: Path) -> list[tuple[str, int]]:
    lines = [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]
    return [(line["task"], line["index"]) for line in lines]


async def test_killed_runs_come_to_the_same(
    asked: RunConfig, tmp_path: Path, client: Client
) -> None:
    drawn = random.Random(4)
    async with ScriptedEndpoint(ANSWERS, latency_s=0.15) as endpoint:
        asked = changed(asked, "model", samples="", endpoint=endpoint.base_url)
        await finished(asked, tmp_path / "plain.toml")
        plain = len(endpoint.requests)
        assert plain == N * len(FUNCTIONS)

        killed = changed(asked, "output", directory=str(tmp_path / "killed"))
        for _ in range(KILLS):
            process = await start(killed, tmp_path / "killed.toml")
            seen = len(endpoint.requests)
            enough = seen + drawn.randrange(2, 5)
            while len(endpoint.requests) < enough and process.returncode is None:
                await asyncio.sleep(0.01)
            await asyncio.sleep(drawn.random() * 0.3)
            assert process.returncode is None, "it was to be killed, and had ended"
            process.send_signal(signal.SIGKILL)
            await process.wait()
        await finished(killed, tmp_path / "killed.toml")
        asked_again = len(endpoint.requests) - 2 * plain

    for name in (RESULTS, SUMMARY):
        one, other = ((run.directory / name).read_bytes() for run in (asked, killed))
        assert one == other, name
    for name in (SAMPLES, GRADES):
        counts = Counter(records(killed.directory / name))
        assert set(counts.values()) == {1}
        assert len(counts) == plain
    # What was on its way when we died was never written down.
    assert 0 <= asked_again <= KILLS * IN_FLIGHT
    assert folder.read_manifest(killed.directory)["sampling"]["n"] == N
