"""DMOJ's standard checkers as judges that decide the same.

Their rules are those of DMOJ's documentation and of judge-server (github.com/DMOJ/judge-server,
dmoj/checkers, 2026-11).  All but `identical` look at lines and words in ways that no
`model.Comparison` has: a line break and a space are not the same to `standard`, `easy` counts
letters wherever they are, `floats` takes what Python takes for a number.  So they are functions,
which work on bytes as the originals do.
"""

from __future__ import annotations

from collections.abc import Callable

from scalebox.client.folders import ProblemFileError
from scalebox.client.packages.documents import Table
from scalebox.client.packages.files import printable
from scalebox.model import Comparison, FunctionJudge, Judge

#: What every function begins with: texts as bytes, and their lines that are not empty.
_HEAD = """import re


def lines_of(text):
    return [line for line in re.split(b"[\\r\\n]", text.encode()) if line]


"""
_STANDARD = """def words_of(text):
    return [words for words in map(bytes.split, lines_of(text)) if words]


def judge(input, output, answer):
    return words_of(output) == words_of(answer)
"""
_EASY = """from collections import Counter


def letters_of(text):
    return Counter(b"".join(text.encode().split()).lower())


def judge(input, output, answer):
    return letters_of(output) == letters_of(answer)
"""
_SORTED = """def judge(input, output, answer):
    found, wanted = ([line.split() for line in lines_of(text)] for text in (output, answer))
    return sorted(found) == sorted(wanted)
"""
_UNORDERED = """def judge(input, output, answer):
    return sorted(output.encode().split()) == sorted(answer.encode().split())
"""
_LINECOUNT = """def judge(input, output, answer):
    found, wanted = lines_of(output), lines_of(answer)
    if len(found) > len(wanted):
        return False, "more lines than there should be"
    right = [one.strip() == other.strip() for one, other in zip(found, wanted)]
    if sum(right) == len(wanted):
        return True
    first = right.index(False) if False in right else len(right)
    return sum(right) / len(wanted), "%d of %d lines; the first that is not right is %d" % (
        sum(right), len(wanted), first + 1,
    )
"""
_RSTRIPPED = """def judge(input, output, answer):
    found, wanted = (re.split(b"[\\r\\n]", text.encode()) for text in (output, answer))
    if FILTER:
        found, wanted = ([line for line in lines if line] for lines in (found, wanted))
    return [line.rstrip() for line in found] == [line.rstrip() for line in wanted]
"""
#: NaN is never near anything.  A word that is a number in the answer must be one in the output.
_FLOATS = """def near(found, wanted):
    if MODE == "absolute":
        return abs(found - wanted) <= EPSILON
    if MODE == "relative":
        ends = wanted * (1 - EPSILON), wanted * (1 + EPSILON)
        return min(ends) <= found <= max(ends)
    if abs(found - wanted) <= EPSILON:
        return True
    return abs(wanted) >= EPSILON and abs(1.0 - found / wanted) <= EPSILON


def same(found, wanted):
    try:
        number = float(wanted)
    except ValueError:
        return found == wanted
    try:
        return near(float(found), number)
    except (ValueError, OverflowError):
        return False


def judge(input, output, answer):
    found, wanted = ([line.split() for line in lines_of(text)] for text in (output, answer))
    if list(map(len, found)) != list(map(len, wanted)):
        return False
    words = (zip(mine, theirs) for mine, theirs in zip(found, wanted))
    return all(same(one, other) for line in words for one, other in line)
"""


def judge_of(name: str, args: Table) -> Judge:
    """A standard checker.

    Parameters:
        name: such as `floats`.
        args: what it is given.

    Raises:
        ProblemFileError: it is none, or its arguments cannot be.
    """
    maker = _MAKERS.get(name)
    if maker is None:
        known = ", ".join(sorted(_MAKERS))
        raise ProblemFileError(
            f"{args.where}: the checker {printable(name)!r} cannot be had here; known: {known}, "
            "and `bridged` with type: testlib"
        )
    return maker(args)


def _plain(body: str) -> Callable[[Table], Judge]:
    return lambda args: FunctionJudge(source=_HEAD + body)


def _sorted(args: Table) -> Judge:
    split = args.text("split_on", "lines")
    if split not in ("lines", "whitespace"):
        raise args.wrong("split_on", "`lines` or `whitespace`")
    return FunctionJudge(source=_HEAD + (_SORTED if split == "lines" else _UNORDERED))


def _rstripped(args: Table) -> Judge:
    head = f"{_HEAD}FILTER = {args.flag('filter_new_line')}\n\n\n"
    return FunctionJudge(source=head + _RSTRIPPED)


def _floats(mode: str | None) -> Callable[[Table], Judge]:
    def make(args: Table) -> Judge:
        chosen = mode or args.text("error_mode", "default")
        if chosen not in ("default", "absolute", "relative"):
            raise args.wrong("error_mode", "`default`, `absolute` or `relative`")
        try:
            precision = int(args.text("precision", "6"))
        except ValueError:
            precision = -1
        if not 0 <= precision <= 300:
            raise args.wrong("precision", "a whole number from 0 to 300")
        head = f"{_HEAD}MODE = {chosen!r}\nEPSILON = 10 ** -{precision}\n\n\n"
        return FunctionJudge(source=head + _FLOATS)

    return make


_MAKERS: dict[str, Callable[[Table], Judge]] = {
    "standard": _plain(_STANDARD),
    "easy": _plain(_EASY),
    "floats": _floats(None),
    "floatsabs": _floats("absolute"),
    "floatsrel": _floats("relative"),
    "identical": lambda args: Comparison(mode="exact"),
    "linecount": _plain(_LINECOUNT),
    "rstripped": _rstripped,
    "sorted": _sorted,
    "unordered": _plain(_UNORDERED),
}
