"""Ways to decide about an output, to be compared: each says whether it accepts it.

`exact` and `tokens` are what most pipelines do; `original` is the rule of the original ScaleBox
(arXiv 2604.27467 and its repository), with its errors: text stripped as a whole, lines compared in
pairs so that a prefix of the answer passes, any case, and two lines that are numbers equal within a
relative 1e-5.
"""

from __future__ import annotations

from collections.abc import Callable

_ORIGINAL_TOLERANCE = 1e-5
Rule = Callable[[bytes, bytes], bool]


def exact(output: bytes, answer: bytes) -> bool:
    """The same text, white space at both ends left out."""
    return output.strip() == answer.strip()


def tokens(output: bytes, answer: bytes) -> bool:
    """The same tokens, in any case: the default of the ICPC package format."""
    return output.lower().split() == answer.lower().split()


def original(output: bytes, answer: bytes) -> bool:
    """As in the original ScaleBox."""
    pairs = zip(output.strip().split(b"\n"), answer.strip().split(b"\n"), strict=False)
    return all(_same_line(one.strip().lower(), other.strip().lower()) for one, other in pairs)


def _same_line(output: bytes, answer: bytes) -> bool:
    if output == answer:
        return True
    try:
        one, other = float(output), float(answer)
    except ValueError:
        return False
    return abs(one - other) <= _ORIGINAL_TOLERANCE * max(abs(one), abs(other))


RULES: dict[str, Rule] = {"exact": exact, "tokens": tokens, "original": original}
