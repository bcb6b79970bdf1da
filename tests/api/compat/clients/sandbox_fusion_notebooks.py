"""`sandbox-fusion` once more: notebooks."""

from __future__ import annotations

from bench.clients import Client, Served

CLIENT = Client("sandbox-fusion")


def check_run_jupyter(served: Served) -> None:
    """`run_jupyter` with `set_endpoint`: the cells of its documentation."""
    from sandbox_fusion import RunJupyterRequest, RunStatus, run_jupyter, set_endpoint

    set_endpoint(f"{served.url}/sandboxfusion")
    cells = ["a = 123", "a", "print(a)", "import sys; sys.stderr.write('said')", "raise OSError"]
    said = run_jupyter(RunJupyterRequest(cells=cells))
    assert said.status == RunStatus.Success, said
    assert said.cells[1].display == [{"text/plain": "123"}], said
    assert said.cells[2].stdout == "123\n", said
    assert said.cells[3].stderr == "said", said
    assert said.cells[4].error[0]["ename"] == "OSError", said
