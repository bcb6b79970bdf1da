"""Inside the sandbox: a judge of lines of words, whole numbers and numbers with a fraction.

As NVIDIA-NeMo/Gym:resources_servers/code_gen/lcb_integration/testing_util.py compares: whole
numbers by their value, and a number with a fraction, on either side, within a millionth of the
answer's.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

_TOLERANCE = Decimal("1e-6")
#: Beyond this many places a subtraction of decimals would cost what a program chose.
_MOST_PLACES = 400


def judge(input: str, output: str, answer: str) -> bool | tuple[bool, str]:
    """Whether an output is right."""
    printed, wanted = output.strip().split("\n"), answer.strip().split("\n")
    if len(printed) != len(wanted):
        return False, f"{len(printed)} lines, where {len(wanted)} are wanted"
    for at, (line, other) in enumerate(zip(printed, wanted), 1):
        if line.strip() == other.strip():
            continue
        words, others = line.split(), other.split()
        if len(words) != len(others) or not all(map(_same, words, others)):
            return False, f"line {at} differs"
    return True


def _same(word: str, other: str) -> bool:
    if word == other:
        return True
    found, right = _number(word), _number(other)
    if found is None or right is None:
        return False
    if _is_whole(word) and _is_whole(other):
        return found == right
    return abs(found - right) <= _TOLERANCE * max(abs(right), Decimal(1))


def _number(word: str) -> Decimal | None:
    try:
        value = Decimal(word)
    except InvalidOperation:
        return None
    return value if value.is_finite() and abs(value.adjusted()) < _MOST_PLACES else None


def _is_whole(word: str) -> bool:
    return "." not in word and "e" not in word.lower()
