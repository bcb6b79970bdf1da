"""Self-tests of languages: the programs of the table as submissions, and what must come of them."""

from __future__ import annotations

from scalebox.languages.table import LanguageEntry, SelfTest
from scalebox.model import LanguageTest, Limits, StdioCase, StdioTests, Submission, Verdict

#: What must come of each kind of program.
VERDICTS = {
    "accepted": Verdict.ACCEPTED,
    "wrong": Verdict.WRONG_ANSWER,
    "runtime_error": Verdict.RUNTIME_ERROR,
    "time_limit": Verdict.TIME_LIMIT_EXCEEDED,
    "memory_limit": Verdict.MEMORY_LIMIT_EXCEEDED,
    "compile_error": Verdict.COMPILE_ERROR,
}
#: The second one tells a program that reads from one that knows.
_SUMS = ((3, 4), (100_000, 23))
#: A program that never ends costs as much; of all others no runtime may come near to its limit, not
#: even where a core's other thread is busy and CPU time counts for half.
_ENDLESS_CPU_TIME_S, _CPU_TIME_S = 2.0, 10.0
_MEMORY_BYTES = 256 << 20


def tests_of(entry: LanguageEntry) -> list[LanguageTest]:
    """The self-tests of a language; none where its entry has none."""
    if entry.test is None:
        return []
    cases = [StdioCase(input=f"{a} {b}\n", answer=f"{a + b}\n") for a, b in _SUMS]
    return [
        LanguageTest(
            language=entry.name,
            kind=kind,
            submission=Submission(
                language=entry.name,
                source=source,
                tests=StdioTests(cases=cases),
                limits=Limits(
                    cpu_time_s=_ENDLESS_CPU_TIME_S if kind == "time_limit" else _CPU_TIME_S,
                    memory_bytes=_MEMORY_BYTES,
                ),
                return_output="failed",
            ),
            verdict=VERDICTS[kind],
        )
        for kind in SelfTest.__struct_fields__
        if (source := getattr(entry.test, kind))
    ]
