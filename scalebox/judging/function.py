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


def encode(nonce: str, texts: Sequence[bytes]) -> bytes:
    """Standard input of a judge.

    Parameters:
        nonce: unguessable, new for each run.
        texts: input, output and answer.
    """
    head = " ".join([nonce, *(str(len(text)) for text in texts)])
    return b"".join([head.encode("ascii"), b"\n", *texts])


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
