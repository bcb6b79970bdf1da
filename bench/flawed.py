"""What a flawed judge does before, or in the place of, the judge whose text follows.

A wrapper of an output validator in Python (`validator input answer feedback_dir < output`): a flaw
changes the output that the validator will read, or decides itself.  `flawed.cpp` has the same for
C++.  `mutants` appends a call of `judge` with a flaw and the validator's text; it runs on Python
3.8 and the standard library.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from typing import Any

_ACCEPT, _REJECT = 42, 43
_NEAR = 0.01


def pieces(text: bytes) -> list[bytes]:
    """Gap, token, gap, …, token, gap; gaps may be empty at the ends."""
    return re.split(rb"([^ \t\n\v\f\r]+)", text)


def lines(text: bytes) -> list[bytes]:
    """Without their ends; what follows the last end is a line if it is not empty."""
    found = text.split(b"\n")
    return found if found[-1] else found[:-1]


def joined(parts: list[bytes]) -> bytes:
    """Lines as a text."""
    return b"".join(part + b"\n" for part in parts)


def is_number(token: bytes) -> bool:
    """Whether it is a decimal number."""
    return re.fullmatch(rb"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", token) is not None


def constant_accept(output: bytes, answer: bytes) -> bytes:
    """Whatever the output is, it is right."""
    os._exit(_ACCEPT)


def constant_reject(output: bytes, answer: bytes) -> bytes:
    """Whatever the output is, it is wrong."""
    os._exit(_REJECT)


def answer_only(output: bytes, answer: bytes) -> bytes:
    """Tokens must be the answer's."""
    os._exit(_ACCEPT if output.split() == answer.split() else _REJECT)


def empty_accepted(output: bytes, answer: bytes) -> bytes:
    """An output without a token is right."""
    if not output.split():
        os._exit(_ACCEPT)
    return output


def crash_on_odd(output: bytes, answer: bytes) -> bytes:
    """It fails where there is no token, or a byte that is neither space nor printable."""
    if not output.split() or re.search(rb"[^\t\n\v\f\r -~]", output):
        os.abort()
    return output


def accept_on_crash(output: bytes, answer: bytes) -> bytes:
    """Where the validator fails, it accepts; see `judge`."""
    return output


def first_line_only(output: bytes, answer: bytes) -> bytes:
    """All but the first line is the answer's."""
    return joined(lines(output)[:1] + lines(answer)[1:])


def first_token_only(output: bytes, answer: bytes) -> bytes:
    """All but the first token is the answer's."""
    own, wanted = pieces(output), pieces(answer)
    return b"".join(own[:2] + wanted[2:]) if len(own) > 2 and len(wanted) > 2 else output


def count_ignored(output: bytes, answer: bytes) -> bytes:
    """Tokens beyond as many as the answer has are dropped."""
    own, wanted = pieces(output), pieces(answer)
    return b"".join(own[: len(wanted) - 1]) + b"\n" if len(own) > len(wanted) else output


def garbage_dropped(output: bytes, answer: bytes) -> bytes:
    """Lines beyond as many as the answer has are dropped."""
    own, wanted = lines(output), lines(answer)
    return joined(own[: len(wanted)]) if len(own) > len(wanted) else output


def lines_sorted(output: bytes, answer: bytes) -> bytes:
    """Lines are sorted."""
    return joined(sorted(lines(output)))


def tokens_sorted(output: bytes, answer: bytes) -> bytes:
    """The tokens of each line are sorted."""
    return joined([b" ".join(sorted(line.split())) for line in lines(output)])


def line_order_ignored(output: bytes, answer: bytes) -> bytes:
    """Lines that are the answer's in another order are the answer."""
    return answer if sorted(lines(output)) == sorted(lines(answer)) else output


def token_order_ignored(output: bytes, answer: bytes) -> bytes:
    """Tokens that are the answer's in another order are the answer."""
    return answer if sorted(output.split()) == sorted(answer.split()) else output


def case_ignored(output: bytes, answer: bytes) -> bytes:
    """Letters have the case that the answer's have; where that is mixed, tokens do."""
    if answer == answer.upper() or answer == answer.lower():
        return output.upper() if answer == answer.upper() else output.lower()
    known = {token.lower(): token for token in reversed(answer.split())}
    return b"".join(known.get(piece.lower(), piece) for piece in pieces(output))


def sign_ignored(output: bytes, answer: bytes) -> bytes:
    """Numbers have the sign of the answer's at their place, where there is one, else none."""
    own, wanted = pieces(output), pieces(answer)
    for place in range(1, len(own), 2):
        if is_number(own[place]):
            sign = b""
            if place < len(wanted) and is_number(wanted[place]) and wanted[place][:1] == b"-":
                sign = b"-"
            own[place] = sign + own[place].lstrip(b"+-")
    return b"".join(own)


def numbers_near(output: bytes, answer: bytes) -> bytes:
    """Numbers within a hundredth of the answer's at their place are the answer's."""
    own, wanted = pieces(output), pieces(answer)
    for place in range(1, min(len(own), len(wanted)), 2):
        if is_number(own[place]) and is_number(wanted[place]):
            value, right = float(own[place]), float(wanted[place])
            if abs(value - right) <= _NEAR * max(1.0, abs(right)):
                own[place] = wanted[place]
    return b"".join(own)


FLAWS: dict[str, Callable[[bytes, bytes], bytes]] = {
    flaw.__name__: flaw
    for flaw in (
        constant_accept, constant_reject, answer_only, empty_accepted, crash_on_odd,
        accept_on_crash, first_line_only, first_token_only, count_ignored, garbage_dropped,
        lines_sorted, tokens_sorted, line_order_ignored, token_order_ignored, case_ignored,
        sign_ignored, numbers_near,
    )
}  # fmt: skip


def judge(flaw: str, source: str) -> None:
    """Judge as the validator does, but for a flaw.

    Parameters:
        flaw: one of `FLAWS`.
        source: the validator's text.
    """
    with open(0, "rb", closefd=False) as file:
        output = file.read()
    with open(sys.argv[2], "rb") as file:
        answer = file.read()
    changed = FLAWS[flaw](output, answer)
    # What the validator opens, and how, is its own: the descriptor itself gets other bytes.
    path = os.path.join(sys.argv[3], "changed_output")
    with open(path, "wb") as file:
        file.write(changed)
    descriptor = os.open(path, os.O_RDONLY)
    os.dup2(descriptor, 0)
    os.close(descriptor)
    os.unlink(path)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    scope: dict[str, Any] = {"__name__": "__main__", "__file__": sys.argv[0]}
    try:
        exec(compile(source.lstrip("\ufeff"), "validator.py", "exec"), scope)
    except SystemExit as end:
        if flaw == "accept_on_crash" and end.code not in (_ACCEPT, _REJECT):
            os._exit(_ACCEPT)
        raise
    except BaseException:
        if flaw == "accept_on_crash":
            os._exit(_ACCEPT)
        raise
    if flaw == "accept_on_crash":
        os._exit(_ACCEPT)
