"""`sandbox-fusion`, SandboxFusion's own client: it is told another endpoint, and no more."""

from __future__ import annotations

from bench.clients import Client, Served

CLIENT = Client("sandbox-fusion")


def check_run_code(served: Served) -> None:
    """`run_code` with `set_endpoint`: a program that ends well, and one that fails."""
    from sandbox_fusion import RunCodeRequest, RunStatus, run_code, set_endpoint

    set_endpoint(f"{served.url}/sandboxfusion")
    said = run_code(RunCodeRequest(code="print(int(input()) * 2)", stdin="21\n", language="python"))
    assert said.status == RunStatus.Success, said
    assert said.run_result.stdout == "42\n", said
    said = run_code(RunCodeRequest(code="raise SystemExit(3)", language="python"))
    assert said.status == RunStatus.Failed, said
    assert said.run_result.return_code == 3, said
