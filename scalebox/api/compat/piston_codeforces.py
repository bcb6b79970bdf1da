"""open-r1's package `codeforces` for Piston: one source file, tested as on Codeforces.

The names of its languages are those of packages/codeforces/1.0.0/metadata.json of guipenedo/piston,
what it makes of the files is that of the script `run` beside it.
"""

from __future__ import annotations

import math

from aiohttp import web

from scalebox.api.compat.piston_contests import (
    ANSWER,
    DIFF,
    INPUT,
    MEBI,
    Contest,
    File,
    Task,
    bounds,
    checker,
    defining,
    text_of,
)
from scalebox.errors import BadRequestError

_CONFIG, _CHECKER = "grader_config", "checker.py"

#: Its names → the daemon's language; those that are plain languages of Piston's, too, are of this
#: package with `cf_` before them alone.
LANGUAGES = {
    "cf_c++": "cpp",
    "c++0x": "cpp11",
    "cf_c++0x": "cpp11",
    "c++11": "cpp11",
    "cf_c++11": "cpp11",
    "c++14": "cpp14",
    "cf_c++14": "cpp14",
    "c++17": "cpp17",
    "cf_c++17": "cpp17",
    "cf_c++17-32": "cpp17",
    "cf_c++17-64": "cpp17",
    "c++20": "cpp20",
    "cf_c++20": "cpp20",
    "cf_c++20-11": "cpp20",
    "cf_c++20-13": "cpp20",
    "cf_python3": "python",
    "cf_kotlin": "kotlin",
}


class Codeforces(Contest):
    """One source file, `input.txt`, `correct_output.txt`, perhaps `checker.py`, `grader_config`."""

    def task(
        self,
        request: web.Request,
        files: list[File],
        given: dict[str, File],
        run_s: float,
        memory_bytes: float,
    ) -> Task:
        config = _assignments(text_of(given.get(_CONFIG)))
        mode = config.get("INPUT_MODE", "stdio")
        if mode not in ("stdio", "", "None"):
            raise BadRequestError(
                f"{self.language}: INPUT_MODE={mode[:50]} is not served, only stdio: the program's "
                "input comes on its standard input, and its output goes to its standard output"
            )
        source = text_of(next(file for file in files if file.is_text))
        language = LANGUAGES[self.language]
        if language.startswith("cpp"):
            source = defining("ONLINE_JUDGE", "main.cpp", source)
        time_limit, memory_limit = config.get("TIME_LIMIT", ""), config.get("MEMORY_LIMIT", "")
        memory = (_number(memory_limit, "MEMORY_LIMIT") or 0) * MEBI or memory_bytes
        given_checker = given.get(_CHECKER)
        return Task(
            language=language,
            source=source,
            files={},
            input=text_of(given[INPUT]).replace("\r\n", "\n"),
            answer=text_of(given[ANSWER]) if ANSWER in given else None,
            judge=DIFF if given_checker is None else checker("python", given_checker.data),
            time_limit=time_limit or f"{run_s:g}",
            memory_limit=f"{memory_limit}MB",
            limits=bounds(request, _number(time_limit, "TIME_LIMIT"), run_s, memory),
        )


def _assignments(text: str) -> dict[str, str]:
    """`NAME=VALUE` a line, which there a shell reads."""
    pairs = (line.partition("=") for line in text[:10_000].splitlines())
    return {name.strip(): value.strip().strip("\"'") for name, _, value in pairs if name.strip()}


def _number(text: str, name: str) -> float | None:
    if not text or text == "None":
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise BadRequestError(f"{_CONFIG}: {name}={text[:50]} is no number above 0")
    return value
