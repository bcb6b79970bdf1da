"""Real daemons that take cases from each other: who runs what, and what is fetched."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from scalebox.client.sync import Client
from scalebox.model import (
    Blob,
    FunctionJudge,
    ProgramJudge,
    Report,
    StdioCase,
    StdioTests,
    Submission,
)
from tests.daemons import until

from .nodes import SLEEPER, Node, cluster, ran_on, sleepers, wait_for

pytestmark = pytest.mark.alone

SLOW_C = (
    "#include <stdio.h>\n#include <unistd.h>\n"
    'int main(void) { char s[20]; scanf("%19s", s); usleep(100000); puts(s); }\n'
)
#: Says yes to what ends in an even digit.
EVEN = "def judge(input, output, answer):\n    return int(output) % 2 == 0, 'even?'\n"
EVEN_CPP = "#include <iostream>\nint main() { long n; std::cin >> n; return n % 2 ? 43 : 42; }\n"


@pytest.fixture(scope="module")
def three() -> Iterator[list[Node]]:
    with cluster(3) as made:
        yield made


def test_idle_nodes_take_cases(three: list[Node]) -> None:
    began = time.monotonic()
    report = three[0].judge(sleepers(60))
    took_s = time.monotonic() - began
    assert report.accepted, report.message
    found = ran_on(report)
    assert set(found) == {"", "node1", "node2"}
    assert min(found.values()) >= 6
    assert took_s < 60 * 0.1 / 2, "less than one node with two slots needs"
    assert all(case.attempts == 1 for case in report.cases)
    assert [case.name for case in report.cases] == [str(number) for number in range(60)]


@pytest.mark.parametrize(
    "judge",
    [FunctionJudge(source=EVEN), ProgramJudge(contract="icpc", language="cpp", source=EVEN_CPP)],
    ids=["function", "program"],
)
def test_judges_travel(three: list[Node], judge: FunctionJudge | ProgramJudge) -> None:
    cases = [StdioCase(input=str(number)) for number in range(40)]
    tests = StdioTests(cases=cases, judge=judge)
    report = three[0].judge(
        Submission(language="python", source=SLEEPER, tests=tests, stop="never")
    )
    assert len(ran_on(report)) > 1
    verdicts = [case.verdict.value for case in report.cases]
    assert verdicts == ["accepted", "wrong_answer"] * 20


def test_a_program_is_compiled_once_in_the_cluster(three: list[Node]) -> None:
    before = [node.daemon.status().counters for node in three]
    cases = [StdioCase(input=str(number), answer=str(number)) for number in range(60)]
    source = f"{SLOW_C}// {time.monotonic_ns()}\n"
    report = three[0].judge(Submission(language="c", source=source, tests=StdioTests(cases=cases)))
    assert report.accepted, report.message
    assert len(ran_on(report)) > 1
    after = [node.daemon.status().counters for node in three]
    compiled = [b["compilations"] - a["compilations"] for a, b in zip(before, after, strict=True)]
    assert compiled == [1, 0, 0]
    fetched = [
        b.get("cluster_programs_fetched", 0) - a.get("cluster_programs_fetched", 0)
        for a, b in zip(before, after, strict=True)
    ]
    assert fetched[0] == 0
    assert 1 <= sum(fetched) <= 2, "once by each node"


def test_large_data_is_fetched_once(three: list[Node]) -> None:
    large = ["x" * 40_000 + str(number) for number in range(3)]
    source = "import time\ntime.sleep(0.1)\nprint(input()[-1])"
    with Client(three[0].socket) as client:
        uploaded = client.put_blob(large[2].encode())
        inputs: list[str | Blob] = [large[0], large[1], Blob(sha256=uploaded)]
        cases = [
            StdioCase(input=inputs[number % 3], answer=str(number % 3)) for number in range(60)
        ]
        submission = Submission(language="python", source=source, tests=StdioTests(cases=cases))
        before = [node.counter("blobs_fetched") for node in three]
        for _ in range(2):
            report = client.judge(submission)
            assert report.accepted, report.message
            assert len(ran_on(report)) > 1
    fetched = [node.counter("blobs_fetched") - b for node, b in zip(three, before, strict=True)]
    assert fetched[0] == 0
    assert max(fetched) == 3, "each once, however many leases named it"


def test_the_first_failure_stops_everybody(three: list[Node]) -> None:
    cases = [StdioCase(input="1", answer="2" if number == 20 else "1") for number in range(400)]
    submission = Submission(language="python", source=SLEEPER, tests=StdioTests(cases=cases))
    report = three[0].judge(submission)
    verdicts = [case.verdict.value for case in report.cases]
    assert verdicts == ["accepted"] * 20 + ["wrong_answer"] + ["skipped"] * 379
    until(lambda: all(node.daemon.status().running_cases == 0 for node in three))
    ended = sum(node.daemon.status().counters["runs"] for node in three)
    time.sleep(0.5)
    assert sum(node.daemon.status().counters["runs"] for node in three) == ended


def test_a_deadline_holds(three: list[Node]) -> None:
    began = time.monotonic()
    report = three[0].judge(sleepers(2000, deadline_s=1.0))
    assert time.monotonic() - began < 5.0
    verdicts = [case.verdict.value for case in report.cases]
    assert set(verdicts) == {"accepted", "cancelled"}
    until(lambda: all(node.daemon.status().running_cases == 0 for node in three))
    assert three[0].judge(sleepers(4)).accepted


def judging(node: Node, submission: Submission) -> tuple[threading.Thread, list[Report]]:
    """Judge beside what goes on."""
    found: list[Report] = []
    thread = threading.Thread(target=lambda: found.append(node.judge(submission)))
    thread.start()
    return thread, found


@pytest.mark.parametrize("ends", ["killed", "stopped", "terminated"])
def test_what_a_node_had_is_run_elsewhere_when_it_ends(ends: str) -> None:
    with cluster(3, cluster={"hedge": False}) as made:
        thread, found = judging(made[0], sleepers(200))
        until(lambda: made[2].counter("cases_run_for_others") > 2)
        daemon = made[2].daemon
        if ends == "killed":
            daemon.kill()
        elif ends == "stopped":
            os.kill(daemon.pid, signal.SIGSTOP)
        else:
            daemon.process.terminate()
        thread.join(60)
        if ends == "stopped":
            os.kill(daemon.pid, signal.SIGCONT)
        (report,) = found
        assert report.accepted, report.message
        attempts = [case.attempts for case in report.cases]
        assert max(attempts) == 2, "some were begun twice"
        # Half of what waits is lent at most: a half to it, a quarter to the other, and half of that
        # by the other to it.  Each loan is rounded up to a whole case.
        assert attempts.count(1) >= 200 * (1 - 1 / 2 - 1 / 8) - 2
        if ends == "killed":
            wait_for(made[:2], {"node0": "alive", "node1": "alive", "node2": "dead"})
        elif ends == "terminated":
            assert daemon.process.wait(30) == 0
            wait_for(made[:2], {"node0": "alive", "node1": "alive", "node2": "left"})
        else:
            wait_for(made, dict.fromkeys(("node0", "node1", "node2"), "alive"))


def test_who_runs_out_of_work_gets_its_own_back() -> None:
    with cluster(2) as made:
        thread, found = judging(made[0], sleepers(120))
        until(lambda: made[1].counter("cases_run_for_others") > 2)
        # From now on its slots are only half for what it has borrowed.
        other, others = judging(made[1], sleepers(200))
        thread.join(60)
        until(lambda: made[0].counter("leases_come_home") > 0)
        assert made[1].counter("leases_sent_home") == made[0].counter("leases_come_home")
        other.join(60)
        for report in (*found, *others):
            assert report.accepted, report.message
            assert {case.attempts for case in report.cases} == {1}
        (report,) = found
        assert set(ran_on(report)) == {"", "node1"}


def test_a_node_that_comes_back_is_welcome() -> None:
    with cluster(2) as made:
        made[1].daemon.kill()
        wait_for(made[:1], {"node0": "alive", "node1": "dead"})
        assert made[0].judge(sleepers(6)).accepted, "alone"
        made[1].start()
        made[1].daemon.when_ready()
        wait_for(made, {"node0": "alive", "node1": "alive"})
        assert set(ran_on(made[0].judge(sleepers(60)))) == {"", "node1"}


def test_nothing_is_taken_where_that_is_switched_off() -> None:
    with cluster(2, cluster={"steal": False}) as made:
        assert ran_on(made[0].judge(sleepers(20))) == {"": 20}


def test_a_sample_is_run_twice(three: list[Node]) -> None:
    with cluster(2, cluster={"recheck": 1.0}) as made:
        report = made[0].judge(sleepers(40))
        assert report.accepted
        assert ran_on(report) == {"": 40}, "what was found here counts"
        assert made[0].counter("cases_checked") >= 4
        assert made[0].counter("disagreements") == 0
