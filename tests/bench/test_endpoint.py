"""The scripted endpoint as a command, asked by the suite's own client."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scalebox.suite.config import ModelConfig, SamplingConfig
from scalebox.suite.errors import EndpointError
from scalebox.suite.sampling.endpoint import Endpoint
from scalebox.suite.tasks import Sample, Task

ROOT = Path(__file__).parent.parent.parent
WANTED = [(Task(id=name, prompt=f"def {name}():"), index) for name in "fg" for index in range(3)]


@contextmanager
def serving(*options: str) -> Iterator[str]:
    """The command; gives its address, and fails where it does not end well."""
    # So slow that two are asked at once on a busy machine, too.
    command = [sys.executable, "-m", "bench.endpoint", "--latency-s=0.3", *options]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.send_signal(signal.SIGTERM)
            _, words = process.communicate()
        assert process.returncode == 0
        assert "at most 2 at once" in words


async def sampled(base_url: str, **fields: str) -> list[Sample]:
    model = ModelConfig(name="m", endpoint=base_url, **fields)  # type: ignore[arg-type]
    async with Endpoint(model, SamplingConfig(seed=0, in_flight=2), first_delay_s=0.01) as asked:
        return [sample async for sample in asked.sample_all(WANTED)]


def test_command_answers_by_prompt_and_seed_between_its_troubles(tmp_path: Path) -> None:
    answers = tmp_path / "answers.jsonl"
    rows = [{"prompt": f"def {name}()", "answers": [f"{name}0", f"{name}1"]} for name in "fg"]
    answers.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with serving(f"--answers={answers}", "--every=500=3", "--every=cut=4") as base_url:
        found = asyncio.run(sampled(base_url))
    assert {(one.task, one.index): one.text for one in found} == {
        (name, index): f"{name}{index % 2}" for name in "fg" for index in range(3)
    }


def test_command_wants_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCALEBOX_TEST_ENDPOINT_KEY", "some-key-0123")
    variable = "SCALEBOX_TEST_ENDPOINT_KEY"
    with serving("--always=yes", f"--key-env={variable}") as base_url:
        found = asyncio.run(sampled(base_url, api_key_env=variable))
        assert {one.text for one in found} == {"yes"}
        with pytest.raises(EndpointError, match="HTTP 401"):
            asyncio.run(sampled(base_url, api_key_env=""))


@pytest.mark.parametrize("options", [["--every=fire=2"], ["--every=500=0"], ["--every=500"]])
def test_trouble_that_there_is_not_is_refused(options: list[str]) -> None:
    command = [sys.executable, "-m", "bench.endpoint", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "NAME one of 429, 500" in done.stderr


def test_answers_that_are_none_are_refused(tmp_path: Path) -> None:
    answers = tmp_path / "answers.jsonl"
    answers.write_text('{"prompt": "x", "answers": ["y"]}\n{"prompt": "x"}\n')
    command = [sys.executable, "-m", "bench.endpoint", f"--answers={answers}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "line 2 is not as" in done.stderr
