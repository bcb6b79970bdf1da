"""How models are asked for whole programs, in whatever language.

The words are ours, and so are those of every benchmark that asks by this; for numbers that are to
be compared with ones that another prompt gave, `template` of the model's configuration puts that
prompt around the problem.
"""

from __future__ import annotations

from scalebox.suite.benchmarks.joining import until_stop

#: Languages as daemons name them → as people do, where the two differ.
_NAMES = {
    "python": "Python 3",
    "python2": "Python 2",
    "python3": "Python 3",
    "pypy": "Python 3",
    "c": "C",
    "csharp": "C#",
    "javascript": "JavaScript",
    "typescript": "TypeScript",
    "ocaml": "OCaml",
    "php": "PHP",
    "r": "R",
}
#: Where a continuation ends: it begins inside a code block.
STOP = ("```",)


def name_of(language: str) -> str:
    """A language's name for people: of `cpp17`, C++17."""
    if language.startswith("cpp"):
        return f"C++{language.removeprefix('cpp')}"
    return _NAMES.get(language) or language.capitalize()


def instruction(statement: str, language: str, *, starter: str = "", files: str = "") -> str:
    """What a chat model is asked.

    Parameters:
        statement: of the problem.
        language: of the program, as daemons name it.
        starter: Python code that the solution completes; empty: it is a whole program.
        files: which files it reads and writes, in words; empty: standard input and output.
    """
    return (
        f"Solve this programming problem in {name_of(language)}.\n\n## Problem\n\n"
        f"{statement.strip()}\n\n## Answer\n\n{_form(language, starter, files)}\n"
    )


def prompt(statement: str, language: str, *, starter: str = "", files: str = "") -> str:
    """What a base model continues: it ends inside a code block, and so does the continuation."""
    words = "" if not starter else f"\n\n{_form(language, starter, files)}"
    return f"## Problem\n\n{statement.strip()}{words}\n\n## Solution\n\n```{language}\n"


def continued(text: str) -> str:
    """The program that a base model wrote after `prompt`."""
    return until_stop(text, STOP)


def _form(language: str, starter: str, files: str) -> str:
    block = f"one code block that begins with ```{language}"
    if starter:
        code = f"```python\n{starter.rstrip()}\n```"
        if language.startswith(("python", "pypy")):
            return f"Complete this code; answer with all of it in {block}.\n\n{code}"
        return (
            f"Write what this Python code begins in {name_of(language)}, with the same names; "
            f"answer with {block}.\n\n{code}"
        )
    ways = files or "reads standard input and writes to standard output"
    return (
        f"Write a whole program that {ways}. It is run on tests of its own; it shall not test "
        f"itself on the examples. Answer with {block}."
    )
