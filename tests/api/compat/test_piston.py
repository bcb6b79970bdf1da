"""Piston, asked as open-r1's client and Piston's documentation ask."""

from __future__ import annotations

import base64
from typing import Any

from tests.api.compat.asking import answered, ask, leaving
from tests.api.compat.daemon import compat_daemon
from tests.daemons import until


def execute(url: str, language: str, source: str, **further: Any) -> dict[str, Any]:
    """One file, and what else is asked."""
    said: dict[str, Any] = answered(
        f"{url}/piston/execute",
        {"language": language, "version": "*", "files": [{"content": source}], **further},
    )
    return said


def refused(url: str, **body: Any) -> str:
    """The words of a refusal."""
    status, said = ask(f"{url}/piston/execute", body)
    assert status == 400
    words: str = said["message"]
    return words


def test_a_program_that_ends_well(url: str) -> None:
    said = execute(
        url,
        "python3",
        "import sys\nprint(input(), sys.argv[1])\nprint('so', file=sys.stderr)",
        stdin="in",
        args=["argument"],
        compile_timeout=10_000,
        run_timeout=3000,
        compile_memory_limit=-1,
        run_memory_limit=-1,
    )
    assert said["language"] == "python"
    assert said["version"].count(".") == 2
    assert "compile" not in said
    run = said["run"]
    assert (run["stdout"], run["stderr"], run["code"]) == ("in argument\n", "so\n", 0)
    assert run["output"] == "in argument\nso\n"


def test_how_runs_end(url: str) -> None:
    run = execute(url, "python", "raise SystemExit(3)")["run"]
    assert (run["code"], run.get("signal"), run["status"]) == (3, None, "RE")
    run = execute(url, "python", "import os\nos.kill(os.getpid(), 11)")["run"]
    assert (run["code"], run["signal"], run["status"]) == (None, "SIGSEGV", "SG")
    run = execute(url, "python", "print(1, flush=True)\nwhile True: pass", run_timeout=500)["run"]
    assert (run["code"], run["signal"], run["status"]) == (None, "SIGKILL", "TO")
    run = execute(
        url, "python", "x = bytearray(1 << 28)\nprint(len(x))", run_memory_limit=64 << 20
    )["run"]
    assert run["code"] != 0


def test_compilation_is_told_apart_from_the_run(url: str) -> None:
    said = execute(url, "c++", '#include <cstdio>\nint main() { puts("hello"); }')
    assert said["compile"]["code"] == 0
    assert said["run"]["stdout"] == "hello\n"
    said = execute(url, "c++", "int main() { return }")
    assert said["compile"]["code"] == 1
    assert "error" in said["compile"]["stderr"]
    assert said["run"] == said["compile"]


def test_files_of_all_encodings(url: str) -> None:
    said = answered(
        f"{url}/piston/execute",
        {
            "language": "py",
            "version": "3",
            "files": [
                {"name": "raw.bin", "content": "00ff", "encoding": "hex"},
                {
                    "name": "main.py",
                    "content": "import helper\nprint(open('raw.bin', 'rb').read(), helper.x, "
                    "open('deep/b', 'rb').read())",
                },
                {"name": "helper.py", "content": "x = 1", "encoding": "utf8"},
                {
                    "name": "deep/b",
                    "content": base64.b64encode(b"\xfe").decode(),
                    "encoding": "base64",
                },
            ],
        },
    )
    assert said["run"]["stdout"] == "b'\\x00\\xff' 1 b'\\xfe'\n"


def test_refusals_in_pistons_words(url: str) -> None:
    files = [{"content": ""}]
    python: dict[str, Any] = {"language": "python", "version": "*", "files": files}
    assert refused(url, version="*", files=files) == "language is required as a string"
    assert refused(url, language="python", files=files) == "version is required as a string"
    assert refused(url, language="python", version="*") == "files is required as an array"
    assert (
        refused(url, language="python", version="*", files=[{"content": ""}, {"name": "x"}])
        == "files[1].content is required as a string"
    )
    assert (
        refused(url, **{**python, "files": [{"content": "", "encoding": "hex"}]})
        == "files must include at least one utf8 encoded file"
    )
    assert refused(url, **{**python, "version": "2.7.18"}) == "python-2.7.18 runtime is unknown"
    assert refused(url, **{**python, "language": "klingon"}) == "klingon-* runtime is unknown"
    assert (
        refused(url, **python, run_timeout="long") == "If specified, run_timeout must be a number"
    )
    assert "cannot exceed the configured limit of" in refused(url, **python, run_timeout=10**9)
    assert "must be a number" in refused(url, **python, run_timeout=True)
    assert refused(url, **python, run_cpu_time=-5) == "run_cpu_time must be non-negative"


def test_other_bodies_than_json(url: str) -> None:
    status, said = ask(f"{url}/piston/execute", b"language=python", content_type="text/plain")
    assert status == 415
    assert said == {"message": "requests must be of type application/json"}


def test_runtimes_and_versions(url: str) -> None:
    known = {one["language"]: one for one in answered(f"{url}/piston/runtimes")}
    assert "py" in known["python"]["aliases"]
    assert known["cms_ioi"]["version"] == "1.0.0"
    assert "cf_python3" in known
    version = known["python"]["version"]
    major, minor, _ = version.split(".")
    for asked in (version, major, f"{major}.x", f"^{major}.0.0", f"~{major}.{minor}", ">=3.0.0"):
        assert execute(url, "python", "print(1)", version=asked)["run"]["stdout"] == "1\n", asked
    for asked in ("2", f"~{major}.999", ">=99", f"^{major}.999.0", "latest"):
        assert "unknown" in refused(
            url, language="python", version=asked, files=[{"content": ""}]
        ), asked


def test_packages_are_answered_honestly(url: str) -> None:
    place = f"{url}/piston/packages"
    known = {one["language"]: one for one in answered(place)}
    assert known["python"]["installed"]
    assert answered(place, {"language": "python", "version": "*"})["language"] == "python"
    assert answered(place, {"language": "cms_ioi", "version": "1.0.0"})["version"] == "1.0.0"
    status, said = ask(place, {"language": "klingon", "version": "1.0.0"})
    assert (status, said["message"]) == (
        404,
        "Requested package klingon-1.0.0 does not exist",
    )
    # Few hosts have all languages.
    for missing in [name for name, one in known.items() if not one["installed"]][:1]:
        status, said = ask(place, {"language": missing, "version": "*"})
        assert status == 500
        assert "nothing is installed over this API" in said["message"]
    status, said = ask(place, {"language": "python", "version": "*"}, method="DELETE")
    assert status == 500
    assert answered(place) == list(known.values())


def test_an_overfull_queue_is_waited_for() -> None:
    with compat_daemon({"piston": "/"}, engine={"max_queued_cases": 1}) as (daemon, url):
        endless = {
            "language": "python",
            "version": "*",
            "files": [{"content": "while True: pass"}],
            "run_timeout": 1500,
        }
        with leaving(f"{url}/execute", endless), leaving(f"{url}/execute", endless):
            until(lambda: any(slot.state == "busy" for slot in daemon.status().slots))
            endless["files"] = [{"content": "print(1)"}]
            assert answered(f"{url}/execute", endless)["run"]["stdout"] == "1\n"


def test_what_cannot_be_done_in_time_makes_the_client_ask_again() -> None:
    with compat_daemon({"piston": "/"}, sandbox={"slots": 1}) as (daemon, url):
        endless = {
            "language": "python",
            "version": "*",
            "files": [{"content": "while True: pass"}],
            "run_timeout": 60_000,
        }
        with leaving(f"{url}/execute", endless):
            until(lambda: any(slot.state == "busy" for slot in daemon.status().slots))
            status, said = ask(f"{url}/execute", {**endless, "run_timeout": 1000})
        assert status == 504
        assert "message" in said
        assert daemon.wait_until_idle().queued_cases == 0
