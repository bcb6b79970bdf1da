"""The synchronous client: any thread, clean ends."""

from __future__ import annotations

import asyncio
import faulthandler
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from scalebox import Client, RemoteError, ScaleboxError, Submission
from scalebox.errors import BadRequestError
from tests.client.fake import FakeDaemon

OK = Submission(language="python", source="ok")


@pytest.fixture
def client(threaded_daemon: FakeDaemon, socket_path: Path) -> Iterator[Client]:
    with Client(socket_path, retries=3) as opened:
        yield opened


def test_judge_blocks_until_the_report(client: Client) -> None:
    assert client.judge(OK).accepted
    assert client.judge(language="python", source="ok", tests=[("", "")]).accepted
    assert client.run(language="python", source="x").exit_code == 0
    assert client.status().node == "fake"
    assert len(client.languages()) == 2
    assert [judge.name for judge in client.judges()] == ["some"]
    assert len(client.put_blob(b"x")) == 64


def test_many_threads_share_a_client(client: Client, threaded_daemon: FakeDaemon) -> None:
    with ThreadPoolExecutor(16) as threads:
        reports = list(threads.map(lambda _: client.judge(OK), range(400)))
    assert all(report.accepted for report in reports)
    assert len(threaded_daemon.keys) == 400


def test_judge_many_yields_and_reports_progress_in_the_callers_thread(client: Client) -> None:
    threads = set()

    def progress(done: int, total: int | None) -> None:
        threads.add(threading.current_thread())

    submissions = [Submission(language="python", source="ok", id=str(i)) for i in range(500)]
    results = list(client.judge_many(submissions, ordered=True, progress=progress))
    assert [report.id for _, report in results] == [str(i) for i in range(500)]
    assert threads == {threading.current_thread()}
    assert len(client.judge_all(submissions)) == 500


def test_a_slow_generator_is_sent_as_it_comes(client: Client) -> None:
    first_answered = threading.Event()

    def source() -> Iterator[Submission]:
        yield OK
        time.sleep(0.05)
        yield OK
        assert first_answered.wait(10)
        yield OK

    count = 0
    for _ in client.judge_many(source()):
        count += 1
        first_answered.set()
    assert count == 3


def test_an_endless_generator_can_be_left(client: Client) -> None:
    def source() -> Iterator[Submission]:
        while True:
            yield OK

    for count, _ in enumerate(client.judge_many(source(), in_flight=100)):
        if count == 1000:
            break
    assert client.judge(OK).accepted


def test_errors_come_as_from_the_async_client(client: Client) -> None:
    with pytest.raises(RemoteError, match="cobol"):
        client.judge(language="cobol", source="")
    with pytest.raises(RemoteError, match="cobol"):
        client.judge_all([OK, Submission(language="cobol", source="")])
    with pytest.raises(BadRequestError):
        client.judge()


async def test_it_works_where_an_event_loop_runs(
    threaded_daemon: FakeDaemon, socket_path: Path
) -> None:
    # As in a notebook's cell, which runs inside the notebook's own loop.
    assert asyncio.get_running_loop().is_running()
    with Client(socket_path) as client:
        assert client.judge(OK).accepted


async def test_what_is_begun_can_be_awaited_in_any_loop(client: Client) -> None:
    ids = [str(number) for number in range(300)]
    submissions = [Submission(language="python", source="ok", id=one) for one in ids]
    both = client.begin_all(submissions), client.begin_all([OK])
    reports = await asyncio.wrap_future(both[0])
    assert [report.id for report in reports if not isinstance(report, RemoteError)] == ids
    assert len(both[1].result()) == 1
    assert client.begin_all([]).result() == []


def test_what_is_begun_gives_refusals_in_their_places(
    client: Client, threaded_daemon: FakeDaemon
) -> None:
    threaded_daemon.item_errors["bad"] = ["unknown_language"]
    bad = Submission(language="python", source="ok", id="bad")
    first, second, third = client.begin_all([OK, bad, OK]).result()
    assert isinstance(second, RemoteError)
    assert second.code == "unknown_language"
    assert not isinstance(first, RemoteError)
    assert not isinstance(third, RemoteError)


def test_what_is_begun_is_broken_off_when_its_future_is_cancelled(
    client: Client, threaded_daemon: FakeDaemon
) -> None:
    threaded_daemon.gate.clear()
    future = client.begin_all([OK])
    while not threaded_daemon.open_batches:
        time.sleep(0.01)
    assert future.cancel()
    while threaded_daemon.open_batches:
        time.sleep(0.01)
    threaded_daemon.gate.set()


def test_a_closed_client_says_so_and_leaves_nothing(
    threaded_daemon: FakeDaemon, socket_path: Path
) -> None:
    threads = threading.active_count()
    descriptors = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        client = Client(socket_path)
        client.judge(OK)
        client.close()
        client.close()
        with pytest.raises(ScaleboxError, match="closed"):
            client.judge(OK)
    assert threading.active_count() == threads
    # The daemon in this process closes its ends a moment later.
    deadline = time.monotonic() + 10
    while len(os.listdir("/proc/self/fd")) > descriptors and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(os.listdir("/proc/self/fd")) <= descriptors


def test_closing_ends_calls_of_other_threads(
    threaded_daemon: FakeDaemon, socket_path: Path
) -> None:
    threaded_daemon.gate.clear()
    client = Client(socket_path)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(client.judge, OK)
        while not threaded_daemon.open_batches:
            time.sleep(0.01)
        client.close()
        assert waiting.exception(10) is not None


def test_a_program_that_never_closes_its_client_still_ends(
    threaded_daemon: FakeDaemon, socket_path: Path
) -> None:
    program = (
        "import scalebox, sys\n"
        "client = scalebox.Client(sys.argv[1])\n"
        "print(client.judge(language='python', source='ok').verdict)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, str(socket_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ended.stdout == "accepted\n"
    assert ended.stderr == ""


def in_a_child(work: Callable[[], bool]) -> bool:
    """Whether the work is true in a forked child, which then ends as any interpreter does."""
    child = os.fork()
    if child == 0:
        faulthandler.dump_traceback_later(30, exit=True)
        try:
            os._exit(0 if work() else 1)
        except BaseException:
            traceback.print_exc()
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_forked_child_uses_the_client_over_a_connection_of_its_own(client: Client) -> None:
    assert client.judge(OK).accepted
    assert in_a_child(lambda: client.judge(OK).accepted)
    assert client.judge(OK).accepted


def test_a_forked_child_that_closes_the_client_leaves_the_parents_alone(client: Client) -> None:
    assert client.judge(OK).accepted

    def close() -> bool:
        client.close()
        return True

    assert in_a_child(close)
    assert client.judge(OK).accepted


def test_a_stream_of_the_parent_cannot_go_on_in_a_child(client: Client) -> None:
    stream = client.judge_many(OK for _ in range(200_000))
    next(stream)

    def goes_on() -> bool:
        try:
            for _ in range(100_000):
                next(stream)
        except ScaleboxError as error:
            return "parent" in str(error)
        return False

    assert in_a_child(goes_on)
    assert next(stream)[1].accepted


def test_a_forked_child_ends_with_the_parents_streams_and_clients_open(
    threaded_daemon: FakeDaemon, socket_path: Path
) -> None:
    program = (
        "import os, sys, faulthandler, scalebox\n"
        "client = scalebox.Client(sys.argv[1])\n"
        "ok = scalebox.Submission(language='python', source='ok')\n"
        "stream = client.judge_many(ok for _ in range(100_000))\n"
        "next(stream)\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    faulthandler.dump_traceback_later(30, exit=True)\n"
        "    del client, stream\n"
        "    sys.exit(0)\n"
        "print(os.waitpid(child, 0)[1], next(stream)[1].verdict)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, str(socket_path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (ended.stdout, ended.stderr) == ("0 accepted\n", "")


def test_ctrl_c_breaks_off_what_is_under_way(
    threaded_daemon: FakeDaemon, socket_path: Path
) -> None:
    threaded_daemon.gate.clear()
    program = (
        "import sys, itertools, scalebox\n"
        "client = scalebox.Client(sys.argv[1])\n"
        "ok = scalebox.Submission(language='python', source='ok')\n"
        "for _ in client.judge_many(ok for _ in itertools.count()):\n"
        "    pass\n"
    )
    started = subprocess.Popen(
        [sys.executable, "-c", program, str(socket_path)], stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while threaded_daemon.open_batches < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    started.send_signal(signal.SIGINT)
    _, said = started.communicate(timeout=60)
    assert started.returncode == -signal.SIGINT
    assert said.rstrip().endswith("KeyboardInterrupt")
    while threaded_daemon.open_batches and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not threaded_daemon.open_batches
