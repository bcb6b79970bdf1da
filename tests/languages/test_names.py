"""The names of a source: of its file, and of what is started in it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalebox.languages import build, table
from scalebox.languages.build import Names

ENTRIES = {entry.name: entry for entry in table.load([])}
MAIN = "public static void main(String[] args) { }"
TEXT = '"""\n} class No { \\""" }\n"""'


@pytest.mark.parametrize(
    ("source", "file", "unit"),
    [
        (f"public class Sum {{ {MAIN} }}", "Sum.java", "Sum"),
        (f"class Sum {{ {MAIN} }}", "Main.java", "Sum"),
        (f"class Node {{ }} class Sum {{ {MAIN} }} class Other {{ }}", "Main.java", "Sum"),
        (f"public class Sum {{ class Node {{ }} {MAIN} }}", "Sum.java", "Sum"),
        (f"public final class Sum {{ static class A {{ int x; }} {MAIN} }}", "Sum.java", "Sum"),
        (f"class A {{ void f() {{ }} }} public class Sum {{ {MAIN} }}", "Sum.java", "Sum"),
        (f"package a.b;\npublic class Sum {{ {MAIN} }}", "Sum.java", "a.b.Sum"),
        (f"// public class No\n/* class No {{ */ class Sum {{ {MAIN} }}", "Main.java", "Sum"),
        (f'class Sum {{ String s = "}} class No {{"; {MAIN} }}', "Main.java", "Sum"),
        (f"class Sum {{ char a = '{{', b = '\\'', c = '{{'; {MAIN} }}", "Main.java", "Sum"),
        (f"class Sum {{ String s = {TEXT}; {MAIN} }}", "Main.java", "Sum"),
        (f"record P(int x) {{ }} enum E {{ A }} class Sum {{ {MAIN} }}", "Main.java", "Sum"),
        (f"interface I {{ {MAIN} }}", "Main.java", "I"),
        ("class Only { }", "Main.java", "Only"),
        ("", "Main.java", "Main"),
    ],
)
def test_a_java_program_is_named_after_what_is_in_it(source: str, file: str, unit: str) -> None:
    assert build.names(ENTRIES["java"], source.encode()) == Names(file, unit)


def test_others_are_named_by_the_table() -> None:
    names = build.names(ENTRIES["javascript"], b"class Sum { main() { } }")
    assert names == Names("solution.js", "solution")


@given(st.binary(max_size=300))
def test_whatever_comes_has_plain_names(source: bytes) -> None:
    names = build.names(ENTRIES["java"], source)
    assert "/" not in names.file
    assert not names.file.startswith((".", "-"))


@pytest.mark.parametrize(
    "piece",
    [
        "/*", "//", '"', '"\\', "'", '"""', '"""\\', "\n", " ", "public ", "class ", "class A{",
        "void ", "package a\n",
    ],
)  # fmt: skip
def test_names_are_found_in_time_that_grows_with_the_text(piece: str) -> None:
    began = time.process_time()
    build.names(ENTRIES["java"], (piece * (500_000 // len(piece))).encode())
    assert time.process_time() - began < 3.0
