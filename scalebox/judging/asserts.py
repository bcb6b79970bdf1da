"""Test programs made of asserts (HumanEval, MBPP): what to send in, and what comes out.

In the strong form two processes take part.  The *tester* (`harness/tester.py`, the run's driver)
executes the test program and alone can write to the channel; the *candidate*
(`harness/candidate.py`) executes the submission and answers calls over two pipes.  Where a test
needs more than values and calls (the tester says `unproxiable`), `harness/single.py` executes both
in one process; then a result is only as good as the hurdles there, and a report must say `weak`.
"""

from __future__ import annotations

import json
from typing import Literal

import msgspec

from scalebox.judging.records import records
from scalebox.judging.sources import harness_source
from scalebox.model import AssertTests, Verdict

State = Literal["passed", "failed", "error", "uncompilable", "unproxiable", "invalid", "missing"]
_STATES = ("passed", "failed", "error", "uncompilable", "unproxiable", "invalid")

_VERDICTS = {
    "passed": Verdict.ACCEPTED,
    "failed": Verdict.WRONG_ANSWER,
    "error": Verdict.RUNTIME_ERROR,
    "missing": Verdict.RUNTIME_ERROR,
    "invalid": Verdict.JUDGE_ERROR,
    "uncompilable": Verdict.COMPILE_ERROR,
}


class AssertOutcome(msgspec.Struct, frozen=True):
    """What a test program came to.

    Attributes:
        state: `passed`: it ran to its end; `failed`: an assert (or the test's own code, given what
            the submission returned) failed; `error`: the submission raised, exited or is missing a
            name; `uncompilable`: its source does not compile; `unproxiable`: run it again in one
            process; `invalid`: the test program itself does not compile; `missing`: the process
            ended without a record.
        message: for people, at most about 800 characters.
        trusting: the test took the submission's word for something that it decided by; where it
            passed, that is weak.
    """

    state: State
    message: str = ""
    trusting: bool = False

    @property
    def verdict(self) -> Verdict:
        """The case's verdict, if the run itself ended normally.

        Raises:
            KeyError: `unproxiable` is not a verdict but a request to run the other form.
        """
        return _VERDICTS[self.state]


MISSING = AssertOutcome("missing", "the program ended before the test did")


def tester_source() -> bytes:
    """Strong form: the driver's source."""
    return harness_source("tester")


def candidate_source() -> bytes:
    """Strong form: the program's source; the submission is in the file `candidate.py`."""
    return harness_source("candidate")


def single_source() -> bytes:
    """Weak form: the program's source; the submission is in the file `candidate.py`."""
    return harness_source("single")


def encode_assert(tests: AssertTests, index: int, nonce: str) -> bytes:
    """Standard input of the tester (strong: the driver's) or of the single process (weak).

    Parameters:
        nonce: unguessable, new for each run; only a record that holds it counts.
    """
    task = {
        "program": tests.cases[index].program,
        "entry_point": tests.entry_point,
        "nonce": nonce,
    }
    return json.dumps(task).encode("ascii")


def parse_assert_record(channel: bytes, nonce: str) -> AssertOutcome:
    """The first record that holds the nonce; everything else was written by somebody else."""
    for record in records(channel, nonce):
        if record.get("state") in _STATES:
            message = str(record.get("message", ""))[:800]
            return AssertOutcome(record["state"], message, record.get("trusting") is True)
    return MISSING
