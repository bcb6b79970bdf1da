"""Outputs that are most likely wrong, made from right ones; and such that no program should write.

A judge is asked about them when it is to be proven.  Nobody knows that a damaged output is wrong
(another order may be right, too), so what a judge that is trusted accepts is not counted against
another one; see `prove`.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from scalebox.specialjudges.deciding import Question
from scalebox.specialjudges.evidence import Evidence
from scalebox.specialjudges.material import TestData

#: Of each kind of damage, on so many tests.
TESTS = 16
#: What is done by chance is done so often to each.
_TIMES = 2
#: Longer outputs are damaged, too, but on few tests.
_LONG_BYTES = 200_000
_LONG_TESTS = 2
#: A flood, as a program in an endless loop writes it.
_FLOOD_BYTES = 2 << 20
_NUMBER = re.compile(rb"[+-]?\d+(\.\d+)?")
_TOKEN = re.compile(rb"\S+")

Spans = list[tuple[int, int]]


class Damaged(Struct, frozen=True):
    """An output, and what was done to it.

    Attributes:
        kind: of damage.
        test: the number of its test.
    """

    kind: str
    test: int
    output: bytes

    @property
    def question(self) -> Question:
        """For a judge."""
        return Question(self.test, self.output)


def damaged(tests: Sequence[TestData], evidence: Evidence, *, seed: int = 0) -> list[Damaged]:
    """Right outputs, each damaged in one place; the same for the same seed.

    None of them has the tokens of an output that is known to be right, but for those of the kinds
    in `RESPELLED`.
    """
    chance = random.Random(seed)
    found: list[Damaged] = []
    bases = {test: _bases(tests[test], evidence.of_right(test)) for test in range(len(tests))}
    for kind, damage in _DAMAGES.items():
        found += _unless_right(kind, _damage(tests, bases, damage, chance), bases)
    for kind, damage in _RESPELLED.items():
        found += [
            Damaged(kind, test, output)
            for test, output in _damage(tests, bases, damage, chance)
            if output not in bases[test]
        ]
    found += _unless_right("other test", _others(tests, bases, chance), bases)
    return list(dict.fromkeys(found))


def garbage(tests: Sequence[TestData], evidence: Evidence) -> list[Damaged]:
    """What no right program writes: a judge has to reject it, quickly and in peace."""
    found = []
    bases = {test: _bases(tests[test], evidence.of_right(test)) for test in range(len(tests))}
    for place, test in enumerate(_spread(tests, bases, 3)):
        for kind, output in _GARBAGE.items():
            # A flood each time would be most of the work.
            if place == 0 or len(output) < _LONG_BYTES:
                found.append((test, kind, output))
        right = bases[test][0]
        found.append((test, "binary after a right output", right + b"\n\0\xff\xfe\x80"))
        found.append((test, "right output in UTF-16", right.decode("latin-1").encode("utf-16")))
    return [
        Damaged(kind, test, output)
        for test, kind, output in found
        if not any(output.split() == base.split() for base in bases[test])
    ]


def _bases(test: TestData, outputs: Sequence[bytes]) -> list[bytes]:
    """Outputs that are right, what programs wrote first: not every answer is an output."""
    return list(dict.fromkeys([*outputs, test.answer]))


def _spread(tests: Sequence[TestData], bases: dict[int, list[bytes]], most: int) -> list[int]:
    """Tests to do damage on: small ones and others, of every size."""
    short = [test for test in bases if len(bases[test][0]) <= _LONG_BYTES]
    long = [test for test in bases if len(bases[test][0]) > _LONG_BYTES]
    ordered = sorted(short, key=lambda test: (len(bases[test][0]), test))
    step = max(1.0, len(ordered) / most)
    chosen = list(
        dict.fromkeys(
            ordered[int(place * step)] for place in range(most) if int(place * step) < len(ordered)
        )
    )
    return (chosen + long[:_LONG_TESTS])[:most] or list(bases)[:most]


def _damage(
    tests: Sequence[TestData],
    bases: dict[int, list[bytes]],
    damage: Callable[[bytes, Spans, random.Random], bytes | None],
    chance: random.Random,
) -> Iterator[tuple[int, bytes]]:
    for test in _spread(tests, bases, TESTS):
        for base in bases[test][:2]:
            spans = [match.span() for match in _TOKEN.finditer(base)]
            if not spans:
                continue
            for _ in range(_TIMES if base is bases[test][0] else 1):
                if (output := damage(base, spans, chance)) is not None:
                    yield test, output


def _others(
    tests: Sequence[TestData], bases: dict[int, list[bytes]], chance: random.Random
) -> Iterator[tuple[int, bytes]]:
    for test in _spread(tests, bases, TESTS):
        others = [other for other in bases if other != test and len(bases[other][0]) < _LONG_BYTES]
        for other in chance.sample(others, min(2, len(others))):
            yield test, bases[other][0]


def _unless_right(
    kind: str, outputs: Iterator[tuple[int, bytes]], bases: dict[int, list[bytes]]
) -> Iterator[Damaged]:
    for test, output in outputs:
        tokens = output.lower().split()
        if not any(tokens == base.lower().split() for base in bases[test]):
            yield Damaged(kind, test, output)


# --- kinds of damage: an output, where its tokens are, chance → what became of it -----------------


def _with(output: bytes, span: tuple[int, int], token: bytes) -> bytes:
    return output[: span[0]] + token + output[span[1] :]


def _one_number(
    change: Callable[[bytes, random.Random], bytes], place: Callable[[Spans, random.Random], int]
) -> Callable[[bytes, Spans, random.Random], bytes | None]:
    """Damage that changes one number."""

    def damage(output: bytes, spans: Spans, chance: random.Random) -> bytes | None:
        numbers = [span for span in spans if _NUMBER.fullmatch(output[span[0] : span[1]])]
        if not numbers:
            return None
        span = numbers[place(numbers, chance)]
        return _with(output, span, change(output[span[0] : span[1]], chance))

    return damage


def _first(spans: Spans, chance: random.Random) -> int:
    return 0


def _last(spans: Spans, chance: random.Random) -> int:
    return -1


def _any(spans: Spans, chance: random.Random) -> int:
    return chance.randrange(len(spans))


def _plus(step: int) -> Callable[[bytes, random.Random], bytes]:
    def change(token: bytes, chance: random.Random) -> bytes:
        whole, dot, rest = token.partition(b".")
        # Digits by the million are no number for `int`.
        if len(whole) > 4000:
            return whole[:-1] + (b"0" if whole[-1:] != b"0" else b"1") + dot + rest
        return b"%d" % (int(whole) + step) + dot + rest

    return change


def _is(text: bytes) -> Callable[[bytes, random.Random], bytes]:
    return lambda token, chance: text


def _negated(token: bytes, chance: random.Random) -> bytes:
    return token[1:] if token[:1] == b"-" else b"-" + token


def _a_bit_more(token: bytes, chance: random.Random) -> bytes:
    return repr(float(token[:300]) * 1.01 + 0.01).encode()


def _empty(output: bytes, spans: Spans, chance: random.Random) -> bytes:
    return b""


def _without_last_token(output: bytes, spans: Spans, chance: random.Random) -> bytes:
    return output[: spans[-1][0]] + b"\n"


def _without_a_token(output: bytes, spans: Spans, chance: random.Random) -> bytes:
    return _with(output, spans[chance.randrange(len(spans))], b"")


def _half(output: bytes, spans: Spans, chance: random.Random) -> bytes | None:
    return output[: spans[len(spans) // 2][0]] + b"\n" if len(spans) > 1 else None


def _first_line_only(output: bytes, spans: Spans, chance: random.Random) -> bytes | None:
    lines = output.split(b"\n")
    return lines[0] + b"\n" if len(lines) > 1 else None


def _another_token(output: bytes, spans: Spans, chance: random.Random) -> bytes:
    return output.rstrip() + b" " + output[spans[-1][0] : spans[-1][1]] + b"\n"


def _another_line(output: bytes, spans: Spans, chance: random.Random) -> bytes:
    return output.rstrip() + b"\n0\n"


def _a_token_twice(output: bytes, spans: Spans, chance: random.Random) -> bytes | None:
    """In the place of its neighbour: as many tokens, but one is missing."""
    if len(spans) < 2:
        return None
    place = chance.randrange(len(spans) - 1)
    return _with(output, spans[place + 1], output[slice(*spans[place])])


def _two_swapped(output: bytes, spans: Spans, chance: random.Random) -> bytes | None:
    if len(spans) < 2:
        return None
    place = chance.randrange(len(spans) - 1)
    first, second = spans[place], spans[place + 1]
    swapped = _with(output, second, output[slice(*first)])
    return _with(swapped, first, output[slice(*second)])


def _shuffled(output: bytes, spans: Spans, chance: random.Random) -> bytes:
    tokens = [output[slice(*span)] for span in spans]
    chance.shuffle(tokens)
    pieces, end = [], 0
    for span, token in zip(spans, tokens, strict=True):
        pieces += [output[end : span[0]], token]
        end = span[1]
    return b"".join([*pieces, output[end:]])


def _lines_shuffled(output: bytes, spans: Spans, chance: random.Random) -> bytes | None:
    lines = output.splitlines()
    chance.shuffle(lines)
    return b"\n".join(lines) + b"\n" if len(lines) > 1 else None


def _reversed(output: bytes, spans: Spans, chance: random.Random) -> bytes | None:
    lines = output.splitlines()
    return b"\n".join(lines[::-1]) + b"\n" if len(lines) > 1 else None


def _tokens_reversed(output: bytes, spans: Spans, chance: random.Random) -> bytes | None:
    lines = output.splitlines()
    return b"\n".join(b" ".join(line.split()[::-1]) for line in lines) + b"\n"


def _begun_elsewhere(output: bytes, spans: Spans, chance: random.Random) -> bytes | None:
    """As a circle: the lines, or the tokens of the only one."""
    parts = output.splitlines()
    between = b"\n"
    if len(parts) < 2:
        parts, between = output.split(), b" "
    if len(parts) < 2:
        return None
    place = chance.randrange(1, len(parts))
    return between.join(parts[place:] + parts[:place]) + b"\n"


def _two_lines_swapped(output: bytes, spans: Spans, chance: random.Random) -> bytes | None:
    lines = output.splitlines()
    if len(lines) < 2:
        return None
    one, other = chance.sample(range(len(lines)), 2)
    lines[one], lines[other] = lines[other], lines[one]
    return b"\n".join(lines) + b"\n"


def _other_case(output: bytes, spans: Spans, chance: random.Random) -> bytes:
    return output.swapcase()


def _a_line_for_each(output: bytes, spans: Spans, chance: random.Random) -> bytes:
    return b"\n".join(output.split()) + b"\n"


def _one_line_for_all(output: bytes, spans: Spans, chance: random.Random) -> bytes:
    return b" ".join(output.split()) + b"\n"


def _more_space(output: bytes, spans: Spans, chance: random.Random) -> bytes:
    return b"\n  " + output.replace(b" ", b"  ").rstrip() + b" \n\n"


def _a_line_twice(output: bytes, spans: Spans, chance: random.Random) -> bytes | None:
    lines = output.splitlines()
    if len(lines) < 2:
        return None
    place = chance.randrange(len(lines))
    return b"\n".join([*lines[: place + 1], *lines[place:]]) + b"\n"


def _without_a_line(output: bytes, spans: Spans, chance: random.Random) -> bytes | None:
    lines = output.splitlines()
    if len(lines) < 2:
        return None
    del lines[chance.randrange(len(lines))]
    return b"\n".join(lines) + b"\n"


def _a_character_changed(output: bytes, spans: Spans, chance: random.Random) -> bytes:
    start, end = spans[chance.randrange(len(spans))]
    place = chance.randrange(start, end)
    now = output[place : place + 1]
    choices = [char for char in (output[start : start + 1], b"x", b"7", b"#") if char != now]
    return output[:place] + chance.choice(choices) + output[place + 1 :]


_DAMAGES: dict[str, Callable[[bytes, Spans, random.Random], bytes | None]] = {
    "empty": _empty,
    "without the last token": _without_last_token,
    "without a token": _without_a_token,
    "first half": _half,
    "first line only": _first_line_only,
    "without a line": _without_a_line,
    "one token more": _another_token,
    "one line more": _another_line,
    "a line twice": _a_line_twice,
    "a token in its neighbour's place": _a_token_twice,
    "two tokens swapped": _two_swapped,
    "tokens shuffled": _shuffled,
    "lines shuffled": _lines_shuffled,
    "lines reversed": _reversed,
    "tokens of each line reversed": _tokens_reversed,
    "begun elsewhere": _begun_elsewhere,
    "two lines swapped": _two_lines_swapped,
    "first number one more": _one_number(_plus(1), _first),
    "first number one less": _one_number(_plus(-1), _first),
    "last number one more": _one_number(_plus(1), _last),
    "last number one less": _one_number(_plus(-1), _last),
    "a number one more": _one_number(_plus(1), _any),
    "a number one less": _one_number(_plus(-1), _any),
    "a number negated": _one_number(_negated, _any),
    "a number 0": _one_number(_is(b"0"), _any),
    "a number 1 % more": _one_number(_a_bit_more, _any),
    "a number huge": _one_number(_is(b"1000000000000000000000"), _any),
    "NaN": _one_number(_is(b"nan"), _any),
    "infinite": _one_number(_is(b"inf"), _any),
    "a character changed": _a_character_changed,
}

#: The same tokens otherwise written: right by most judges, and only a reference can say.
_RESPELLED: dict[str, Callable[[bytes, Spans, random.Random], bytes | None]] = {
    "letters in the other case": _other_case,
    "a line for each token": _a_line_for_each,
    "one line for all tokens": _one_line_for_all,
    "more white space": _more_space,
}
RESPELLED = frozenset(_RESPELLED)
#: Damage that leaves every token in place but its place.
REORDERED = frozenset(
    {
        "two tokens swapped", "tokens shuffled", "lines shuffled", "lines reversed",
        "tokens of each line reversed", "begun elsewhere", "two lines swapped",
    }
)  # fmt: skip

_GARBAGE: dict[str, bytes] = {
    "empty": b"",
    "white space": b" \n\t\r\n\x0b\x0c",
    "NUL bytes": b"\0" * 1000,
    "every byte": bytes(range(256)),
    "no UTF-8": b"\xff\xfe\x80\xc0" * 50,
    "words": b"no idea\n",
    "NaN": b"nan\n" * 3,
    "infinite": b"inf -inf\n",
    "a long number": b"9" * 5000 + b"\n",
    "negative numbers": b"-1 -1 -1\n-1\n",
    "a huge count": b"1000000000\n",
    "a formula": b"__import__('os')._exit(0)\n",
    "a long token": b"a" * 100_000,
    "brackets": b"[" * 20_000,
    "a flood of tokens": b"1 " * (_FLOOD_BYTES // 2),
    "a flood of lines": b"\n" * _FLOOD_BYTES,
}
