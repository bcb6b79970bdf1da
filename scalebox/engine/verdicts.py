"""From what the kernel saw of a run to a verdict, where no judge is needed to tell.

The order of the rules matters: a program killed for memory was not slow, and one stopped at its CPU
limit did not crash.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence

from scalebox.languages.table import LanguageEntry, LastWords
from scalebox.model import RunStatus, Verdict
from scalebox.sandbox.spec import RunLimits, RunOutcome
from scalebox.sandbox.zygote import wire

_STDERR_EXCERPT_BYTES = 4096
#: A trace of a thousand calls may follow what a runtime says.
_LAST_WORDS_BYTES = 128 << 10
#: Of these so many lines are looked at: a program may write nothing but ends of lines.
_LAST_LINES = 2_000
_ANY_LINE = LastWords()
_OF_NO_LIMIT = wire.DESCRIPTOR_FLAGS | wire.PROCESSES_EXCEEDED | wire.FETCH_CUT

RUN_STATUS = {
    Verdict.TIME_LIMIT_EXCEEDED: RunStatus.TIME_LIMIT_EXCEEDED,
    Verdict.MEMORY_LIMIT_EXCEEDED: RunStatus.MEMORY_LIMIT_EXCEEDED,
    Verdict.OUTPUT_LIMIT_EXCEEDED: RunStatus.OUTPUT_LIMIT_EXCEEDED,
    Verdict.RUNTIME_ERROR: RunStatus.RUNTIME_ERROR,
}


def is_our_failure(outcome: RunOutcome) -> bool:
    """Whether the program never started, for reasons of ours.

    Loading what was compiled is part of setting a run up: what goes over a limit there is the
    program's.
    """
    flags = outcome.flags
    started = not flags & (wire.SETUP_FAILED | wire.EXEC_FAILED)
    return not started and not flags & (wire.OUT_OF_MEMORY | wire.CPU_EXCEEDED)


def limit_verdict(outcome: RunOutcome, limits: RunLimits) -> tuple[Verdict, str] | None:
    """The verdict of a run that went over a limit; None if it kept within all."""
    flags = outcome.flags
    if flags & wire.OUT_OF_MEMORY:
        return (
            Verdict.MEMORY_LIMIT_EXCEEDED,
            f"used more than the {limits.memory_bytes / (1 << 20):.0f} MiB of memory allowed",
        )
    if flags & wire.CPU_EXCEEDED or outcome.signal == signal.SIGXCPU:
        return (
            Verdict.TIME_LIMIT_EXCEEDED,
            f"stopped after {outcome.cpu_s:.3f} s of CPU time; {limits.cpu_ns / 1e9:g} s allowed",
        )
    if flags & wire.WALL_EXCEEDED:
        return waited_too_long(outcome, limits)
    if flags & wire.RECORDS_EXCEEDED:
        # Only what a harness of ours says belongs there, a record for each thing that it is asked.
        return (
            Verdict.OUTPUT_LIMIT_EXCEEDED,
            "wrote more records to the channel of the tests' results (descriptor 5) than these are",
        )
    if flags & wire.OUTPUT_EXCEEDED or outcome.signal == signal.SIGXFSZ:
        return (
            Verdict.OUTPUT_LIMIT_EXCEEDED,
            f"wrote more than the {limits.output_bytes} bytes of output allowed",
        )
    return None


def waited_too_long(outcome: RunOutcome, limits: RunLimits) -> tuple[Verdict, str]:
    """The verdict of a run that went over its wall limit."""
    return (
        Verdict.TIME_LIMIT_EXCEEDED,
        f"not done after {outcome.wall_s:.3f} s, with {outcome.cpu_s:.3f} s of CPU time used: "
        f"it waits for something; {limits.wall_ns / 1e9:g} s of wall time allowed",
    )


def ended_well(outcome: RunOutcome) -> bool:
    """Whether the program ended by itself, with exit code 0 and within all limits but perhaps
    that on CPU time."""
    # That it was refused a process is no limit exceeded: it went on without.
    return outcome.status == 0 and not outcome.flags & ~_OF_NO_LIMIT


def is_near_limit(outcome: RunOutcome, limits: RunLimits) -> bool:
    """Whether a run ended by itself, but late enough that load on the host may have been why."""
    return outcome.cpu_s * 1e9 > limits.cpu_ns


def too_slow(cpu_s: float, limits: RunLimits, what_for: str = "") -> tuple[Verdict, str]:
    """The verdict of a run that ended by itself, but late."""
    return (
        Verdict.TIME_LIMIT_EXCEEDED,
        f"used {cpu_s:.3f} s of CPU time{what_for}; {limits.cpu_ns / 1e9:g} s allowed",
    )


def crash_message(outcome: RunOutcome, rule: LastWords = _ANY_LINE) -> str:
    """How a program failed by itself: the signal or exit code, and its last words.

    Parameters:
        rule: its language's.
    """
    if outcome.signal is not None:
        try:
            name = signal.Signals(outcome.signal).name
        except ValueError:
            name = f"signal {outcome.signal}"
        how = f"ended by {name}"
    else:
        how = f"exit code {outcome.exit_code}"
    if outcome.flags & wire.PROCESSES_EXCEEDED:
        how += " (it wanted more processes than allowed)"
    words = last_words(outcome, rule)
    return f"{how}: {words}" if words else how


def last_words(outcome: RunOutcome, rule: LastWords = _ANY_LINE) -> str:
    """The line of standard error that says why a program failed; empty: it said nothing."""
    at_most = _STDERR_EXCERPT_BYTES if rule == _ANY_LINE else _LAST_WORDS_BYTES
    end = _end(outcome.stderr, at_most)
    text = end.decode("utf-8", "replace").rstrip()
    lines = text.rsplit("\n", _LAST_LINES)
    if len(lines) > _LAST_LINES or len(end) == at_most:
        lines = lines[1:] or lines  # more than a line, or one without its beginning
    last = [line for line in reversed(lines) if line.strip()]
    said = next((line for line in last if line.startswith(rule.preferred)), "")
    said = said or next((line for line in last if not line.startswith(rule.passed_over)), "")
    words = (said or text).strip().splitlines()
    return words[-1].strip()[:300] if words else ""


def line_with(outcome: RunOutcome, words: Sequence[str]) -> str:
    """The first line with some of these words in all that a runtime said last; empty: none has."""
    if not words:
        return ""
    text = _end(outcome.stderr, _LAST_WORDS_BYTES).decode("utf-8", "replace")
    lines = (line for line in text.splitlines() if any(word in line for word in words))
    return next(lines, "").strip()[:300]


def _end(output: bytes | int, at_most: int) -> bytes:
    if isinstance(output, bytes):
        return output[-at_most:]
    return os.pread(output, at_most, max(0, os.fstat(output).st_size - at_most))


def ran_out_of_memory(outcome: RunOutcome, words: Sequence[str]) -> bool:
    """Whether a program failed with some of the words that its runtime says where it has no memory
    left."""
    return outcome.status != 0 and bool(line_with(outcome, words))


def out_of_memory_verdict(limits: RunLimits) -> tuple[Verdict, str]:
    """The verdict of a program whose runtime keeps to the limit on memory itself."""
    words = f"needed more than the {limits.memory_bytes >> 20} MiB of memory allowed"
    return Verdict.MEMORY_LIMIT_EXCEEDED, words


def program_verdict(
    outcome: RunOutcome, limits: RunLimits, entry: LanguageEntry
) -> tuple[Verdict, str] | None:
    """The verdict of a run that needs no judge; None: it ended well and its output counts.

    Parameters:
        entry: the language's, which knows what its runtime says.
    """
    over = limit_verdict(outcome, limits)
    if over is not None:
        return over
    if outcome.status != 0:
        if ran_out_of_memory(outcome, entry.out_of_memory):
            return out_of_memory_verdict(limits)
        return Verdict.RUNTIME_ERROR, crash_message(outcome, entry.last_words)
    return too_slow(outcome.cpu_s, limits) if is_near_limit(outcome, limits) else None
