"""What a source's file and the unit that is started in it are called, in Java."""

from __future__ import annotations

import pytest

from scalebox.languages import build, table

JAVA = {entry.name: entry for entry in table.load([])}["java"]
MAIN = "public static void main(String[] args) {}"


@pytest.mark.parametrize(
    ("source", "file", "unit"),
    [
        (f"public class Sum {{ {MAIN} }}", "Sum.java", "Sum"),
        (f"class Sum {{ {MAIN} }}", "Main.java", "Sum"),
        (f"class A {{ }} class B {{ {MAIN} }} class C {{ }}", "Main.java", "B"),
        (f"public class A {{ }} class B {{ {MAIN} }}", "A.java", "B"),
        (f"public class A {{ record P(int x) {{ }} enum E {{ X }} {MAIN} }}", "A.java", "A"),
        (f"interface I {{ int f(); }} enum E {{ X }} class T {{ {MAIN} }}", "Main.java", "T"),
        (f"public interface I {{ {MAIN.removeprefix('public ')} }}", "I.java", "I"),
        (f"public final class A {{ {MAIN} }}", "A.java", "A"),
        (f"public abstract sealed class A permits B {{ {MAIN} }}", "A.java", "A"),
        (f"package a.b;\n\nclass A {{ {MAIN} }}", "Main.java", "a.b.A"),
        (f"\ufeffpackage a;\r\npublic class A {{\r\n {MAIN} }}\r\n", "A.java", "a.A"),
        (f"// package a; class B {{\n/* public enum C */ class A {{ {MAIN} }}", "Main.java", "A"),
        (f'class A {{ String s = "}} class No {{"; char c = \'{{\'; {MAIN} }}', "Main.java", "A"),
        (f'class A {{ String s = """\n }} "class No {{\n"""; {MAIN} }}', "Main.java", "A"),
        (f"class A {{ static class B {{ }} Object o = B.class; {MAIN} }}", "Main.java", "A"),
        (f"public class Übung {{ {MAIN} }}", "Übung.java", "Übung"),
        ("class Sum { }", "Main.java", "Sum"),
        ("", "Main.java", "Main"),
        ("no program at all", "Main.java", "Main"),
        (f"public class {'A' * 300} {{ {MAIN} }}", "Main.java", "Main"),
        (f"package {'a.' * 300}b; class A {{ {MAIN} }}", "Main.java", "A"),
    ],
)  # fmt: skip
def test_file_and_unit(source: str, file: str, unit: str) -> None:
    assert build.names(JAVA, source.encode()) == build.Names(file, unit)


@pytest.mark.parametrize(
    "part",
    [
        "/* ",
        '"',
        '\\"',
        "'\\",
        '"""',
        "{",
        "}",
        "\n",
        "package\n",
        "public final ",
        "class  ",
        "a.",
    ],
)
def test_the_search_ends_with_the_source(part: str) -> None:
    # In steps that grew with the square of the length, this would take hours.
    build.names(JAVA, (part * (1 << 20))[: 1 << 20].encode())


def test_the_last_beginning_is_the_test_programs() -> None:
    tests = f"class Tests {{ class No {{ }} {MAIN} }} class Other {{ }}"
    text = f"class First {{ {MAIN} }} {tests}".encode()
    assert build.names(JAVA, text).unit == "First"
    assert build.names(JAVA, text, last=True).unit == "Tests"
