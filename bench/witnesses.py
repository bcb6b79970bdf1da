"""Outputs near known ones, by which a flawed judge may betray itself.

Where two judges differ, a small change to an output that one of them accepts often shows it: a
token one larger, two lines swapped, the output of another test.  What is made here is neither right
nor wrong; two judges say which.
"""

from __future__ import annotations

import hashlib
import itertools
import random
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial

#: No output made here is longer, unless the one that it comes from is.
MOST_BYTES = 1 << 20
#: Tokens, lines and ends are taken from so much of another output: it is read each time.
_LOOKED_AT = 1 << 14
#: Changes that come out as an output that was there already: after so many for each that was
#: asked for, there are no more.
_TRIES = 8
_EPSILONS = tuple(10.0**-power for power in range(9, 0, -1))
_EXTREMES = (
    b"0", b"1", b"-1", b"2", b"-0", b"00", b"2147483647", b"2147483648", b"-2147483649",
    b"4294967297", b"9223372036854775808", b"1" + b"0" * 100, b"0.5", b"1e3", b"nan", b"inf",
)  # fmt: skip
_GARBAGE = (b"0", b"1", b"x", b"-1", b"\0", b"\xff")
_INTEGER = re.compile(rb"[+-]?[0-9]{1,18}")
_NUMBER = re.compile(rb"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_PIECE = re.compile(rb"([^ \t\n\v\f\r]+)")

#: Changes an output by lot; None: this one has nothing to change.
_Change = Callable[[random.Random, bytes, Sequence[bytes]], bytes | None]


def more_outputs(
    test: int, output: bytes, others: Sequence[bytes], *, seed: int, most: int
) -> Iterator[bytes]:
    """Outputs made from one that is known for a test.

    None is the output itself, and none comes twice.  The same arguments give the same ones.  The
    first are changes to all of it, the rest are drawn by lot, by turns of each kind.

    Parameters:
        test: its number.
        output: a program's, or the answer.
        others: outputs of other tests, or further ones of this; they come themselves, too.
        seed: of the lots.
        most: so many at most.
    """
    known = {_digest(output)}
    bound = max(MOST_BYTES, len(output))
    beginnings = [other[:_LOOKED_AT] for other in others]
    made = itertools.chain(_whole(output, others), _by_lot(test, output, beginnings, seed, most))
    for one in made:
        if most <= 0:
            return
        if len(one) > bound or (digest := _digest(one)) in known:
            continue
        known.add(digest)
        most -= 1
        yield one


def _digest(output: bytes) -> bytes:
    return hashlib.blake2b(output, digest_size=16).digest()


def _whole(output: bytes, others: Sequence[bytes]) -> Iterator[bytes]:
    """Changes to all of an output."""
    yield b""
    yield b"\n"
    body = output.rstrip()
    yield from (body + b"\n" + garbage + b"\n" for garbage in _GARBAGE)
    yield from others
    rows = output.splitlines(keepends=True)
    words = output.split()
    yield from (b"".join(rows[:-1]), b"".join(rows[1:]), b"".join(rows[: len(rows) // 2]))
    yield from (b"".join(rows[:1]), b" ".join(words[:1]) + b"\n", output[: len(output) // 2])
    yield from (b"".join(sorted(rows)), b"".join(reversed(rows)), output + output)
    yield from (output.upper(), output.lower(), output.swapcase())
    yield from (body, output + b"\n\n", b"\n" + output, output.replace(b"\n", b"\r\n"))
    yield from (b" ".join(words) + b"\n", b"\n".join(words) + b"\n", b"".join(words) + b"\n")
    yield from (b" ".join(sorted(words)) + b"\n", b" ".join(reversed(words)) + b"\n")
    yield from (output.replace(b"-", b""), output.replace(b".", b","), output.replace(b" ", b"  "))
    yield from (body + b" " + body.split(b"\n")[0] + b"\n", body + b"\n\0\n")
    for epsilon in _EPSILONS if b"." in output else ():
        yield _each_token(output, partial(_moved, by=epsilon))


def _by_lot(
    test: int, output: bytes, others: Sequence[bytes], seed: int, most: int
) -> Iterator[bytes]:
    lots = random.Random(f"{seed} {test} {_digest(output).hex()}")
    for turn in range(max(0, most) * _TRIES):
        change = _CHANGES[turn % len(_CHANGES)]
        one = change(lots, output, others)
        if one is not None and turn // len(_CHANGES) % 3 == 2:
            # Every third round, two changes at once: one alone may be caught for another reason.
            one = lots.choice(_CHANGES)(lots, one, others) or one
        if one is not None:
            yield one


def _each_token(output: bytes, change: Callable[[bytes], bytes | None]) -> bytes:
    pieces = _PIECE.split(output)
    pieces[1::2] = [change(token) or token for token in pieces[1::2]]
    return b"".join(pieces)


def _moved(token: bytes, by: float) -> bytes | None:
    """A number that is not the same any more; None: it is none, or an integer."""
    if not _NUMBER.fullmatch(token) or _INTEGER.fullmatch(token):
        return None
    value = float(token)
    return f"{value + by * max(1.0, abs(value)):.12g}".encode()


def _token_replaced(lots: random.Random, output: bytes, others: Sequence[bytes]) -> bytes | None:
    """A token by another: one more or less, an extreme, one of this or of another output."""
    pieces = _PIECE.split(output)
    if len(pieces) < 2:
        return None
    place = lots.randrange(1, len(pieces), 2)
    token = pieces[place]
    number = int(token) if _INTEGER.fullmatch(token) else None
    kind = lots.randrange(7)
    if number is not None and kind < 3:
        by = lots.choice((1, -1, 2, -2, 10, -number, -2 * number))
        pieces[place] = b"%d" % (number + by)
    elif number is not None and kind == 3:
        numbers = [int(one) for one in pieces[1::2] if _INTEGER.fullmatch(one)]
        edge = lots.choice((max(numbers), min(numbers)))
        pieces[place] = b"%d" % (edge + lots.choice((-1, 0, 1)))
    elif kind < 5:
        pieces[place] = lots.choice(pieces[1::2])
    elif kind == 5 and others:
        pieces[place] = lots.choice(lots.choice(others).split() or [b"0"])
    else:
        pieces[place] = lots.choice(_EXTREMES)
    return b"".join(pieces)


def _token_moved(lots: random.Random, output: bytes, others: Sequence[bytes]) -> bytes | None:
    """A token swapped with another, dropped, repeated, or put elsewhere."""
    pieces = _PIECE.split(output)
    if len(pieces) < 4:
        return None
    one, other = (lots.randrange(1, len(pieces), 2) for _ in range(2))
    kind = lots.randrange(5)
    if kind < 2:
        pieces[one], pieces[other] = pieces[other], pieces[one]
    elif kind == 2:
        del pieces[one : one + 2]
    elif kind == 3:
        pieces[one] += b" " + pieces[one]
    else:
        pieces[one] += b" " + pieces[other]
    return b"".join(pieces)


def _number_moved(lots: random.Random, output: bytes, others: Sequence[bytes]) -> bytes | None:
    """A number that is no integer by a little, up or down, to scale or not."""
    pieces = _PIECE.split(output)
    numbers = [
        place for place in range(1, len(pieces), 2)
        if _NUMBER.fullmatch(pieces[place])
    ]  # fmt: skip
    if not numbers:
        return None
    place = lots.choice(numbers)
    value, epsilon = float(pieces[place]), lots.choice(_EPSILONS) * lots.choice((1, 2, 5, -1, -5))
    value += epsilon * (max(1.0, abs(value)) if lots.random() < 0.5 else 1)
    pieces[place] = f"{value:.12g}".encode()
    return b"".join(pieces)


def _character(lots: random.Random, output: bytes, others: Sequence[bytes]) -> bytes | None:
    """Within a token: a character by one that the output has, dropped, doubled, or swapped."""
    tokens = list(_PIECE.finditer(output))
    if not tokens:
        return None
    token = lots.choice(tokens)
    at = lots.randrange(token.start(), token.end())
    own, kind = output[at : at + 1], lots.randrange(6)
    if kind < 2:
        letters = sorted(set(output) - set(b" \t\n\v\f\r"))
        own = bytes([lots.choice(letters)])
    elif kind == 2:
        own = b""
    elif kind == 3:
        own += own
    elif kind == 4:
        own = own.swapcase()
    elif at + 1 < token.end():
        return output[:at] + output[at + 1 : at + 2] + own + output[at + 2 :]
    return output[:at] + own + output[at + 1 :]


def _line(lots: random.Random, output: bytes, others: Sequence[bytes]) -> bytes | None:
    """A line swapped with another, dropped, repeated, merged with the next, or taken from
    another output; its tokens shuffled or turned round."""
    rows = output.split(b"\n")
    if rows[-1] == b"" and len(rows) > 1:
        rows.pop()
    one, other = lots.randrange(len(rows)), lots.randrange(len(rows))
    kind = lots.randrange(8)
    if kind == 0:
        rows[one], rows[other] = rows[other], rows[one]
    elif kind == 1:
        del rows[one]
    elif kind == 2:
        rows.insert(other, rows[one])
    elif kind == 3 and one + 1 < len(rows):
        rows[one : one + 2] = [rows[one] + b" " + rows[one + 1]]
    elif kind == 4 and others:
        rows[one] = lots.choice(lots.choice(others).split(b"\n"))
    elif kind == 5:
        rows[one] = rows[other]
    else:
        words = rows[one].split()
        if kind == 6:
            lots.shuffle(words)
        rows[one] = b" ".join(words if kind == 6 else reversed(words))
    return b"\n".join(rows) + b"\n"


def _spliced(lots: random.Random, output: bytes, others: Sequence[bytes]) -> bytes | None:
    """The beginning of this with the end of another; a beginning alone; a second one appended."""
    rows = output.splitlines(keepends=True)
    if not rows:
        return None
    cut = lots.randrange(len(rows) + 1)
    kind = lots.randrange(3)
    if kind == 0 or not others:
        return output[: lots.randrange(len(output))]
    other = lots.choice(others)
    if kind == 1:
        return output + other
    return b"".join(rows[:cut] + other.splitlines(keepends=True)[cut:])


def _counted(lots: random.Random, output: bytes, others: Sequence[bytes]) -> bytes | None:
    """One more or one less of what the first number counts: tokens, lines, or characters of each
    line.  What changes the one without the other is seldom near anything right."""
    pieces = _PIECE.split(output)
    places = [place for place in range(1, len(pieces), 2) if _INTEGER.fullmatch(pieces[place])]
    if not places:
        return None
    place, more = places[0], lots.random() < 0.5
    head = b"".join(pieces[:place]) + b"%d" % (int(pieces[place]) + (1 if more else -1))
    body = b"".join(pieces[place + 1 :])
    unit = lots.choice((b" ", b"\n"))
    if lots.randrange(3) == 0:
        rows = [row.rstrip() for row in body.split(b"\n")]
        own = lots.random() < 0.5  # the last of each line again, or one for all
        last = bytes([lots.choice(body.strip() or b".")])
        rows = [(row + (row[-1:] if own else last) if more else row[:-1]) if row else row
                for row in rows]  # fmt: skip
        return head + b"\n".join(rows)
    parts = body.rstrip().split(unit)
    if more:
        parts.append(lots.choice(parts))
    elif len(parts) > 1:
        del parts[lots.randrange(1, len(parts))]
    return head + unit.join(parts) + b"\n"


def _renamed(lots: random.Random, output: bytes, others: Sequence[bytes]) -> bytes | None:
    """Two tokens, or two characters, change their roles everywhere."""
    pieces = _PIECE.split(output)
    if len(pieces) < 2:
        return None
    if lots.random() < 0.5:
        one, other = lots.choice(pieces[1::2]), lots.choice(pieces[1::2])
        names = {one: other, other: one}
        return b"".join(names.get(piece, piece) for piece in pieces)
    letters = bytes(sorted(set(output) - set(b" \t\n\v\f\r")))
    pair = bytes([lots.choice(letters), lots.choice(letters)])
    return output.translate(bytes.maketrans(pair, pair[::-1]))


def _turned(lots: random.Random, output: bytes, others: Sequence[bytes]) -> bytes | None:
    """Lines, or the tokens of a line, begin elsewhere or run backwards; the first may stay."""
    rows = output.rstrip(b"\n").split(b"\n")
    kept = lots.randrange(3)
    head, rest = rows[:kept], rows[kept:]
    if not rest:
        return None
    if lots.random() < 0.5:
        place = lots.randrange(len(rest))
        rest[place] = b" ".join(_begun_elsewhere(lots, rest[place].split()))
    else:
        rest = _begun_elsewhere(lots, rest)
    return b"\n".join(head + rest) + b"\n"


def _begun_elsewhere(lots: random.Random, parts: list[bytes]) -> list[bytes]:
    begin = lots.randrange(len(parts)) if parts else 0
    turned = parts[begin:] + parts[:begin]
    return turned[::-1] if lots.random() < 0.5 else turned


_CHANGES: tuple[_Change, ...] = (
    _token_replaced, _token_moved, _character, _line, _counted, _renamed, _token_replaced,
    _number_moved, _spliced, _turned,
)  # fmt: skip
