"""One text of a submission and a test program: whose `main` is renamed, and whose is not."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from scalebox.judging import joining
from scalebox.judging.sources import harness_file
from scalebox.languages import table

RULES = {entry.name: entry.asserts for entry in table.load([]) if entry.asserts}
KEPT = [
    'char s[] = "main()";',
    "// main ()\n",
    "/* main()\nmain() */",
    'auto s = R"(main())"; ',
    'auto s = R"x(")" main())x";',
    'auto s = "\\"main()";',
    "char c = '\"'; int domain(int);",
    "int mainly(); int a = main_thing;",
    "long n = 1'000; // 'main(\n",
]
RENAMED = [
    "int main() { return 1; }",
    "int main\n(void) { return 1; }",
    "long n = 1'000'000; int main() { return 1; }",
    "char c = '\\''; int main() { return 1; }",
    'auto s = "a\\\\"; int main() { return 1; }',
]


def joined(source: bytes, program: str, language: str, folder: Path | None = None) -> bytes:
    """As the language's entry says; with the files that it names beside it."""
    rule = RULES[language]
    if folder is not None:
        (folder / "scalebox_asserts.h").write_bytes(harness_file("asserts.h"))
    return joining.joined(source, program, main=rule.main, before=rule.before)


@pytest.mark.parametrize("source", KEPT)
def test_what_only_looks_like_main_is_kept(source: str) -> None:
    assert joined(source.encode(), "", "cpp").startswith(source.encode())


@pytest.mark.parametrize("source", RENAMED)
def test_a_main_of_the_submission_is_renamed(source: str, tmp_path: Path) -> None:
    text = joined(source.encode(), "int main() { return 0; }", "cpp", tmp_path)
    (tmp_path / "a.cpp").write_bytes(text)
    subprocess.run(["g++", "a.cpp"], cwd=tmp_path, check=True)
    assert subprocess.run(["./a.out"], cwd=tmp_path, check=False).returncode == 0


@pytest.mark.parametrize("suffix", ["c", "cpp"])
def test_compilers_name_lines_of_the_test_program(suffix: str, tmp_path: Path) -> None:
    text = joined(b"int f();", "int main() {\n  return no_such;\n}", suffix, tmp_path)
    (tmp_path / f"a.{suffix}").write_bytes(text)
    tool = {"c": "gcc", "cpp": "g++"}[suffix]
    run = subprocess.run(
        [tool, "-c", f"a.{suffix}"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert f"tests.{suffix}:2:" in run.stderr


@pytest.mark.parametrize("suffix", ["c", "cpp"])
def test_what_the_c_library_defines_as_macros_stays(suffix: str, tmp_path: Path) -> None:
    source = (
        b"#include <stdbool.h>\n#include <limits.h>\n#include <stddef.h>\n#include <stdalign.h>\n"
        b"#include <stdnoreturn.h>\n#include <threads.h>\n#include <iso646.h>\n"
    )
    if suffix == "cpp":
        source = source.replace(b"#include <stdnoreturn.h>\n#include <threads.h>\n", b"")
    program = (
        "static bool f(void) { return true and not false; }\n"
        "int main(void) { int *p = NULL; return f() && INT_MAX > 0 && p == 0 ? 0 : 1; }\n"
    )
    text = joined(source, program, suffix, tmp_path)
    (tmp_path / f"a.{suffix}").write_bytes(text)
    tool = {"c": "gcc", "cpp": "g++"}[suffix]
    subprocess.run([tool, "-Wall", "-Werror", f"a.{suffix}"], cwd=tmp_path, check=True)
    assert subprocess.run(["./a.out"], cwd=tmp_path, check=False).returncode == 0
