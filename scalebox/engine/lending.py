"""Cases that wait here and that another daemon runs: lent, answered, or taken back.

The cluster takes queued cases out (`Lending.take`) and puts results in (`loan.Loan.answer`); it
decides how much, to whom and for how long, and nothing here knows of a network.

A case has one result whatever happens: the first that comes, from here or from there, is its own,
and what comes later is dropped.  What a borrower says about us rather than about the program (its
own failures, a compiler that does not do what ours did, a judge that failed) is no result: the case
is run here.
"""

from __future__ import annotations

import time
import weakref
from collections import Counter
from collections.abc import Callable, Collection, Set
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from scalebox.engine.loan import Backlog, Loan, Trust
from scalebox.model import CaseResult, ProgramJudge, StdioTests, Tests, Verdict

if TYPE_CHECKING:
    from scalebox.engine.judgement import Judgement

#: What a case is thought to take of which nothing like it was run.
_FIRST_ESTIMATE_S = 0.02
#: Weight of the newest run in what the next one is thought to take.
_NEWEST_SHARE = 0.2
#: A case is lent on so often at most: with half of what is there each time, that feeds thousands.
MOST_HOPS = 3
#: Languages whose times are remembered.
_MOST_LANGUAGES = 200


class Lent:
    """What one judgement could lend, and has lent.

    Parameters:
        judgement: whose cases.
        lending: what all share.

    Attributes:
        waiting: queued runs that can be lent: first case of each → number of its cases.
    """

    def __init__(self, judgement: Judgement[Any], lending: Lending) -> None:
        # Weakly: with its request a judgement goes, and its test data with it.
        self._judgement = weakref.ref(judgement)
        self._lending = lending
        self.waiting: dict[int, int] = {}
        self._loans: dict[int, Loan] = {}
        #: Cases that are run here to be compared with what a borrower said.
        self._checked: dict[int, tuple[Loan, CaseResult]] = {}
        #: How often a case came back without a result.
        self._lost: Counter[int] = Counter()
        self._case_s = lending.estimate_s(self._language)

    @property
    def judgement(self) -> Judgement[Any]:
        """Whose cases."""
        found = self._judgement()
        assert found is not None, "it is alive for as long as it lends, and in each of its loans"
        return found

    def close(self) -> None:
        """The judgement is over."""
        self.waiting.clear()
        self._loans.clear()
        self._checked.clear()

    @property
    def _language(self) -> str:
        return self.judgement.language.entry.name

    @property
    def via(self) -> tuple[str, ...]:
        """Who has lent its cases before they came here."""
        borrowed = self.judgement.borrowed
        return () if borrowed is None else borrowed.via

    @property
    def case_s(self) -> float:
        """Seconds of a slot that a case is thought to take."""
        return self._case_s

    def waits(self, index: int) -> None:
        """A run is queued that another daemon could do."""
        if len(self.via) < MOST_HOPS:
            self.waiting[index] = len(self.judgement.cases_of(index))

    @property
    def backlog(self) -> Backlog:
        """Of this judgement."""
        cases = sum(self.waiting.values())
        return Backlog(cases, cases * self._case_s)

    def ran(self, wall_s: float, cases: int) -> None:
        """A run of so many cases has ended."""
        self._case_s += _NEWEST_SHARE * (wall_s / max(1, cases) - self._case_s)
        self._lending.learn(self._language, self._case_s)

    def lend(self, most: int, borrower: str) -> Loan | None:
        """Let a borrower have the last of the cases that wait."""
        judgement = self.judgement
        batches: list[int] = []
        count = 0
        for index in reversed(list(self.waiting)):
            cases = judgement.cases_of(index)
            if batches and count + len(cases) > most:
                break
            count += len(cases)
            batches.append(index)
        taken = [case for index in reversed(batches) for case in judgement.withdraw(index)]
        for index in batches:
            del self.waiting[index]
        if not taken:
            return None
        loan = Loan(judgement, self, taken, borrower)
        for case in taken:
            self._loans[case] = loan
        return loan

    def send_home(self, most: int) -> list[int]:
        """The last of the cases that wait are not run here: their lender does that itself."""
        sent: list[int] = []
        for index in reversed(list(self.waiting)):
            cases = self.judgement.cases_of(index)
            if sent and len(sent) + len(cases) > most:
                break
            sent += self.judgement.withdraw(index)
            del self.waiting[index]
        return sorted(sent)

    def answered(self, loan: Loan, case: int, result: CaseResult, weak: bool, trust: Trust) -> None:
        """A borrower has a result."""
        judgement = self.judgement
        if self._loans.get(case) is not loan:
            return
        del self._loans[case]
        if judgement.over or judgement.results.has(case):
            return
        if not result.verdict.is_about_the_program:
            # It failed, or its judge did: that is for us to find out.
            self._lost[case] += 1
            judgement.again((case,))
            return
        if trust != "take":
            if trust == "check":
                self._checked[case] = (loan, result)
            judgement.again((case,))
            return
        if weak:
            judgement.weak.add(case)
        result = msgspec.structs.replace(result, name=judgement.case_name(case))
        judgement.hear_borrower(case, result)

    def come_back(self, loan: Loan, cases: Collection[int], *, lost: bool) -> None:
        """A borrower does not have results, and never will.

        Parameters:
            lost: whether it may have tried.
        """
        judgement = self.judgement
        back = [case for case in sorted(cases) if self._loans.get(case) is loan]
        for case in back:
            del self._loans[case]
        wanted = [case for case in back if self.is_wanted(case)]
        if lost:
            self._lost.update(wanted)
        if wanted:
            judgement.again(wanted)

    def is_wanted(self, case: int) -> bool:
        """Whether a case still needs a result."""
        judgement = self.judgement
        return (
            not judgement.over
            and case < judgement.results.needed
            and not judgement.results.has(case)
        )

    def settled(self, case: int, result: CaseResult) -> CaseResult:
        """A case has its result, from wherever; as the report is to have it."""
        self.waiting.pop(case, None)
        if case in self._checked:
            loan, said = self._checked.pop(case)
            about_it = result.verdict.is_about_the_program
            if about_it and (said.verdict is Verdict.ACCEPTED) != (
                result.verdict is Verdict.ACCEPTED
            ):
                self._lending.disagreed(loan.borrower, said, result)
        if lost := self._lost.pop(case, 0):
            result = msgspec.structs.replace(result, attempts=result.attempts + lost)
        return result

    def hedge(self, older_than_s: float) -> int:
        """Run here what others are at for long, too; whichever result comes first counts."""
        if self.waiting or not self._loans:
            return 0
        now, hedged = time.monotonic(), []
        for case, loan in self._loans.items():
            late = now - loan.heard > older_than_s + 4 * self._case_s
            if late and case not in loan.hedged and self.is_wanted(case):
                loan.hedged.add(case)
                hedged.append(case)
        if hedged:
            self.judgement.again(hedged)
            for case in hedged:
                self.waiting.pop(case, None)  # not to be lent a second time
        return len(hedged)


@dataclass
class Lending:
    """What this daemon could lend.

    Attributes:
        on_disagreement: called with a borrower, what it said of a case, and what was found here.
    """

    on_disagreement: Callable[[str, CaseResult, CaseResult], None] | None = None
    _lenders: dict[Lent, None] = field(default_factory=dict)
    _estimates_s: dict[str, float] = field(default_factory=dict)

    def lends(self, judgement: Judgement[Any]) -> Lent:
        """A judgement begins; `ends` is to follow."""
        lent = Lent(judgement, self)
        self._lenders[lent] = None
        return lent

    def ends(self, lent: Lent) -> None:
        """It is over."""
        self._lenders.pop(lent, None)
        lent.close()

    def estimate_s(self, language: str) -> float:
        """What a case in a language is thought to take."""
        return self._estimates_s.get(language, _FIRST_ESTIMATE_S)

    def learn(self, language: str, case_s: float) -> None:
        """Cases in a language take about so long."""
        if language in self._estimates_s or len(self._estimates_s) < _MOST_LANGUAGES:
            self._estimates_s[language] = case_s

    def backlog(self) -> Backlog:
        """What waits and could be lent; cheap."""
        every = [lent.backlog for lent in self._lenders]
        return Backlog(sum(one.cases for one in every), sum(one.seconds for one in every))

    def backlogs(self) -> dict[int, Backlog]:
        """What could be lent, by how often it was lent before."""
        found: dict[int, Backlog] = {}
        for lent in self._lenders:
            one, depth = lent.backlog, len(lent.via)
            if one.cases:
                sum_ = found.get(depth, Backlog())
                found[depth] = Backlog(sum_.cases + one.cases, sum_.seconds + one.seconds)
        return found

    def take(
        self,
        borrower: str,
        cases: int,
        seconds: float,
        toolchains: Set[str],
        depth: int | None = None,
    ) -> Loan | None:
        """Lend cases of one submission: of the one that has most to do.

        Parameters:
            borrower: who gets them; it is in reports.
            cases, seconds: the most; one run at least is lent, if there is one.
            toolchains: that the borrower has; all that are needed must be among them.
            depth: how often they were lent before; None: that does not matter.
        """
        for lent in sorted(self._lenders, key=lambda one: one.backlog.seconds, reverse=True):
            if not lent.waiting:
                return None
            judgement = lent.judgement
            if borrower in lent.via:
                continue  # they come from there
            if depth is not None and len(lent.via) != depth:
                continue
            if not judgement.toolchains_needed() <= toolchains:
                continue
            most = max(1, min(cases, int(seconds / max(lent.case_s, 1e-6))))
            loan = lent.lend(most, borrower)
            if loan is not None:
                return loan
        return None

    def backlog_of(self, lender: str) -> Backlog:
        """What waits here of what a daemon has lent us."""
        every = [lent.backlog for lent in self._of(lender)]
        return Backlog(sum(one.cases for one in every), sum(one.seconds for one in every))

    def send_home(self, lender: str, cases: int, loans: int) -> list[tuple[str, list[int]]]:
        """Let a lender have back what waits here, of its loans with most to do first.

        Parameters:
            lender: who.
            cases: the most; one run at least goes, if there is one.
            loans: of how many at most.

        Returns:
            Names of loans, and positions of cases in each.
        """
        sent: list[tuple[str, list[int]]] = []
        for lent in sorted(self._of(lender), key=lambda one: one.backlog.seconds, reverse=True):
            borrowed = lent.judgement.borrowed
            if cases <= 0 or len(sent) == loans or not lent.waiting or borrowed is None:
                break
            positions = lent.send_home(cases)
            cases -= len(positions)
            sent.append((borrowed.loan, positions))
        return sent

    def _of(self, lender: str) -> list[Lent]:
        return [lent for lent in self._lenders if lent.via[-1:] == (lender,)]

    def hedge(self, older_than_s: float) -> int:
        """With nothing else to do: run what borrowers are at for longer than this; how many."""
        return sum(lent.hedge(older_than_s) for lent in list(self._lenders))

    def disagreed(self, borrower: str, said: CaseResult, found: CaseResult) -> None:
        """A borrower's result was not what was found here."""
        if self.on_disagreement is not None:
            self.on_disagreement(borrower, said, found)


def judges_of(tests: Tests) -> list[ProgramJudge]:
    """The judges of tests that are programs in a language of their own."""
    judges = [getattr(tests, "judge", None)]
    if isinstance(tests, StdioTests):
        judges += [case.judge for case in tests.cases]
    return [judge for judge in judges if isinstance(judge, ProgramJudge)]
