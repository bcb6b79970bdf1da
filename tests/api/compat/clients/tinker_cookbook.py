"""tinker-cookbook's client of SandboxFusion: it is told another URL, and no more."""

from __future__ import annotations

from bench.clients import Client, Served, import_alone

CLIENT = Client(
    "tinker-cookbook",
    alone="the rest needs tinker's service; the file that asks a sandbox needs aiohttp alone",
    requirements=("aiohttp",),
)


async def check_run(served: Served) -> None:
    """`SandboxFusionClient.run`, one session for many: right, wrong, slow, and files."""
    fusion = import_alone("tinker_cookbook.sandbox.sandboxfusion")
    client = fusion.SandboxFusionClient(f"{served.url}/sandboxfusion/run_code", max_concurrency=4)
    try:
        code = "import code_of_a_model as code\nassert code.double(2) == 4"
        for source, right in (("2 * x", True), ("x * x * x", False)):
            files = {"code_of_a_model.py": f"def double(x): return {source}\n"}
            success, said = await client.run(code, files, timeout=6)
            assert success is right, said
            assert said["status"] == ("Success" if right else "Failed"), said
        success, said = await client.run("while True: pass", {}, timeout=1)
        assert not success, said
        assert said["run_result"]["status"] == "TimeLimitExceeded", said
    finally:
        await client.close()


async def check_the_sandboxs_failure_is_told_apart(served: Served) -> None:
    """What ScaleBox could not do is an `error`, and no failed program."""
    fusion = import_alone("tinker_cookbook.sandbox.sandboxfusion")
    client = fusion.SandboxFusionClient(f"{served.url}/sandboxfusion/run_code")
    try:
        for language in ("sql", "cobol"):
            success, said = await client.run("select 1", {}, timeout=6, language=language)
            assert not success, said
            assert said["error"], said
    finally:
        await client.close()
