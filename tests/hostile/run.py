"""`make hostile`: every attack at every level that this host gives, and what was seen of it.

First one after another, each followed by a look at what it left behind and by a probe of its slot;
then four at a time beside honest programs, whose verdicts and CPU times must not change.  Writes
`hostile.json`, and with --write-docs the table of `docs/security.md`.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import cycle

from rich.progress import Progress

from bench import results
from bench.results import Promise, at_most
from scalebox.client.sync import Client
from scalebox.model import Integrity, Report, StdioCase, StdioTests, Submission, Verdict
from tests.daemons import Kind, kinds
from tests.hostile import catalogue, docs, send, traces
from tests.hostile.catalogue import Program
from tests.hostile.stage import Stage, stage

AT_ONCE = 4
_HONEST_QUIET = 12
#: Between the median CPU time of an honest program under attack and in peace.
_LARGEST_CPU_RATIO = 1.35

#: Ways of testing by what a program writes, where an accepted one has been contained.
_BY_OUTPUT = ("stdio", "run")

_HONEST = {
    "python": "n = int(input())\ntotal = 0\nfor i in range(n * 300000):\n    total += i % 7\n"
    "print(total)\n",
    "cpp": "#include <bits/stdc++.h>\nint main() { long long n, t = 0; std::cin >> n;\n"
    "std::vector<long long> v; for (long long i = 0; i < n * 300000; i++) v.push_back(i * 7919 % "
    "1000003);\nstd::sort(v.begin(), v.end()); for (size_t i = 0; i < v.size(); i++) t += v[i] % 7;"
    "\nstd::cout << t << '\\n'; }\n",
}


@dataclass
class Seen:
    """What was seen of one attack at one level.

    Attributes:
        program, where: which, and at which level and enforcement.
        verdict: of its report.
        stopped: whether this level is to stop it, by its header.
        why: why not.
        surprises: what must not have been seen.
    """

    program: Program
    where: str
    verdict: str = ""
    stopped: bool = True
    why: str = ""
    surprises: list[str] = field(default_factory=list)

    def row(self) -> dict[str, object]:
        """For tables and files."""
        return {
            "program": self.program.name,
            "level": self.where,
            "verdict": self.verdict,
            "stopped": self.stopped,
            "surprises": "; ".join(self.surprises),
        }


def judged(scene: Stage, program: Program, told: dict[str, object]) -> tuple[Seen, Report]:
    """Put one attack on, in each way of testing, and compare what is seen with what must be."""
    parts = {way: _judged(scene, one, told) for way, one in program.each_way().items()}
    found = [seen for seen, _ in parts.values()]
    for way, (seen, report) in parts.items():
        if report.accepted and way not in _BY_OUTPUT and report.integrity is Integrity.STRONG:
            seen.surprises.append("accepted, and called strong")
        seen.surprises = [f"{way}: {surprise}" for surprise in seen.surprises]
    whole = next((seen for seen in found if not seen.stopped), found[0])
    whole.program = program
    whole.verdict = ", ".join(dict.fromkeys(seen.verdict for seen in found))
    whole.surprises = [surprise for seen in found for surprise in seen.surprises]
    return whole, report


def _judged(scene: Stage, program: Program, told: dict[str, object]) -> tuple[Seen, Report]:
    report, surprises = send.put_on(scene, program, told)
    where = f"{report.isolation.value}+{report.enforcement.value}"
    root = scene.planted.uid == 0
    expected = program.expected(report.isolation.value, report.enforcement.value, root)
    seen = Seen(program, where, report.verdict.value, expected.stopped, expected.why)
    assert expected.verdict is not None
    seen.surprises += surprises
    if report.verdict not in expected.verdict:
        seen.surprises.append(f"{report.verdict.value}: {_words(report)}")
    if any(case.attempts > 1 for case in report.cases):
        seen.surprises.append("it was run more than once: the sandbox failed under it")
    if expected.stopped and scene.mark in _everything(report):
        seen.surprises.append("a secret came out")
    return seen, report


def _words(report: Report) -> str:
    bad = [case for case in report.cases if case.verdict is not Verdict.ACCEPTED]
    texts = [report.message, *(f"{case.message} {case.output or ''}" for case in bad[:2])]
    return " ".join(" ".join(texts).split())[:500]


def _everything(report: Report) -> str:
    texts = [report.message, report.compile.message if report.compile else ""]
    for case in report.cases:
        texts += [case.message, case.output or "", case.error_output or ""]
    return "\n".join(texts)


def one_by_one(kind: Kind, programs: Sequence[Program], bar: Progress) -> list[Seen]:
    """Each attack alone in the only slot, and what it leaves."""
    task = bar.add_task(f"{kind}: one by one", total=len(programs))
    walls = kind.level != "minimal"
    found = []
    with stage(kind, slots=1) as scene:
        clean = traces.probe(scene, walls)
        clean = traces.probe(scene, walls)  # the first one has made what stays, as in any slot
        memory = traces.memory_bytes(scene)
        for program in programs:
            before = traces.look(scene)
            seen, _ = judged(scene, program, scene.told())
            seen.surprises += traces.left_behind(scene, before)
            seen.surprises += traces.changed(scene, walls, clean)
            found.append(seen)
            bar.advance(task)
        after = traces.memory_bytes(scene)
        if traces.memory_grew(memory, after):
            found[-1].surprises.append(f"the daemon grew from {memory} to {after} bytes")
    return found


def together(kind: Kind, programs: Sequence[Program], bar: Progress) -> tuple[list[Seen], float]:
    """Four at a time against one daemon, beside honest programs.

    Returns:
        What was seen, and the largest ratio of an honest program's CPU time to that in peace.
    """
    task = bar.add_task(f"{kind}: {AT_ONCE} at a time", total=len(programs))
    with stage(kind, slots=2) as scene:
        quiet = {language: _honest(scene, language, _HONEST_QUIET) for language in _HONEST}
        told = scene.told()
        before = traces.look(scene)
        with (
            Client(scene.client.address) as other,  # whose connections end with the attacks
            _honest_meanwhile(replace(scene, client=other)) as busy,
            ThreadPoolExecutor(AT_ONCE) as pool,
        ):

            def put_on(program: Program) -> Seen:
                seen, _ = judged(replace(scene, client=other), program, told)
                bar.advance(task)
                return seen

            found = list(pool.map(put_on, programs))
        found[-1].surprises += traces.left_behind(scene, before)
        # Others use the host, too, now more and now less: in peace is before and after.
        later = {language: _honest(scene, language, _HONEST_QUIET) for language in _HONEST}
        ratios = []
        for language, times in busy.times.items():
            in_peace = max(map(statistics.median, (quiet[language], later[language])))
            ratio = statistics.median(times) / in_peace
            ratios.append(ratio)
            if ratio > _LARGEST_CPU_RATIO:
                found[-1].surprises.append(
                    f"honest {language} programs took {ratio:.2f} times the CPU under attack"
                )
        found[-1].surprises += busy.surprises
    return found, max(ratios)


@dataclass
class _Busy:
    times: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in _HONEST})
    surprises: list[str] = field(default_factory=list)


@contextlib.contextmanager
def _honest_meanwhile(scene: Stage) -> Iterator[_Busy]:
    busy, done = _Busy(), threading.Event()

    def go_on() -> None:
        for language in cycle(_HONEST):
            if done.is_set() and all(busy.times.values()):
                return
            try:
                busy.times[language] += _honest(scene, language, 1)
            except AssertionError as error:
                busy.surprises.append(f"an honest program: {error}")

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield busy
    finally:
        done.set()
        thread.join()


def _honest(scene: Stage, language: str, times: int) -> list[float]:
    answers = {"python": sum(i % 7 for i in range(3 * 300000)), "cpp": None}
    answers["cpp"] = sum(i * 7919 % 1000003 % 7 for i in range(3 * 300000))
    tests = StdioTests(cases=[StdioCase(input="3\n", answer=f"{answers[language]}\n")])
    found = []
    for _ in range(times):
        report = scene.client.judge(
            Submission(language=language, source=_HONEST[language], tests=tests)
        )
        assert report.accepted, f"{report.verdict.value}: {_words(report)}"
        found.append(report.cases[0].cpu_time_s)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line names; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile.run", description=__doc__)
    parser.add_argument("--only", metavar="TEXT", help="programs whose name holds this")
    parser.add_argument("--level", metavar="TEXT", help="kinds of daemon whose name holds this")
    parser.add_argument("--alone", action="store_true", help="only one by one")
    parser.add_argument(
        "--write-docs", action="store_true", help="write the table of docs/security.md"
    )
    options = parser.parse_args(arguments)
    programs = [p for p in catalogue.programs() if (options.only or "") in p.name]
    where = [kind for kind in kinds() if (options.level or "") in str(kind)]
    if not programs or not where:
        parser.error("nothing has such a name")
    found: list[Seen] = []
    ratio = 0.0
    with Progress(console=results.new_console()) as bar:
        for kind in where:
            found += one_by_one(kind, programs, bar)
            if not options.alone:
                seen, largest = together(kind, programs, bar)
                found += seen
                ratio = max(ratio, largest)
    return _conclude(programs, found, ratio, options.write_docs)


def _conclude(programs: list[Program], found: list[Seen], ratio: float, write_docs: bool) -> int:
    surprising = [seen.row() for seen in found if seen.surprises]
    figures = {
        "programs": float(len(programs)),
        "levels": float(len({seen.where for seen in found})),
        "surprises": float(sum(len(seen.surprises) for seen in found)),
    }
    if ratio:  # not with --alone
        figures["honest_cpu_ratio"] = ratio
    promises: list[Promise] = [at_most("surprises", figures["surprises"], 0)]
    path = results.write("hostile", figures, [seen.row() for seen in found], promises=promises)
    if surprising:
        results.show("Surprises", surprising)
    results.show("Attacks", docs.summary(found))
    results.show("Figures", [{"figure": name, "value": value} for name, value in figures.items()])
    results.new_console().print(f"written: {path.relative_to(results.ROOT)}")
    if write_docs:
        docs.write(found)
    return results.conclude(promises)


if __name__ == "__main__":
    sys.exit(main())
