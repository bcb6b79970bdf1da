"""Real daemons die, fall silent, drain and come back: every submission has its one right report."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack, suppress
from pathlib import Path

import pytest

from scalebox import (
    AsyncClient,
    Blob,
    Client,
    ConnectionFailedError,
    FunctionJudge,
    JudgeState,
    Limits,
    NamedJudge,
    Problem,
    Provenance,
    RemoteError,
    Report,
    StdioCase,
    StdioTests,
    Submission,
    Verdict,
)
from tests.daemons import Daemon, Place, kinds, place, until

COUNT = 300
SUM = "print(sum(map(int, input().split())))"
SLEEP = "import time; time.sleep({:g}); print(7)"
SLEEPING = Limits(cpu_time_s=2.0, wall_time_s=30.0)


class Two:
    """Two places with a daemon each, the first preferred."""

    def __init__(self, first: Place, second: Place) -> None:
        self.places = first, second
        self.daemons = [first.begin(), second.begin()]
        self.revive()

    @property
    def addresses(self) -> list[str]:
        return [f"unix:{where.socket}" for where in self.places]

    def runs(self, number: int) -> float:
        """How many runs a daemon has done."""
        return self.daemons[number].status().counters["runs"]

    def restart(self, number: int) -> None:
        self.daemons[number] = self.places[number].start()

    def revive(self) -> None:
        """Start those that are dead."""
        for number, daemon in enumerate(self.daemons):
            if daemon.process.poll() is not None:
                self.daemons[number] = self.places[number].begin()
        for daemon in self.daemons:
            daemon.when_ready()


@pytest.fixture(scope="module")
def pair() -> Iterator[Two]:
    first: Place
    second: Place
    with place(kinds()[0]) as first, place(kinds()[0]) as second:
        yield Two(first, second)


@pytest.fixture
def two(pair: Two) -> Two:
    """The same two for all tests, whose stores survive them."""
    pair.revive()
    return pair


def rollouts(count: int = COUNT) -> Iterator[Submission]:
    for number in range(count):
        # Every third one is wrong.
        answer = str(number if number % 3 else -1)
        cases = [StdioCase(input=text, answer=answer) for text in ("7", "8")]
        source = f"print({number} if int(input()) > 6 else 'no')"
        yield Submission(
            language="python", source=source, tests=StdioTests(cases=cases), id=str(number)
        )


class Answers:
    """What came, and what of it was wrong."""

    def __init__(self) -> None:
        self.count: Counter[int] = Counter()
        self.wrong: list[tuple[int, Report]] = []

    def take(self, index: int, report: Report) -> int:
        self.count[index] += 1
        right = Verdict.ACCEPTED if index % 3 else Verdict.WRONG_ANSWER
        if report.verdict is not right or report.id != str(index):
            self.wrong.append((index, report))
        return self.count.total()

    def are_complete(self, count: int = COUNT) -> bool:
        return not self.wrong and self.count == Counter(range(count))


def test_every_submission_gets_one_right_report_though_daemons_are_killed(two: Two) -> None:
    answers = Answers()
    before = two.runs(1)
    with Client(two.addresses) as client:
        for index, report in client.judge_many(rollouts(), in_flight=48):
            answered = answers.take(index, report)
            if answered == 60:
                two.daemons[0].kill()
            elif answered == 150:
                assert two.runs(1) > before
                two.restart(0)
            elif answered == 200:
                two.daemons[1].kill()
    assert answers.are_complete()
    assert two.runs(0)


def test_work_goes_back_to_the_first_daemon_when_it_is_back(two: Two) -> None:
    two.daemons[0].kill()
    with Client(",".join(two.addresses)) as client:
        assert client.judge(language="python", source=SUM, tests=[("1 2", "3")]).accepted
        two.restart(0)

        def is_back() -> bool:
            report = client.judge(language="python", source=SUM, tests=[("1 2", "3")])
            assert report.accepted
            return two.runs(0) > 0

        until(is_back)
        before = two.runs(1)
        assert len(client.judge_all(list(rollouts(20)))) == 20
        assert two.runs(1) == before


def test_both_dead_is_said_with_both_addresses(two: Two) -> None:
    with Client(two.addresses, retries=3) as client:
        stream = client.judge_many(rollouts(2000))
        next(stream)
        for daemon in two.daemons:
            daemon.kill()
        with pytest.raises(ConnectionFailedError) as caught:
            list(stream)
    assert all(address in caught.value.message for address in two.addresses)


def test_a_drained_daemon_loses_nothing(two: Two) -> None:
    answers = Answers()
    ends = []

    def drain() -> None:
        ends.append(two.daemons[0].terminate())

    draining = threading.Thread(target=drain)
    with Client(two.addresses) as client:
        for index, report in client.judge_many(rollouts(), in_flight=64):
            if answers.take(index, report) == 60:
                draining.start()
        draining.join()
    assert answers.are_complete()
    assert ends == [0]


def test_a_daemon_that_drains_longer_than_it_may_loses_nothing(two: Two) -> None:
    first: Place
    hasty: Daemon
    with place(kinds()[0]) as first:
        hasty = first.start(server={"drain_timeout_s": 0.2})
        tests = StdioTests(cases=[StdioCase(answer="7")])
        slow = [
            Submission(
                language="python", source=SLEEP.format(1.5), tests=tests, limits=SLEEPING, id=str(n)
            )
            for n in range(4)
        ]
        with Client([str(first.socket), two.addresses[1]]) as client:
            stream = client.judge_many(slow)
            ending = threading.Timer(1.0, hasty.terminate)
            ending.start()
            reports = [report for _, report in stream]
            ending.join()
    assert sorted(report.id or "" for report in reports) == ["0", "1", "2", "3"]
    assert all(report.accepted for report in reports)


@pytest.mark.parametrize("kind", ["unix", "tcp"])
def test_an_address_that_never_answers_costs_no_deadline(two: Two, kind: str) -> None:
    with ExitStack() as stack:
        folder = two.places[0].directory
        if kind == "unix":
            listening = stack.enter_context(socket.socket(socket.AF_UNIX))
            listening.bind(str(folder / "silent"))
            listening.listen()
            silent = f"unix:{folder / 'silent'}"
        else:
            listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            silent = f"http://127.0.0.1:{listening.getsockname()[1]}"
        client = stack.enter_context(Client([silent, two.addresses[1]], unresponsive_s=400.0))
        report = client.judge(language="python", source=SUM, tests=[("1 2", "3")], deadline_s=20.0)
        assert report.accepted
        assert len(client.judge_all(list(rollouts(50)))) == 50


def test_a_daemon_that_is_stopped_loses_its_work(two: Two) -> None:
    answers = Answers()
    first = two.daemons[0].process
    try:
        with Client(two.addresses, unresponsive_s=1.0) as client:
            for index, report in client.judge_many(rollouts(), in_flight=128):
                if answers.take(index, report) == 60:
                    first.send_signal(signal.SIGSTOP)
    finally:
        first.send_signal(signal.SIGCONT)
    assert answers.are_complete()


def test_a_deadline_is_that_of_the_whole_way(two: Two) -> None:
    """What the first had of it, the second has not."""
    first = two.daemons[0].process
    with Client(two.addresses, unresponsive_s=1.0) as client:
        killing = threading.Timer(1.5, first.kill)
        killing.start()
        report = client.judge(
            language="python",
            source=SLEEP.format(25),
            tests=[("", "7")],
            limits=SLEEPING,
            deadline_s=3.0,
        )
        killing.join()
    assert report.verdict is Verdict.CANCELLED
    assert report.wall_time_s < 2.5


class Line:
    """A relay to a daemon's socket, whose connections can be cut."""

    def __init__(self, path: Path, target: Path) -> None:
        self._path, self._target = path, target
        self._ends: set[socket.socket] = set()
        self._listening = socket.socket(socket.AF_UNIX)

    def __enter__(self) -> Line:
        self._listening.bind(str(self._path))
        self._listening.listen()
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.cut()

    def cut(self) -> None:
        for end in list(self._ends):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                here, _ = self._listening.accept()
                there = socket.socket(socket.AF_UNIX)
                there.connect(str(self._target))
                self._ends |= {here, there}
                for source, target in ((here, there), (there, here)):
                    threading.Thread(target=self._pump, args=(source, target), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)


async def test_after_a_broken_connection_the_same_work_is_joined(two: Two) -> None:
    def cases() -> float:
        return two.daemons[0].status().counters.get("cases", 0)

    here, there = two.places
    before = cases(), two.runs(1)
    submission = Submission(
        language="python",
        source=SLEEP.format(2),
        tests=StdioTests(cases=[StdioCase(answer="7")]),
        limits=SLEEPING,
        deadline_s=60.0,
        idempotency_key="one",
    )
    async with (
        AsyncExitStack() as stack,
        AsyncClient([here.directory / "line", there.socket]) as client,
        AsyncClient(here.socket) as other,
    ):
        line = stack.enter_context(Line(here.directory / "line", here.socket))
        both = [asyncio.ensure_future(asking.judge(submission)) for asking in (client, other)]
        while not (await other.status()).running_cases:
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.3)
        line.cut()
        reports = await asyncio.gather(*both)
    assert reports[0] == reports[1]
    assert reports[0].accepted
    assert cases() - before[0] == 1
    assert two.runs(1) == before[1]


def test_a_registered_problem_means_the_same_at_the_next_daemon(two: Two) -> None:
    def problem(digest: str, answer: str) -> Problem:
        case = StdioCase(input=Blob(sha256=digest), answer=answer)
        return Problem(tests=StdioTests(cases=[case]))

    with Client(two.addresses[1]) as earlier:
        # The second knows another problem by that id.
        earlier.put_problem("sums/one", problem(earlier.put_blob(b"1 1"), "2"))
    with Client(two.addresses) as client:
        client.put_problem("sums/one", problem(client.put_blob(b"20 22"), "42"))
        assert client.judge(language="python", source=SUM, problem="sums/one").accepted
        two.daemons[0].kill()
        asked = [Submission(language="python", source=SUM, problem="sums/one")] * 50
        asked += [Submission(language="python", source="print(42)", problem="sums/one")]
        asked += [Submission(language="python", source="print(2)", problem="sums/one")]
        *rest, last = client.judge_all(asked)
    assert all(report.accepted for report in rest)
    assert last.verdict is Verdict.WRONG_ANSWER


def test_a_blob_is_uploaded_to_the_next_daemon(two: Two) -> None:
    with Client(two.addresses) as client:
        digest = client.put_blob(b"20 22")
        tests = StdioTests(cases=[StdioCase(input=Blob(sha256=digest), answer="42")])
        two.daemons[0].kill()
        assert client.judge(language="python", source=SUM, tests=tests).accepted
        assert (
            client.run(language="python", source=SUM, stdin=Blob(sha256=digest)).stdout == b"42\n"
        )


def test_a_problem_that_nobody_told_the_next_daemon_is_refused_by_name(two: Two) -> None:
    with Client(two.addresses[0]) as other:
        case = StdioCase(input="1 2", answer="3")
        other.put_problem("sums/two", Problem(tests=StdioTests(cases=[case])))
    with Client(two.addresses) as client:
        assert client.judge(language="python", source=SUM, problem="sums/two").accepted
        two.daemons[0].kill()
        with pytest.raises(RemoteError) as caught:
            client.judge(language="python", source=SUM, problem="sums/two")
    assert caught.value.code == "unknown_problem"
    assert two.addresses[1] in caught.value.message


EVEN = "def judge(input, output, answer):\n    return int(output) % 2 == 0\n"
ODD = "def judge(input, output, answer):\n    return int(output) % 2 == 1\n"
HERE = Provenance(source="uploaded")


def test_stored_judges_are_told_to_the_next_daemon(two: Two) -> None:
    def verdict(name: str) -> Verdict:
        tests = StdioTests(cases=[StdioCase()], judge=NamedJudge(name=name))
        return client.judge(language="python", source="print(4)", tests=tests).verdict

    with Client(two.addresses) as client:
        record = client.add_judge(FunctionJudge(source=EVEN), problem="stored", provenance=HERE)
        client.set_judge_state(record.hash, JudgeState.ACTIVE, force=True)
        names = [f"sha256:{record.hash}", "problem:stored", "problem:stored#1"]
        assert [verdict(name) for name in names] == [Verdict.ACCEPTED] * 3
        two.daemons[0].kill()
        assert [verdict(name) for name in names] == [Verdict.ACCEPTED] * 3
        assert client.judge_record(record.name).state is JudgeState.ACTIVE


def test_a_version_that_is_another_judge_elsewhere_is_refused(two: Two) -> None:
    with Client(two.addresses[1]) as earlier:
        earlier.add_judge(FunctionJudge(source=ODD), problem="even", provenance=HERE)
    with Client(two.addresses) as client:
        record = client.add_judge(FunctionJudge(source=EVEN), problem="even", provenance=HERE)
        assert record.name == "problem:even#1"
        case = StdioCase()
        client.put_problem(
            "named", Problem(tests=StdioTests(cases=[case], judge=NamedJudge(name=record.name)))
        )
        two.daemons[0].kill()
        named = StdioTests(cases=[case], judge=NamedJudge(name=record.name))
        for fields in ({"tests": named}, {"problem": "named"}):
            with pytest.raises(RemoteError, match=f"problem:even#2.*sha256:{record.hash}"):
                client.judge(language="python", source="print(4)", **fields)
        hashed = StdioTests(cases=[case], judge=NamedJudge(name=f"sha256:{record.hash}"))
        assert client.judge(language="python", source="print(4)", tests=hashed).accepted


def test_a_daemon_without_descriptors_left_behind(two: Two) -> None:
    """A client that has met the death of a daemon holds no connection to it."""

    def sockets() -> int:
        found = 0
        for name in os.listdir("/proc/self/fd"):
            with suppress(OSError):
                found += os.readlink(f"/proc/self/fd/{name}").startswith("socket:")
        return found

    before = sockets()
    with Client(two.addresses) as client:
        client.judge_all(list(rollouts(50)))
        two.daemons[0].kill()
        client.judge_all(list(rollouts(50)))
    deadline = time.monotonic() + 10
    while sockets() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert sockets() <= before
