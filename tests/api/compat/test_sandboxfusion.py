"""SandboxFusion's `/run_code`: what its fields mean, and what is answered."""

from __future__ import annotations

import base64
import sys
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.compat.daemon import compat_daemon
from tests.api.compat.fusion import ask, run_code

CPP = r"""
#include <cstdio>
int main() {
    int x;
    if (scanf("%d", &x) != 1) return 7;
    printf("%d\n", 2 * x);
}
"""


def encoded(text: str | bytes) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


def test_what_verl_sends(url: str) -> None:
    said = run_code(
        url,
        compile_timeout=10,
        run_timeout=10,
        code="print(int(input()) * 2)",
        stdin="21\n",
        memory_limit_MB=1024,
        language="python",
        files={},
        fetch_files=[],
    )
    assert said["status"] == "Success"
    assert said["message"] == ""
    assert said["compile_result"] is None
    assert said["executor_pod_name"] is None
    assert said["files"] == {}
    run = said["run_result"]
    assert set(run) == {
        "status", "execution_time", "cpu_time", "return_code", "stdout", "stderr",
    }  # fmt: skip
    assert (run["status"], run["return_code"]) == ("Finished", 0)
    assert (run["stdout"], run["stderr"]) == ("42\n", "")
    assert run["cpu_time"] > 0
    assert run["execution_time"] > 0


def test_code_alone_is_enough(url: str) -> None:
    # verl's tutorial on agent loops sends no more.
    assert run_code(url, code="print(1)")["run_result"]["stdout"] == "1\n"


def test_what_roll_and_skyrl_send(url: str) -> None:
    code = "import sys\nprint(sys.stdin.read())"
    body = {"code": code, "language": "python", "run_timeout": 5, "stdin": "x"}
    assert run_code(url, **body, compile_timeout=5, expected_stdout="y")["status"] == "Success"
    assert run_code(url, **body)["run_result"]["stdout"] == "x\n"


def test_null_is_a_fields_default(url: str) -> None:
    body = dict.fromkeys(
        ("stdin", "compile_timeout", "run_timeout", "memory_limit_MB", "language", "files",
         "fetch_files", "args", "extra_args")
    )  # fmt: skip
    said = run_code(url, code="import sys\nprint(repr(sys.stdin.read()), sys.argv[1:])", **body)
    assert said["run_result"]["stdout"] == "'' []\n"


def test_numbers_may_be_text(url: str) -> None:
    said = run_code(
        url, code="print(1)", run_timeout="5", compile_timeout="5", memory_limit_MB="256"
    )
    assert said["status"] == "Success"


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b"", ["body"]),
        (b"{", ["body"]),
        (b"[]", ["body"]),
        (b"{}", ["body", "code"]),
        (b'{"code": null}', ["body", "code"]),
        (b'{"code": 1}', ["body", "code"]),
        (b'{"code": "", "run_timeout": "soon"}', ["body", "run_timeout"]),
        (b'{"code": "", "memory_limit_MB": 1.5}', ["body", "memory_limit_MB"]),
        (b'{"code": "", "files": {"a": 1}}', ["body", "files[...]"]),
        (b'{"code": "", "args": "-q"}', ["body", "args"]),
        (b'{"code": "\\ud800"}', ["body"]),
        (b'{"code": "\xff"}', ["body"]),
        (b'{"code": "", "language": "cobol"}', ["body", "language"]),
        (b'{"code": "", "language": "python2"}', ["body", "language"]),
        (b'{"code": "", "language": "%s"}' % (b"x" * (1 << 20)), ["body", "language"]),
    ],
)
def test_what_does_not_fit_is_422_as_fastapi_says_it(url: str, body: bytes, place: Any) -> None:
    status, said = ask(url, body)
    assert status == 422
    [detail] = said["detail"]
    assert detail["loc"] == place
    assert 0 < len(detail["msg"]) < 1000
    assert detail["type"]


@pytest.mark.parametrize(
    "language", ["sql", "python_gpu", "cuda", "R", "D_ut", "kotlin_script", "racket"]
)
def test_a_language_of_sandboxfusion_is_never_a_matter_of_form(url: str, language: str) -> None:
    said = run_code(url, code="print(1)", language=language)
    # Here or not, compiled or not; but what this host lacks is the sandbox's failure.
    if said["status"] == "SandboxError":
        assert said["message"]
        assert said["run_result"] is None
    assert language != "sql" or said["status"] == "SandboxError"


@pytest.mark.parametrize("language", ["bash", "Python", "c"])
def test_further_names_are_served(url: str, language: str) -> None:
    code = {"bash": "echo 1", "Python": "print(1)", "c": "int main() { return 0; }"}[language]
    assert run_code(url, code=code, language=language)["status"] == "Success"


# --- how a program ends ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "return_code"),
    [
        ("raise SystemExit(3)", 3),
        ("1 / 0", 1),
        ("def f(:", 1),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGTERM)", -15),
        ("import os\nos.abort()", -6),
        ("import ctypes\nctypes.string_at(0)", -11),
    ],
)
def test_a_program_that_fails(url: str, code: str, return_code: int) -> None:
    said = run_code(url, code=code)
    assert (said["status"], said["message"]) == ("Failed", "")
    assert said["compile_result"] is None
    assert said["run_result"]["status"] == "Finished"
    assert said["run_result"]["return_code"] == return_code


def test_a_traceback_is_on_standard_error(url: str) -> None:
    run = run_code(url, code="print('before')\n1 / 0")["run_result"]
    assert run["stdout"] == "before\n"
    assert "ZeroDivisionError" in run["stderr"]
    assert "SyntaxError" in run_code(url, code="def f(:")["run_result"]["stderr"]


@pytest.mark.parametrize("code", ["while True: pass", "import time\ntime.sleep(1000)"])
def test_a_program_over_its_time(url: str, code: str) -> None:
    said = run_code(url, code=f"print('begun', flush=True)\n{code}", run_timeout=0.5)
    assert (said["status"], said["compile_result"]) == ("Failed", None)
    run = said["run_result"]
    assert (run["status"], run["return_code"]) == ("TimeLimitExceeded", None)
    assert run["stdout"] == "begun\n"
    assert run["execution_time"] > 0.4


def test_a_nap_within_the_limit_is_none_over_it(url: str) -> None:
    said = run_code(url, code="import time\ntime.sleep(0.3)", run_timeout=1)
    assert said["status"] == "Success"
    assert said["run_result"]["execution_time"] > 0.25
    assert said["run_result"]["cpu_time"] < said["run_result"]["execution_time"]


@pytest.mark.parametrize("seconds", [0, -1, 1e308, "nan", "inf"])
def test_a_time_that_no_run_can_have(url: str, seconds: Any) -> None:
    said = run_code(url, code="x = sum(range(10 ** 7))", run_timeout=seconds)
    assert said["status"] == ("Success" if seconds in (1e308, "inf") else "Failed")


def test_a_program_over_its_memory(url: str) -> None:
    said = run_code(url, code="x = b'x' * (300 << 20)\nprint(len(x))", memory_limit_MB=64)
    assert said["status"] == "Failed"
    assert said["run_result"]["status"] == "Finished"
    assert said["run_result"]["return_code"] != 0


@pytest.mark.parametrize("limit", [-1, 0, 512, 1 << 13])
def test_a_program_within_its_memory(url: str, limit: int) -> None:
    said = run_code(url, code="x = b'x' * (100 << 20)\nprint(len(x))", memory_limit_MB=limit)
    assert said["run_result"]["stdout"] == f"{100 << 20}\n"


def test_more_memory_than_the_host_has_is_the_sandboxs_matter(url: str) -> None:
    said = run_code(url, code="print(1)", memory_limit_MB=10**30)
    # Cut to what one run may have; where even that is more than there is, it is said.
    assert said["status"] == "Success" or "engine.memory_bytes" in said["message"]


def test_a_large_output_comes_whole(url: str) -> None:
    # The original cuts at 1 MiB, and so finds right programs wrong.
    run = run_code(url, code="print('x' * (3 << 20))")["run_result"]
    assert run["stdout"] == "x" * (3 << 20) + "\n"


def test_output_over_its_limit(url: str) -> None:
    code = "import sys\nwhile True: sys.stdout.write('x' * 65536)"
    said = run_code(url, code=code, run_timeout=10)
    assert said["status"] == "Failed"
    assert said["run_result"]["status"] == "Finished"
    assert said["run_result"]["return_code"] != 0
    assert said["run_result"]["stdout"] == "x" * (1 << 20)


def test_standard_error_is_cut(url: str) -> None:
    code = "import sys\nprint('y' * (2 << 20), file=sys.stderr)"
    said = run_code(url, code=code)
    assert said["status"] == "Success"
    assert said["run_result"]["stderr"] == "y" * (1 << 20)


def test_output_that_is_no_text(url: str) -> None:
    run = run_code(url, code="import os\nos.write(1, b'a\\xff\\xed\\xa0\\x80b\\x00')")["run_result"]
    assert run["stdout"].startswith("a\ufffd")
    assert run["stdout"].endswith("b\0")


def test_what_reads_nothing_is_not_failed_for_it(url: str) -> None:
    assert run_code(url, code="print(1)", stdin="x" * (1 << 20))["status"] == "Success"


# --- compiling ------------------------------------------------------------------------------------


def test_a_compiled_program(url: str) -> None:
    said = run_code(url, code=CPP, language="cpp", stdin="21")
    assert said["status"] == "Success"
    assert said["compile_result"]["status"] == "Finished"
    assert said["compile_result"]["return_code"] == 0
    assert said["run_result"]["stdout"] == "42\n"


def test_a_compiled_program_that_fails(url: str) -> None:
    said = run_code(url, code=CPP, language="cpp", stdin="no number")
    assert (said["status"], said["compile_result"]["return_code"]) == ("Failed", 0)
    assert said["run_result"]["return_code"] == 7


def test_what_does_not_compile(url: str) -> None:
    for _ in range(2):  # the second time it is known
        said = run_code(url, code="int main() { return x; }", language="cpp")
        assert (said["status"], said["run_result"]) == ("Failed", None)
        assert said["compile_result"]["status"] == "Finished"
        assert said["compile_result"]["return_code"] == 1
        assert "x" in said["compile_result"]["stderr"]


def test_what_takes_too_long_to_compile(url: str) -> None:
    # Nested templates: exponential in the depth, and cheap to say.
    bomb = (
        "template <int N, int M> struct F { static const int v = F<N - 1, 2 * M>::v + "
        "F<N - 1, 2 * M + 1>::v; };\ntemplate <int M> struct F<0, M> { static const int v = M; };\n"
        "int main() { return F<22, 1>::v & 1; }\n"
    )
    for _ in range(2):
        said = run_code(url, code=bomb, language="cpp", compile_timeout=0.5)
        assert (said["status"], said["run_result"]) == ("Failed", None)
        assert said["compile_result"]["status"] == "TimeLimitExceeded"
        assert said["compile_result"]["return_code"] is None


def test_a_short_time_for_one_compiler_is_not_anothers(url: str) -> None:
    code = f"// two\n#include <bits/stdc++.h>\n{CPP}"
    late = run_code(url, code=code, language="cpp", stdin="1", compile_timeout=0.01)
    assert late["compile_result"]["status"] == "TimeLimitExceeded"
    said = run_code(url, code=code, language="cpp", stdin="1", compile_timeout=30)
    assert said["run_result"]["stdout"] == "2\n"


# --- files and arguments --------------------------------------------------------------------------


def test_files_go_in_and_come_back(url: str) -> None:
    code = """
import os
print(sorted(os.listdir()))
text = open("in/data.bin", "rb").read()
os.mkdir("out")
open("out/b.bin", "wb").write(text[::-1])
"""
    said = run_code(
        url,
        code=code,
        files={
            "in/data.bin": encoded(b"\x00\xff"),
            "./empty.txt": "",
            "none.txt": None,
            "IGNORE_THIS_FILE.txt": encoded("x"),
        },
        fetch_files=["./out/b.bin", "out/none"],
    )
    assert said["status"] == "Success", said
    names = said["run_result"]["stdout"]
    assert "'empty.txt'" in names
    assert "none.txt" not in names
    assert "IGNORE" not in names
    assert said["files"] == {"./out/b.bin": encoded(b"\xff\x00")}


@pytest.mark.parametrize(
    "body",
    [
        {"files": {"a.txt": "x"}},
        {"files": {"../a.txt": ""}},
        {"files": {"/tmp/a.txt": ""}},
        {"files": {"": ""}},
        {"files": {"a": "", "a/b": ""}},
        {"fetch_files": ["../../etc/passwd"]},
        {"fetch_files": ["/etc/passwd"]},
        {"fetch_files": ["x"] * 1000},
        {"files": {"a.txt": encoded(b"x" * (5 << 20))}},
        {"files": {"a.txt": encoded(b"x" * (7 << 20))}},
        {"code": "#" * (5 << 20)},
        {"language": "cpp", "extra_args": "\0"},
    ],
)
def test_what_cannot_be_done_is_the_sandboxs_failure(url: str, body: dict[str, Any]) -> None:
    said = run_code(url, **{"code": "print(1)", **body})
    assert (said["status"], said["run_result"]) == ("SandboxError", None)
    assert said["message"]


def test_arguments_as_codecontests_o_sends_them(url: str) -> None:
    checker = """
#include "helper.h"
int main(int argc, char **argv) {
    std::ifstream in(argv[1]), out(argv[2]);
    int a, b;
    in >> a; out >> b;
    return argc == 3 && same(a, b) ? 0 : 1;
}
"""
    helper = "#include <fstream>\ninline bool same(int a, int b) { return a == b; }\n"
    for given, status in (("5", "Success"), ("6", "Failed")):
        said = run_code(
            url,
            code=checker,
            language="cpp",
            extra_args='input.txt "output.txt"',
            files={
                "helper.h": encoded(helper),
                "input.txt": encoded("5"),
                "output.txt": encoded(given),
            },
        )
        assert said["status"] == status, said


def test_args_are_pytests_alone(url: str) -> None:
    said = run_code(url, code="import sys\nprint(sys.argv[1:])", args=["-q"])
    assert said["run_result"]["stdout"] == "[]\n"


def test_php_needs_no_tag(url: str) -> None:
    said = run_code(url, code="echo 1 + 1;", language="php")
    assert said["status"] == "SandboxError" or said["run_result"]["stdout"] == "2"


# --- pytest ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def with_pytest() -> Iterator[str]:
    """A daemon whose Python has pytest: the one of these tests."""
    languages = {"python": {"interpreter": sys.executable}}
    with compat_daemon({"sandboxfusion": "/sandboxfusion"}, languages=languages) as (_, where):
        yield where


def test_tests_written_for_pytest(with_pytest: str) -> None:
    code = """
import helper
def test_right(): assert helper.double(2) == 4
def test_other(): assert helper.double(2) == 5
"""
    files = {"helper.py": encoded("def double(x): return 2 * x\n")}
    body = {"language": "pytest", "code": code, "files": files}
    failed = run_code(with_pytest, **body)
    assert (failed["status"], failed["run_result"]["return_code"]) == ("Failed", 1)
    assert "1 failed, 1 passed" in failed["run_result"]["stdout"]
    chosen = run_code(with_pytest, **body, args=["-k", "right"])
    assert chosen["status"] == "Success"
    assert "1 passed, 1 deselected" in chosen["run_result"]["stdout"]


def test_where_there_is_no_pytest_the_sandbox_fails(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    venv.create(tmp_path / "bare", symlinks=True)
    languages = {"python": {"interpreter": str(tmp_path / "bare/bin/python")}}
    with compat_daemon({"sandboxfusion": "/sandboxfusion"}, languages=languages) as (_, url):
        said = run_code(url, language="pytest", code="def test(): pass")
        assert said["status"] == "SandboxError"
        assert "pytest" in said["message"]
        # A program that only says so has failed.
        lie = "raise ModuleNotFoundError(\"No module named 'pytest'\")"
        assert run_code(url, code=lie)["status"] == "Failed"
