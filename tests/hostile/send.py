"""An attack goes to the daemon in the way its header says, and comes back as a report."""

from __future__ import annotations

from typing import Any

from msgspec import structs

from scalebox.errors import BadRequestError, RemoteError
from scalebox.model import (
    Blob,
    CaseResult,
    Report,
    RunRequest,
    RunResult,
    StdioTests,
    Submission,
    Verdict,
)
from tests.hostile.catalogue import CONTAINED, Program
from tests.hostile.stage import Stage

#: Over what the daemon takes for small: such a blob reaches the program on a way of its own.
_PADDING = "\n" * (1 << 20)
_VERDICTS = {"finished": Verdict.ACCEPTED}


def put_on(scene: Stage, program: Program, told: dict[str, object]) -> tuple[Report, list[str]]:
    """Put one attack on.

    Parameters:
        scene: the daemon and its secrets.
        program: the attack.
        told: what programs over standard input are told.

    Returns:
        its report, and what must not have been seen beside it.
    """
    surprises = _names_taken(scene, program)
    if program.header.test == "run":
        report, more = _run(scene, program, told)
        return report, surprises + more
    submission = program.submission(told)
    if program.header.blob:
        submission = structs.replace(submission, tests=_uploaded(scene, submission))
    return scene.client.judge(submission), surprises


def _names_taken(scene: Stage, program: Program) -> list[str]:
    """Hostile names of files that were not refused as they must be."""
    found = []
    language, source, files = program.sent()
    for name in program.header.refused:
        ways: dict[str, dict[str, Any]] = {
            "be called": {"files": {**files, name: "taken"}},
            "be fetched as": {"fetch": [name]},
        }
        for way, fields in ways.items():
            request = RunRequest(language=language, source=source, **{"files": files, **fields})
            try:
                scene.client.run(request)
            except RemoteError as error:
                if error.code != BadRequestError.code:
                    found.append(f"that a file is to {way} {name!r} is answered by {error.code}")
            else:
                found.append(f"a file may {way} {name!r}")
    return found


def _uploaded(scene: Stage, submission: Submission) -> StdioTests:
    tests = submission.tests
    assert isinstance(tests, StdioTests)
    cases = []
    for case in tests.cases:
        assert isinstance(case.input, str)
        blob = Blob(sha256=scene.client.put_blob((case.input + _PADDING).encode()))
        cases.append(structs.replace(case, input=blob))
    return structs.replace(tests, cases=cases)


def _run(scene: Stage, program: Program, told: dict[str, object]) -> tuple[Report, list[str]]:
    language, source, files = program.sent()
    [line] = program.lines(told)
    result = scene.client.run(
        RunRequest(
            language=language,
            source=source,
            files=files,
            stdin=line,
            fetch=list(program.header.fetch),
        )
    )
    report = _as_report(result)
    wanted = {name: text.encode() for name, text in program.header.fetched.items()}
    surprises = [
        f"fetched {name!r}: {content[:200]!r}"
        for name, content in result.files.items()
        if wanted.pop(name, None) != content
    ]
    return report, surprises + [f"{name!r} was not fetched" for name in wanted]


def _as_report(result: RunResult) -> Report:
    """As if it had been judged."""
    verdict = _VERDICTS.get(result.status) or Verdict(result.status)
    output = result.stdout.decode(errors="replace")
    if verdict is Verdict.ACCEPTED and output != CONTAINED:
        verdict = Verdict.WRONG_ANSWER
    return Report(
        verdict=verdict,
        passed=int(verdict is Verdict.ACCEPTED),
        total=1,
        cases=[
            CaseResult(
                verdict=verdict,
                exit_code=result.exit_code,
                signal=result.signal,
                output=output,
                error_output=result.stderr.decode(errors="replace"),
                message=result.message,
            )
        ],
        isolation=result.isolation,
        enforcement=result.enforcement,
        compile=result.compile,
        message=result.message,
    )
