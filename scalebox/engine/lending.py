"""Cases that wait here and that another daemon runs: lent, answered, or taken back.

The cluster takes queued cases out (`Lending.take`) and puts results in (`loan.Loan.answer`); it
decides how much, to whom and for how long, and nothing here knows of a network.

A case has one result whatever happens: the first that comes, from here or from there, is its own,
and what comes later is dropped.  What a borrower says about us rather than about the program (its
own failures, a compiler that does not do what ours did, a judge that failed) is no result: the case
is run here.
"""

from __future__ import annotations

import functools
import time
import weakref
from collections import Counter
from collections.abc import Callable, Collection, Sequence, Set
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
#: Lenders that are remembered while they have lent nothing.
_MOST_LENDERS = 1_000


class Waiting:
    """Judgements with something to lend that have something in common; those that came last are
    last.  What they have together is kept and not counted: it is asked for often."""

    def __init__(self) -> None:
        self._members: dict[Lent, None] = {}
        self._cases = 0
        self._seconds = 0.0

    @property
    def backlog(self) -> Backlog:
        """Of all of them."""
        return Backlog(self._cases, max(0.0, self._seconds)) if self._cases else Backlog()

    def newest_first(self) -> list[Lent]:
        """Those that the slots here come to last are first."""
        return list(reversed(self._members))

    def change(self, lent: Lent, cases: int, seconds: float) -> None:
        """One of them has so many more, or fewer."""
        self._cases += cases
        self._seconds += seconds
        if lent.cases:
            self._members.setdefault(lent)
        else:
            self._members.pop(lent, None)
        if not self._members:
            self._seconds = 0.0  # what sums of fractions leave behind


class Lent:
    """What one judgement could lend, and has lent.

    Parameters:
        judgement: whose cases.
        lending: what all share.

    Attributes:
        cases: of its own that wait and can be lent.
    """

    def __init__(self, judgement: Judgement[Any], lending: Lending) -> None:
        # Weakly: with its request a judgement goes, and its test data with it.
        self._judgement = weakref.ref(judgement)
        self._lending = lending
        self.cases = 0
        #: Queued runs that can be lent: first case of each → number of its cases.
        self._waiting: dict[int, int] = {}
        #: Where they are counted, and as how many seconds.
        self._groups: tuple[Waiting, ...] = ()
        self._seconds = 0.0
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
        self._count(-self.cases)
        self._waiting.clear()
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
        if index not in self._waiting and len(self.via) < MOST_HOPS:
            self._groups = self._groups or self._lending.groups(self.via)
            self._waiting[index] = cases = len(self.judgement.cases_of(index))
            self._count(cases)

    def waits_no_more(self, index: int) -> None:
        """A run begins, or is not wanted; nothing happens if it could not be lent anyway."""
        self._count(-self._waiting.pop(index, 0))

    def _count(self, cases: int) -> None:
        """So many more wait, or fewer, or they are thought to take longer."""
        self.cases += cases
        seconds = self.cases * self._case_s
        for group in self._groups:
            group.change(self, cases, seconds - self._seconds)
        self._seconds = seconds

    def ran(self, wall_s: float, cases: int) -> None:
        """A run of so many cases has ended."""
        self._case_s += _NEWEST_SHARE * (wall_s / max(1, cases) - self._case_s)
        self._lending.learn(self._language, self._case_s)
        if self.cases:
            self._count(0)

    @functools.cached_property
    def toolchains(self) -> frozenset[str]:
        """Those that a borrower must have."""
        return frozenset(self.judgement.toolchains_needed())

    def lend(self, most: int, borrower: str) -> Loan | None:
        """Let a borrower have the last of the cases that wait."""
        taken = self.withdraw(most)
        if not taken:
            return None
        loan = Loan(self.judgement, self, taken, borrower)
        for case in taken:
            self._loans[case] = loan
        return loan

    def withdraw(self, most: int) -> list[int]:
        """Take the last of the runs that wait out of the queue; their cases, in order.

        Parameters:
            most: cases; but one run at least, if there is one.
        """
        batches: list[int] = []
        count = 0
        for index in reversed(self._waiting):
            count += self._waiting[index]
            if batches and count > most:
                break
            batches.append(index)
        taken = [case for index in reversed(batches) for case in self.judgement.withdraw(index)]
        for index in batches:
            self.waits_no_more(index)
        return taken

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
        self.waits_no_more(case)
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
        if self.cases or not self._loans:
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
                self.waits_no_more(case)  # not to be lent a second time
        return len(hedged)


@dataclass
class Lending:
    """What this daemon could lend.

    Attributes:
        on_disagreement: called with a borrower, what it said of a case, and what was found here.
    """

    on_disagreement: Callable[[str, CaseResult, CaseResult], None] | None = None
    _lenders: dict[Lent, None] = field(default_factory=dict)
    #: What waits: by how often it was lent before, and by who has lent it to us.
    _by_depth: dict[int, Waiting] = field(default_factory=dict)
    _by_lender: dict[str, Waiting] = field(default_factory=dict)
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
        if len(self._by_lender) > _MOST_LENDERS:
            left = {name: one for name, one in self._by_lender.items() if one.backlog.cases}
            self._by_lender = left

    def groups(self, via: Sequence[str]) -> tuple[Waiting, ...]:
        """Those that a judgement belongs to whose cases were lent by these."""
        found = [self._by_depth.setdefault(len(via), Waiting())]
        if via:
            found.append(self._by_lender.setdefault(via[-1], Waiting()))
        return tuple(found)

    def estimate_s(self, language: str) -> float:
        """What a case in a language is thought to take."""
        return self._estimates_s.get(language, _FIRST_ESTIMATE_S)

    def learn(self, language: str, case_s: float) -> None:
        """Cases in a language take about so long."""
        if language in self._estimates_s or len(self._estimates_s) < _MOST_LANGUAGES:
            self._estimates_s[language] = case_s

    def backlog(self) -> Backlog:
        """What waits and could be lent; cheap."""
        every = self.backlogs().values()
        return Backlog(sum(one.cases for one in every), sum(one.seconds for one in every))

    def backlogs(self) -> dict[int, Backlog]:
        """What could be lent, by how often it was lent before."""
        every = {depth: waiting.backlog for depth, waiting in self._by_depth.items()}
        return {depth: one for depth, one in every.items() if one.cases}

    def take(
        self,
        borrower: str,
        cases: int,
        seconds: float,
        toolchains: Set[str],
        depth: int | None = None,
    ) -> Loan | None:
        """Lend cases of one submission: of the one that came last.

        Parameters:
            borrower: who gets them; it is in reports.
            cases, seconds: the most; one run at least is lent, if there is one.
            toolchains: that the borrower has; all that are needed must be among them.
            depth: how often they were lent before; None: that does not matter.
        """
        depths = list(self._by_depth) if depth is None else [depth]
        for waiting in (self._by_depth[one] for one in depths if one in self._by_depth):
            for lent in waiting.newest_first():
                # What comes from there is sent home, and not lent.
                if borrower not in lent.via and lent.toolchains <= toolchains:
                    most = max(1, min(cases, int(seconds / max(lent.case_s, 1e-6))))
                    return lent.lend(most, borrower)
        return None

    def backlog_of(self, lender: str) -> Backlog:
        """What waits here of what a daemon has lent us."""
        waiting = self._by_lender.get(lender)
        return waiting.backlog if waiting is not None else Backlog()

    def send_home(self, lender: str, cases: int, loans: int) -> list[tuple[str, list[int]]]:
        """Let a lender have back what waits here, of its last loans first.

        Parameters:
            lender: who.
            cases: the most; one run at least goes, if there is one.
            loans: of how many at most.

        Returns:
            Names of loans, and positions of cases in each.
        """
        sent: list[tuple[str, list[int]]] = []
        waiting = self._by_lender.get(lender, Waiting())
        for lent in waiting.newest_first()[:loans]:
            borrowed = lent.judgement.borrowed
            if cases > 0 and borrowed is not None:
                positions = lent.withdraw(cases)
                cases -= len(positions)
                sent.append((borrowed.loan, positions))
        return sent

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
