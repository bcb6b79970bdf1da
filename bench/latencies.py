"""From source to first verdict, and what a further case takes, in every language that is here.

The self-tests' right programs, each time with a few more line ends, so that nothing is compiled
already.  One submission at a time: these are latencies, not rates.
"""

from __future__ import annotations

import statistics
from typing import Any

import msgspec

from bench.measure import UnexpectedReportError
from scalebox.client.aio import AsyncClient
from scalebox.model import LanguageTest, Report, StdioTests, Submission, Verdict

#: Cases of the second submission of a round; the compiler must run once for all of them.
CASES = 20


def _grown(test: LanguageTest, line_ends: int, cases: int) -> Submission:
    """The program with other text, and so many cases."""
    tests = test.submission.tests
    assert isinstance(tests, StdioTests)
    more = [tests.cases[number % len(tests.cases)] for number in range(cases)]
    return msgspec.structs.replace(
        test.submission,
        source=str(test.submission.source) + "\n" * line_ends,
        tests=msgspec.structs.replace(tests, cases=more),
    )


async def _judge(client: AsyncClient, submission: Submission) -> Report:
    report = await client.judge(submission)
    if not report.accepted:
        raise UnexpectedReportError(
            f"{submission.language}: {report.verdict.value} ({report.message}) in place of accepted"
        )
    return report


async def of_languages(client: AsyncClient, rounds: int) -> list[dict[str, Any]]:
    """A row a language: medians over the rounds, in milliseconds.

    Raises:
        UnexpectedReportError: a program is not accepted.
    """
    rows = []
    for test in await client.language_tests():
        if test.verdict is not Verdict.ACCEPTED:
            continue
        first, compiling, further, compilations = [], [], [], []
        for number in range(1, rounds + 1):
            one = await _judge(client, _grown(test, 2 * number, 1))
            before = (await client.status()).counters["compilations"]
            many = await _judge(client, _grown(test, 2 * number + 1, CASES))
            compilations.append((await client.status()).counters["compilations"] - before)
            first.append(one.wall_time_s)
            compiling.append(one.compile.cpu_time_s if one.compile is not None else 0.0)
            further += [case.wall_time_s for case in many.cases]
        rows.append(
            {
                "language": test.language,
                "first_verdict_ms": 1000 * statistics.median(first),
                "compile_cpu_ms": 1000 * statistics.median(compiling),
                "further_case_ms": 1000 * statistics.median(further),
                f"compilations_of_{CASES}_cases": max(compilations),
            }
        )
    return rows
