"""`sandbox-fusion`, SandboxFusion's own client: it is told another endpoint, and no more."""

from __future__ import annotations

import base64

from bench.clients import Client, Served

CLIENT = Client("sandbox-fusion")

_DOUBLE = """
#include <iostream>
int main() { int x; std::cin >> x; std::cout << 2 * x << std::endl; }
"""


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


def check_run_concurrent(served: Served) -> None:
    """`run_concurrent`: 64 requests, 20 at once, each with an answer of its own."""
    from sandbox_fusion import RunCodeRequest, run_code, run_concurrent

    requests = [
        RunCodeRequest(code=_DOUBLE, language="cpp", stdin=str(number)) for number in range(64)
    ]
    said = run_concurrent(
        run_code,
        kwargs=[{"request": r, "endpoint": f"{served.url}/sandboxfusion"} for r in requests],
    )
    outputs = [one.run_result.stdout for one in said]
    assert outputs == [f"{2 * number}\n" for number in range(64)], outputs


async def check_run_code_async(served: Served) -> None:
    """`run_code_async`, over aiohttp: files in, files out."""
    from sandbox_fusion import RunCodeRequest, run_code_async

    def encoded(text: str) -> str:
        return base64.b64encode(text.encode()).decode()

    request = RunCodeRequest(
        code="open('out.txt', 'w').write(open('in/a.txt').read() * 2)",
        language="python",
        files={"in/a.txt": encoded("ab"), "none": None},
        fetch_files=["out.txt", "missing.txt"],
    )
    said = await run_code_async(request, endpoint=f"{served.url}/sandboxfusion/")
    assert said.files == {"out.txt": encoded("abab")}, said


def check_every_way_to_fail(served: Served) -> None:
    """`summary_run_code_result` tells all of its kinds of failure apart."""
    from sandbox_fusion import RunCodeRequest, SummaryMapping, run_code, summary_run_code_result

    kinds = SummaryMapping(
        Success="right", CompileFailed="no program", CompileTimeout="slow compiler",
        RunFailed="failed", RunTimeout="slow",
    )  # fmt: skip
    slow = f"#include <regex>\n#include <iostream>\n{_DOUBLE}"
    for request, kind in (
        (RunCodeRequest(code="print(1)", language="python"), "right"),
        (RunCodeRequest(code="1 / 0", language="python"), "failed"),
        (RunCodeRequest(code="while 1: pass", language="python", run_timeout=0.3), "slow"),
        (RunCodeRequest(code="int main() { return x; }", language="cpp"), "no program"),
        (RunCodeRequest(code=slow, language="cpp", compile_timeout=0.01), "slow compiler"),
    ):
        said = run_code(request, endpoint=f"{served.url}/sandboxfusion")
        found = summary_run_code_result(said, kinds)
        assert found == kind, (found, kind, said)


def check_the_sandboxs_failure_is_raised(served: Served) -> None:
    """A failure of the sandbox's is an exception, and no failed program."""
    from sandbox_fusion import RunCodeRequest, run_code

    request = RunCodeRequest(code="select 1", language="sql")
    raised = ""
    try:
        run_code(request, endpoint=f"{served.url}/sandboxfusion", max_attempts=1)
    except Exception as error:  # it raises nothing more exact
        raised = str(error)
    assert "Sandbox responded with error" in raised, raised
