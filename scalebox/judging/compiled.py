"""Test programs made of asserts in C and C++: one text of submission and tests, and its end.

The test program follows the submission in one file, as datasets have it (MultiPL-E's even closes
the submission's last function), and its `main` is the program's.  `harness/completion.c`, linked
in, says how that ended.  Both share a process, so that what it says is `weak`; what can be done for
it here is that no name which the submission defines as a macro changes what the tests' own words
mean.
"""

from __future__ import annotations

import importlib.resources
import re

#: As what compilers and messages name the test program; `completion.c` knows its beginning.
_TESTS_FILE = "tests"
#: Without extension.
COMPLETION_FILE = "scalebox_completion"
#: `main` of a function, and before it what only looks like one: comments, texts, numbers (their
#: digits may be set apart by a quotation mark).
_OWN_MAIN = re.compile(
    rb"//[^\n]*|/\*.*?\*/|"
    rb"""R"([^(\s]{0,16})\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\b\d[\w'.]*|'(?:\\.|[^'\\\n])*'|"""
    rb"\b(?P<main>main)(?=\s*\()",
    re.DOTALL,
)
_RENAMED = b"main_of_submission"
_WORDS = (
    "auto break case char const continue default do double else enum extern float for goto if "
    "inline int long main register return short signed sizeof static struct switch typedef union "
    "unsigned void volatile while"
)
#: In C some of these are the library's own macros.
_WORDS_OF_CPP = (
    "bool catch class constexpr const_cast decltype delete dynamic_cast explicit false friend "
    "mutable namespace new nullptr operator private protected public reinterpret_cast static_cast "
    "std template this throw true try typeid typename using virtual"
)
#: An expression, and usable in any function; the name in the object file is C's in C++ too.
_ASSERT = (
    "#define assert(...) ((__VA_ARGS__) ? (void)0 : __extension__({ "
    "extern void scalebox_assert_failed(const char *, const char *, unsigned) "
    '__asm__("scalebox_assert_failed"); '
    "scalebox_assert_failed(#__VA_ARGS__, __FILE__, __LINE__); }))"
)


def completion_source() -> bytes:
    """What says how the test program ended; C and C++."""
    folder = importlib.resources.files("scalebox.judging.harness")
    return folder.joinpath("completion.c").read_bytes()


def joined(source: bytes, program: str, main_file: str) -> bytes:
    """One text of a submission and a test program.

    A `main` of the submission's own, which models like to add, is renamed: it is not under test.
    (By a macro it would cost a second of compilation: gcc takes no precompiled header after one.)

    Parameters:
        main_file: how the language calls a submission's file: `solution.cpp`.
    """
    suffix = main_file[main_file.rindex(".") :]
    words = _WORDS.split() + (_WORDS_OF_CPP.split() if suffix != ".c" else [])
    joint = [
        "",  # ends the last line
        *(f"#undef {word}" for word in (*words, "assert", "NDEBUG")),
        _ASSERT,
        f'#line 1 "{_TESTS_FILE}{suffix}"',
        program,
        "",
    ]
    own = _OWN_MAIN.sub(lambda found: _RENAMED if found["main"] else found[0], source)
    return own + "\n".join(joint).encode()
