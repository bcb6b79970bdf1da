"""Judges that are Python functions: what is executed, what goes in, and what comes out."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

from scalebox.judging.contracts import Decision
from scalebox.judging.records import records
from scalebox.judging.sources import harness_source


def program(source: bytes) -> bytes:
    """The text of a judge with what calls it."""
    return source + b"\n\n" + _harness()


@functools.cache
def _harness() -> bytes:
    """`function` with the text of `decision` in it, which few need: see there."""
    decision = harness_source("decision").decode("ascii")
    whole, count = re.subn(
        r"\bDECISION\b", lambda _: repr(decision), harness_source("function").decode()
    )
    assert count == 1
    return whole.encode()


#: A text without any of these words only computes: it leaves no file, process or thread behind that
#: another decision in the same sandbox could see.
_LEAVES = re.compile(
    rb"\b(open|os|io|posix|pathlib|shutil|tempfile|subprocess|multiprocessing|threading|_thread|"
    rb"concurrent|asyncio|socket|sqlite3|dbm|shelve|logging|mmap|ctypes|cffi|signal|importlib|"
    rb"runpy|exec|eval|__\w+__|builtins)\b"
)


def only_computes(source: bytes) -> bool:
    """Whether one run of a judge may decide about several outputs, by its text."""
    return _LEAVES.search(source) is None


def encode(questions: Sequence[tuple[str, Sequence[bytes]]]) -> bytes:
    """Standard input of a judge.

    Parameters:
        questions: each a nonce, unguessable and new for each run, and the texts: input, output and
            answer.
    """
    head = " ".join(
        word for nonce, texts in questions for word in (nonce, *(str(len(text)) for text in texts))
    )
    every = [text for _, texts in questions for text in texts]
    return b"".join([head.encode("ascii"), b"\n", *every])


def decide(output: bytes, nonce: str) -> Decision | None:
    """What it decided, by its standard output; None: it ended before it had."""
    for record in records(output, nonce):
        failed, accepted = record.get("failed"), record.get("accepted")
        if isinstance(failed, str):
            return Decision(None, f"the judge {failed}")
        if isinstance(accepted, bool):
            score = record.get("score")
            return Decision(
                accepted,
                " ".join(str(record.get("message", "")).split()),
                float(score) if isinstance(score, (int, float)) else None,
            )
    return None
