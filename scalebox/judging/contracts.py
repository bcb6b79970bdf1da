"""Judges that are programs: how each contract calls one, and what its end means.

Sources: the ICPC problem package specification (2025-09) for `icpc`; testlib's documentation for
`testlib`; the original ScaleBox's scripts for `scalebox`; open-r1's generated checkers for
`open-r1`.  In all of them what is neither the contract's yes nor its no says that the judge failed,
and nothing about the program.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from scalebox.model import Contract
from scalebox.sandbox.zygote import wire

_INPUT, _ANSWER, _OUTPUT = "input.txt", "answer.txt", "output.txt"
#: The folder in which an output validator leaves what it has to say.
FEEDBACK = "feedback"
_JUDGE_MESSAGE, _TEAM_MESSAGE, _SCORE = (
    f"{FEEDBACK}/{name}" for name in ("judgemessage.txt", "teammessage.txt", "score.txt")
)
#: What the next run of the program is to read, from a validator of several passes.
NEXT_PASS = f"{FEEDBACK}/nextpass.in"
_NEXT = "nextpass.in, which asks for another pass"
_NOT_WHOLE = (
    "the judge left in its feedback folder what cannot be kept from pass to pass: more than "
    f"{wire.MAX_FETCHED_FILES} files and folders, a link or another special file, a folder with "
    "nothing in it, a file that cannot be read, or too long a name"
)
_LONGEST_MESSAGE = 1000

_ICPC_ACCEPT, _ICPC_REJECT = 42, 43
#: 4: there is more in the output than should be (`_dirt`), which is one more wrong format.
_TESTLIB_REJECTS = {
    1: "wrong answer", 2: "presentation error", 4: "presentation error",
    8: "unexpected end of file",
}  # fmt: skip
_TESTLIB_FAIL, _TESTLIB_POINTS, _TESTLIB_PARTIALLY = 3, 7, 16
#: testlib: `_pc` beyond this is no exit code of a partial verdict.
_TESTLIB_MOST = 16 + 200
#: Its own header, unless told otherwise, makes so many points the exit code as they are, whatever
#: else that code means (its macro PC_BASE_EXIT_CODE is 0); only the words tell.
_PARTIALLY_CORRECT = re.compile(r"partially correct \((\d{1,3})\)")


@dataclass(frozen=True, slots=True)
class Layout:
    """How a judge is called.

    Attributes:
        argv: arguments after the program's name.
        files: beside it, name → content.
        stdin: its standard input.
        fetch: files to take out afterwards, where they are there; with a `/` at the end, folders.
    """

    argv: tuple[str, ...]
    files: dict[str, bytes]
    stdin: bytes = b""
    fetch: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ended:
    """How a judge ended, within its limits.

    Attributes:
        exit_code: None: by a signal.
        signal: the signal's number.
        stdout, stderr: what it wrote, perhaps cut.
        files: fetched ones, perhaps cut.
        whole: whether these are all files of the folder that was to be fetched.
    """

    exit_code: int | None
    signal: int | None = None
    stdout: bytes = b""
    stderr: bytes = b""
    files: Mapping[str, bytes] | None = None
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Decision:
    """What a judge decided.

    Attributes:
        accepted: None: it did not; `message` says why.
        message: its words for people.
        score: points, if it gave any.
        again: whether it accepts for this once, and wants the program to be run again with what it
            left as `NEXT_PASS`.
    """

    accepted: bool | None
    message: str = ""
    score: float | None = None
    again: bool = False


def layout(
    contract: Contract,
    given: bytes,
    output: bytes,
    answer: bytes,
    flags: Sequence[str],
    left: Mapping[str, bytes] | None = None,
) -> Layout:
    """How to call a judge.

    Parameters:
        given: the case's input.
        output: what the submission wrote.
        answer: the jury's.
        flags: of `icpc`.
        left: of `icpc`, what the pass before left in the feedback folder, path → content; nothing
            before the first.  None: the judge is one of a single pass, and few files matter.
    """
    if contract == "icpc":
        # The folder comes with the files, which a validator replaces, or adds to.
        feedback = left or {_JUDGE_MESSAGE: b"", _TEAM_MESSAGE: b""}
        named = (_JUDGE_MESSAGE, _TEAM_MESSAGE, _SCORE)
        return Layout(
            argv=(_INPUT, _ANSWER, FEEDBACK + "/", *flags),
            files={_INPUT: given, _ANSWER: answer, **feedback},
            stdin=output,
            # What a validator keeps there for its next pass may have any name.
            fetch=named if left is None else (FEEDBACK + "/",),
        )
    if contract == "testlib":
        files = {_INPUT: given, _OUTPUT: output, _ANSWER: answer}
        return Layout(argv=(_INPUT, _OUTPUT, _ANSWER), files=files)
    if contract == "scalebox":
        # So it is called there: `answer.txt` is the submission's.
        files = {"stdin.txt": given, "stdout.txt": answer, "answer.txt": output}
        return Layout(argv=(), files=files)
    names = ("input.txt", "correct_output.txt", "solution_output.txt")
    return Layout(argv=names, files=dict(zip(names, (given, answer, output), strict=True)))


def interactive_layout(
    contract: Contract,
    given: bytes,
    answer: bytes,
    flags: Sequence[str],
    left: Mapping[str, bytes] | None = None,
) -> Layout:
    """How to call a judge that talks with the program.

    Parameters:
        given: the case's input.
        answer: the jury's.
        flags, left: as in `layout`.

    Raises:
        ValueError: this contract has no interaction.
    """
    if contract == "icpc":
        return layout(contract, given, b"", answer, flags, left)
    if contract == "testlib":
        files = {_INPUT: given, _OUTPUT: b"", _ANSWER: answer}
        return Layout(argv=(_INPUT, _OUTPUT, _ANSWER), files=files)
    raise ValueError(f"judges of contract {contract} do not talk with programs")


def names_taken(contract: Contract) -> tuple[str, ...]:
    """Names in a judge's folder that its own files cannot have."""
    return tuple(layout(contract, b"", b"", b"", ()).files)


def decide(contract: Contract, ended: Ended) -> Decision:
    """What the end of a judge means."""
    return _RULES[contract](ended)


def _icpc(ended: Ended) -> Decision:
    files = ended.files or {}
    message = _words(files.get(_JUDGE_MESSAGE, b"")) or _words(files.get(_TEAM_MESSAGE, b""))
    score = _number(files.get(_SCORE, b""))
    # Section "Multi-pass validation" of the specification, to the end.  Of a judge of a single
    # pass that file is not fetched, and means nothing.
    asks = NEXT_PASS in files
    if ended.exit_code == _ICPC_ACCEPT:
        if not ended.whole:
            return Decision(None, _NOT_WHOLE)
        return Decision(True, message, score, again=asks)
    if ended.exit_code == _ICPC_REJECT:
        if asks:
            return Decision(None, f"the judge rejects, and yet leaves {_NEXT}: {message}")
        return Decision(False, message, score)
    return _failed(ended, f"{_ICPC_ACCEPT} or {_ICPC_REJECT}", message)


def _testlib(ended: Ended) -> Decision:
    message = _words(ended.stderr) or _words(ended.stdout)
    code = ended.exit_code
    said = _PARTIALLY_CORRECT.match(message)
    if said and code in (int(said[1]), _TESTLIB_PARTIALLY + int(said[1])):
        return Decision(False, message, float(said[1]))
    if code == 0:
        return Decision(True, message)
    if code in _TESTLIB_REJECTS:
        return Decision(False, message or _TESTLIB_REJECTS[code])
    if code == _TESTLIB_POINTS:
        return Decision(False, message, _points(message))
    if code is not None and _TESTLIB_PARTIALLY <= code <= _TESTLIB_MOST:
        return Decision(False, message, float(code - _TESTLIB_PARTIALLY))
    if code == _TESTLIB_FAIL:
        return Decision(None, f"the judge says that it, or the jury's answer, is wrong: {message}")
    return _failed(ended, "an exit code of testlib's", message)


def _scalebox(ended: Ended) -> Decision:
    message = _words(ended.stdout) or _words(ended.stderr)
    if ended.exit_code in (0, 1):
        return Decision(ended.exit_code == 0, message)
    return _failed(ended, "0 or 1", _words(ended.stderr))


def _open_r1(ended: Ended) -> Decision:
    said = ended.stdout.strip()
    # Some print a fraction; what is not all of it is not accepted.
    score = _number(said)
    if ended.exit_code != 0 or score is None or not 0 <= score <= 1:
        return _failed(ended, "exit code 0 and a number from 0 to 1", _words(ended.stderr))
    return Decision(score == 1, _words(ended.stderr), None if score in (0, 1) else score)


_RULES: dict[Contract, Callable[[Ended], Decision]] = {
    "icpc": _icpc,
    "testlib": _testlib,
    "scalebox": _scalebox,
    "open-r1": _open_r1,
}


def _failed(ended: Ended, wanted: str, message: str) -> Decision:
    if ended.exit_code is None:
        how = f"was ended by signal {ended.signal}"
    else:
        how = f"ended with exit code {ended.exit_code}"
        if said := _words(ended.stdout):
            how += f", and wrote {said[:100]!r}"
    return Decision(None, f"the judge {how}; it must be {wanted}" + (message and f": {message}"))


def _words(text: bytes) -> str:
    """A text for people: one line, not long."""
    decoded = text[: 4 * _LONGEST_MESSAGE].decode("utf-8", "replace")
    return " ".join(decoded.replace("\0", " ").split())[:_LONGEST_MESSAGE]


def _number(text: bytes) -> float | None:
    words = text[:100].split()
    try:
        value = float(words[0]) if len(words) == 1 else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _points(message: str) -> float | None:
    """Of testlib's `points 0.5 …`."""
    for word in message.split()[:2]:
        try:
            value = float(word)
        except ValueError:
            continue
        return value if math.isfinite(value) else None
    return None
