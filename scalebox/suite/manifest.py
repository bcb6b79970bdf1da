"""What a number depends on, written down beside it: `manifest.json`.

Which data (hashes of its files and of the tasks that were chosen), which prompts, which model and
how it was sampled, which judge, limits, tool chains and isolation, which versions.  Two runs whose
manifests agree in `sampled_by` and `judged_by` are the same experiment.
"""

from __future__ import annotations

import platform
from itertools import islice
from typing import Any

import msgspec

from scalebox import __version__
from scalebox.client.aio import AsyncClient
from scalebox.suite.config import RunConfig
from scalebox.suite.folder import digest, keys
from scalebox.suite.sampling.prompts import prompts_sha256
from scalebox.suite.tasks import Benchmark

#: How fast, how many, how often and where is nothing that an answer or a verdict depends on.
_SAMPLING_ASIDE = ("n", "in_flight", "timeout_s", "retries")
_JUDGE_ASIDE = ("daemon", "isolation", "store", "in_flight", "attempts")
FORMAT = 1
_MAX_LEFT_OUT = 100

Manifest = dict[str, Any]


def begun(config: RunConfig, benchmark: Benchmark, samples: dict[str, Any]) -> Manifest:
    """The part that is known before anything is judged.

    Parameters:
        config: of the run.
        benchmark: with its tasks.
        samples: of answers from a file, its name and hash; else empty.
    """
    table = msgspec.to_builtins(config)
    found: Manifest = {
        "format": FORMAT,
        "scalebox": __version__,
        "python": platform.python_version(),
        "benchmark": {
            **table["benchmark"],
            "path": "",  # where the files were says nothing; what was in them, the hashes do
            "tasks": len(benchmark.tasks),
            "tasks_sha256": digest(
                [(task.id, task.prompt, task.instruction) for task in benchmark.tasks]
            ),
            "data_sha256": benchmark.data_sha256,
            "rows_left_out": dict(islice(benchmark.left_out.items(), _MAX_LEFT_OUT)),
            "rows_left_out_count": len(benchmark.left_out),
        },
        "model": {**table["model"], "samples": "", **samples},
        "prompts_sha256": prompts_sha256(benchmark.tasks, config.model),
        "sampling": table["sampling"],
        "judge": _without(table["judge"], ("daemon", "store")),
    }
    return found | keys(sampled=sampled_by(found))


async def add_daemon(
    manifest: Manifest, client: AsyncClient, languages: dict[str, str], benchmark: Benchmark
) -> None:
    """The part that the daemon knows.

    Parameters:
        manifest: of `begun`; changed.
        client: of the daemon.
        languages: language → tool chain.
        benchmark: whose tasks may have judges in the daemon's store.
    """
    status = await client.status()
    manifest["daemon"] = {
        "version": status.version,
        "isolation": status.isolation.value,
        "enforcement": status.enforcement.value,
        "notes": list(status.notes),
        "slots": len(status.slots),
        "host": f"{platform.system()} {platform.release()} {platform.machine()}",
    }
    manifest["toolchains"] = languages
    manifest["judges"] = {}
    if benchmark.config.judges == "store":
        wanted = {task.id for task in benchmark.tasks}
        manifest["judges"] = {
            info.name: info.stored.hash
            for info in await client.judges()
            if info.stored is not None and info.stored.problem in wanted
        }
    manifest |= keys(judged=judged_by(manifest))


def sampled_by(manifest: Manifest) -> dict[str, Any]:
    """By name, what answers depend on."""
    model = manifest["model"]
    data = manifest["benchmark"]
    return {
        "benchmark": [data[name] for name in ("name", "version", "variant", "tasks_sha256")],
        # A file of answers may grow; that those it had stay is looked at one by one.
        "model": _without(model, ("name", "api_key_env", "thinking", "samples_sha256")),
        "prompts": manifest["prompts_sha256"],
        "sampling": _without(manifest["sampling"], _SAMPLING_ASIDE),
    }


def judged_by(manifest: Manifest) -> dict[str, Any]:
    """By name, what verdicts depend on."""
    data = manifest["benchmark"]
    return {
        "data": [data[name] for name in ("data_sha256", "tasks_sha256", "mode", "judges")],
        "judge": _without(manifest["judge"], _JUDGE_ASIDE),
        "judges": manifest["judges"],
        "tool chains": manifest["toolchains"],
        "thinking": manifest["model"]["thinking"],
        "version of scalebox": [manifest["scalebox"], manifest["daemon"]["version"]],
    }


def _without(table: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in table.items() if name not in names}
