"""A real Ray of several nodes on this machine: daemons on all of them, and nothing lost.

`make ray-test` installs Ray and names this file; its name keeps it out of `make test`.
"""

from __future__ import annotations

import itertools
import os
import signal
import stat
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import ray
from ray.cluster_utils import Cluster
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

import scalebox.ray
from scalebox import Client, RemoteError, ScaleboxError, StdioCase, StdioTests, Submission
from scalebox.errors import HostError
from scalebox.integrations.keeper import Whereabouts, name_of

PATIENCE_S = 120.0
OBJECTS_BYTES = 100 << 20
#: A dead node is noticed in seconds, not in the quarter of a minute that is Ray's default.
NOTICED_SOON = {
    "health_check_initial_delay_ms": 1000,
    "health_check_period_ms": 1000,
    "health_check_timeout_ms": 1000,
    "health_check_failure_threshold": 3,
}
CASES = 5000
KILLED_AFTER = 1500


def submission(number: int) -> Submission:
    """Right unless the number is a multiple of seven."""
    answer = str(2 * number + (number % 7 == 0))
    return Submission(
        language="python",
        source=f"print(int(input()) + {number})",
        tests=StdioTests(cases=[StdioCase(input=str(number), answer=answer)]),
    )


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A head and two more nodes, to which this process is the driver."""
    made = Cluster()
    try:
        made.add_node(
            num_cpus=1,
            object_store_memory=OBJECTS_BYTES,
            include_dashboard=False,
            _system_config=NOTICED_SOON,
        )
        for _ in range(2):
            made.add_node(num_cpus=1, object_store_memory=OBJECTS_BYTES)
        ray.init(address=made.address, log_to_driver=False)
        yield made
    finally:
        ray.shutdown()
        made.shutdown()


@pytest.fixture(scope="module")
def daemons(cluster: Cluster) -> Iterator[scalebox.ray.Daemons]:
    with pytest.raises(ScaleboxError, match=r"call scalebox\.ray\.start"):
        scalebox.ray.judge_all([submission(1)])
    with pytest.raises(HostError, match="isolation"):
        scalebox.ray.start(sandbox={"isolation": "no such level"}, ready_timeout_s=10.0)
    with scalebox.ray.start(sandbox={"slots": 1}) as started:
        yield started


def ready(daemons: scalebox.ray.Daemons) -> dict[str, Whereabouts]:
    return {node: at for node, at in daemons.whereabouts().items() if at is not None}


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it does not come to pass"
        time.sleep(0.2)


def judged(at: Whereabouts) -> int:
    with Client(at.socket) as client:
        return int(client.status().counters.get("cases", 0.0))


def test_every_node_has_a_daemon_of_its_own(daemons: scalebox.ray.Daemons) -> None:
    places = ready(daemons)
    assert places.keys() == {node["NodeID"] for node in ray.nodes() if node["Alive"]}
    assert len({at.pid for at in places.values()}) == len(places) == 3


def test_a_second_start_in_a_job_is_refused(daemons: scalebox.ray.Daemons) -> None:
    with pytest.raises(ScaleboxError, match="has its daemons already"):
        scalebox.ray.start()
    assert len(ready(daemons)) == 3


def test_secrets_are_in_a_private_file_alone(daemons: scalebox.ray.Daemons) -> None:
    for at in ready(daemons).values():
        process = Path(f"/proc/{at.pid}")
        for name in ("cmdline", "environ"):
            assert at.token.encode() not in (process / name).read_bytes()
        folder = Path(at.socket).parent
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert at.token in (folder / "scalebox.toml").read_text()
        assert at.token not in repr(at)


def test_daemons_are_told_of_each_other(daemons: scalebox.ray.Daemons) -> None:
    job = ray.get_runtime_context().get_job_id()
    actors = [ray.get_actor(name_of(job, node)) for node in ready(daemons)]
    tables = ray.get([actor.cluster.remote() for actor in actors])
    listening = {table["listen"] for table in tables}
    assert len(listening) == len({table["key"] for table in tables}) + 2 == 3
    for table in tables:
        assert {table["listen"], *table["seeds"]} == listening


def test_tasks_find_the_daemon_of_their_own_node(daemons: scalebox.ray.Daemons) -> None:
    @ray.remote(num_cpus=1)
    def reward() -> list[bool]:
        reports = [scalebox.ray.judge_all([submission(n)])[0] for n in range(1, 4)]
        return [report.accepted for report in reports]

    for node, at in ready(daemons).items():
        before = judged(at)
        here = NodeAffinitySchedulingStrategy(node, soft=False)
        assert ray.get(reward.options(scheduling_strategy=here).remote()) == [True] * 3
        assert judged(at) == before + 3


def test_results_come_in_order_if_they_shall(daemons: scalebox.ray.Daemons) -> None:
    told: list[tuple[int, int | None]] = []
    results = scalebox.ray.judge_many(
        [submission(n) for n in range(100)],
        ordered=True,
        in_flight=10,
        progress=lambda done, total: told.append((done, total)),
    )
    assert [(n, report.accepted) for n, report in results] == [(n, n % 7 != 0) for n in range(100)]
    assert told[-1] == (100, 100)


def test_many_threads_may_judge_at_once(daemons: scalebox.ray.Daemons) -> None:
    def accepted(first: int) -> list[bool]:
        reports = scalebox.ray.judge_all([submission(n) for n in range(first, first + 30)])
        return [report.accepted for report in reports]

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(accepted, range(0, 240, 30)))
    assert [*itertools.chain(*found)] == [n % 7 != 0 for n in range(240)]


def test_leaving_early_and_refusals_leave_the_daemons_well(daemons: scalebox.ray.Daemons) -> None:
    for _, report in scalebox.ray.judge_many(submission(n) for n in itertools.count(1)):
        assert report.total == 1
        break
    wrong = Submission(language="no such", source="", tests=StdioTests(cases=[StdioCase()]))
    with pytest.raises(RemoteError, match="no such"):
        scalebox.ray.judge_all([submission(1), wrong])
    results = dict(scalebox.ray.judge_many([submission(1), wrong], on_error="return"))
    assert [type(results[n]).__name__ for n in range(2)] == ["Report", "RemoteError"]


def test_a_batch_of_a_data_set_is_judged(daemons: scalebox.ray.Daemons) -> None:
    def make(row: dict[str, Any]) -> Submission:
        return submission(int(row["number"]))

    rows = ray.data.from_items([{"number": n} for n in range(40)])
    judged_rows = rows.map_batches(
        scalebox.ray.Judge,
        fn_constructor_args=[make],
        fn_constructor_kwargs={"prefix": "judge_"},
        batch_size=20,
        concurrency=1,
        num_cpus=0.1,
    ).take_all()
    assert len(judged_rows) == 40
    for row in judged_rows:
        right = row["number"] % 7 != 0
        assert bool(row["judge_accepted"]) is right
        assert row["judge_verdict"] == ("accepted" if right else "wrong_answer")
        assert row["judge_passed"] == int(right)
        assert row["judge_is_about_the_program"]


def test_a_killed_daemon_is_started_again(daemons: scalebox.ray.Daemons) -> None:
    node, at = next(iter(ready(daemons).items()))
    os.kill(at.pid, signal.SIGKILL)
    until(lambda: (now := ready(daemons).get(node)) is not None and now.starts == at.starts + 1)
    assert all(report.total == 1 for report in scalebox.ray.judge_all([submission(1)] * 20))


def test_a_daemon_ends_with_its_actor_and_the_next_actor_has_another(
    daemons: scalebox.ray.Daemons,
) -> None:
    node, at = next(iter(ready(daemons).items()))
    job = ray.get_runtime_context().get_job_id()
    ray.kill(ray.get_actor(name_of(job, node)), no_restart=False)
    until(lambda: not Path(f"/proc/{at.pid}").exists())
    until(lambda: node in ready(daemons))
    assert ready(daemons)[node].pid != at.pid


def test_a_node_dies_in_the_middle_and_nothing_is_lost(
    cluster: Cluster, daemons: scalebox.ray.Daemons
) -> None:
    # Neither the head nor the one that this process talks to.
    own = ray.get_runtime_context().get_node_id()
    (dies, *_) = (
        node for node in cluster.list_all_nodes() if not node.is_head() and node.node_id != own
    )
    at = ready(daemons)[dies.node_id]
    seen: Counter[int] = Counter()
    had = 0
    for number, report in scalebox.ray.judge_many(submission(n) for n in range(CASES)):
        assert report.accepted == (number % 7 != 0), report
        seen[number] += 1
        if seen.total() == KILLED_AFTER:
            had = judged(at)
            cluster.remove_node(dies, allow_graceful=False)
    assert seen == Counter(range(CASES))
    assert had > KILLED_AFTER / 20, "the node that died had no work"
    until(lambda: dies.node_id not in daemons.whereabouts())
    until(lambda: not Path(f"/proc/{at.pid}").exists())


def test_a_node_that_joins_gets_a_daemon(cluster: Cluster, daemons: scalebox.ray.Daemons) -> None:
    joined = cluster.add_node(num_cpus=1, object_store_memory=OBJECTS_BYTES)
    until(lambda: joined.node_id in ready(daemons))
    assert all(report.total == 1 for report in scalebox.ray.judge_all([submission(1)] * 20))


def test_what_was_started_is_ended(daemons: scalebox.ray.Daemons) -> None:
    places = ready(daemons)
    daemons.stop()
    for at in places.values():
        until(lambda at=at: not Path(f"/proc/{at.pid}").exists())
        assert not Path(at.socket).parent.exists()
