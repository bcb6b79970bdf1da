"""The store of judges of real daemons: over their sockets, past their deaths, and shared by two."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import scalebox
from scalebox.model import JudgeState, NamedJudge, Report, StdioCase, StdioTests, Verdict
from tests.daemons import Daemon, Place, kinds, place, until

NAIVE = (
    "def judge(input, output, answer):\n"
    "    if output.startswith('-'):\n"
    "        raise ValueError('negative')\n"
    "    return output.split() == answer.split()\n"
)
PROOF = {"asked": 3}
PROVENANCE = scalebox.Provenance(source="uploaded")
SMALL = {"quarantine_failures": 3, "quarantine_rate": 0.3}


@pytest.fixture
def here() -> Iterator[Place]:
    with place(kinds()[0]) as made:
        yield made


def client_of(where: Place) -> scalebox.Client:
    return scalebox.Client(str(where.socket))


def add(client: scalebox.Client, judge: str = NAIVE, **more: Any) -> scalebox.JudgeRecord:
    options = {"problem": "p", "proof": PROOF, "state": JudgeState.ACTIVE, **more}
    judge_ = scalebox.FunctionJudge(source=judge)
    return client.add_judge(judge_, provenance=PROVENANCE, **options)


def ask(client: scalebox.Client, *outputs: str, name: str = "problem:p") -> Report:
    """What the judge says of these, where the answer is always 1."""
    tests = StdioTests(
        cases=[StdioCase(input=output, answer="1") for output in outputs],
        judge=NamedJudge(name=name),
    )
    return client.judge(language="python", source="print(input())", tests=tests, stop="never")


def test_a_judge_that_fails_in_service_is_out_also_after_a_restart(here: Place) -> None:
    with here.start(judges=SMALL), client_of(here) as client:
        record = add(client)
        assert ask(client, *"1111").accepted
        report = ask(client, *["-1"] * 8)
        assert report.verdict is Verdict.JUDGE_ERROR
        assert ask(client, "1").verdict is Verdict.JUDGE_ERROR
        (info,) = [info for info in client.judges() if info.stored]
        assert info.stored.state is JudgeState.QUARANTINED
    daemon = here.start(judges=SMALL)
    assert "judge quarantined" in here.log.read_text()
    with client_of(here) as client:
        report = ask(client, "1", name=f"sha256:{record.hash}")
        assert report.verdict is Verdict.JUDGE_ERROR
        assert "ValueError: negative" in report.message
        found = client.set_judge_state(record.hash, JudgeState.ACTIVE, reason="it is needed")
        assert [change.state for change in found.history] == ["active", "quarantined", "active"]
        assert ask(client, "1").accepted
    assert daemon.terminate() == 0


def test_a_daemon_that_is_killed_keeps_every_judge_that_it_has_acknowledged(here: Place) -> None:
    daemon = here.start(sandbox={"slots": 1})
    told: list[scalebox.JudgeRecord] = []
    broken: list[Exception] = []

    def register() -> None:
        with scalebox.Client(str(here.socket), retries=0) as client:
            for number in range(100_000):
                try:
                    told.append(add(client, f"{NAIVE}# {number}\n", problem=f"p{number % 7}"))
                except scalebox.ScaleboxError as error:
                    broken.append(error)
                    return

    thread = threading.Thread(target=register)
    thread.start()
    until(lambda: len(told) >= 60)
    daemon.kill()
    thread.join()
    assert broken
    with here.start(sandbox={"slots": 1}), client_of(here) as client:
        stored = {info.stored.hash: info.stored for info in client.judges() if info.stored}
        assert {record.hash for record in told} <= stored.keys()
        assert len(stored) <= len(told) + 1
        for record in told:
            assert (stored[record.hash].problem, stored[record.hash].version) == (
                record.problem, record.version,
            )  # fmt: skip
        active = [one.problem for one in stored.values() if one.state is JudgeState.ACTIVE]
        assert sorted(active) == [f"p{number}" for number in range(7)]


def counted(client: scalebox.Client) -> tuple[int, int]:
    record = client.judge_record("problem:p")
    return record.decided, record.failed


def test_counts_are_kept_but_for_the_last_second(here: Place) -> None:
    daemon = here.start()
    with client_of(here) as client:
        add(client)
        assert ask(client, *"1111").accepted
        assert counted(client) == (4, 0)  # who asks has them written
    daemon.kill()
    with here.start(), client_of(here) as client:
        assert counted(client) == (4, 0)
        assert ask(client, "-1").verdict is Verdict.JUDGE_ERROR
    with here.start(), client_of(here) as client:  # that one ended in peace
        assert counted(client) == (4, 1)


def test_two_daemons_share_one_file(here: Place) -> None:
    file = {"file": str(here.directory / "shared.sqlite"), **SMALL}
    with (
        place(kinds()[0]) as there,
        here.start(judges=file),
        there.start(judges=file),
        client_of(here) as one,
        client_of(there) as other,
    ):
        add(one)
        assert ask(other, "1").accepted
        records = [add(client, NAIVE, problem="q") for client in (one, other)]
        assert records[0] == records[1]
        ask(one, *["-1"] * 4)
        until(lambda: ask(other, "1").verdict is Verdict.JUDGE_ERROR)
        assert "negative" in ask(other, "1").message
        other.set_judge_state("problem:p", JudgeState.ACTIVE, reason="again")
        until(lambda: ask(one, "1").accepted)
    assert not list(here.directory.glob("shared.sqlite-*")), "the last one cleans up"


@pytest.mark.parametrize("make", ["text", "foreign"])
def test_a_file_that_is_no_store_stops_the_start_with_the_remedy(here: Place, make: str) -> None:
    here.store.mkdir()
    file = here.store / "judges.sqlite"
    if make == "text":
        file.write_text("no database " * 1000)
    else:
        with sqlite3.connect(file) as db:
            db.execute("CREATE TABLE precious (x)")
        db.close()
    before = file.read_bytes()
    status, said = here.refused()
    assert status == 2
    assert f"scaleboxd: the store of judges {file}" in said or f"scaleboxd: {file} is a" in said
    assert "move" in said
    assert "judges.file" in said
    assert "Traceback" not in said
    assert file.read_bytes() == before
    with here.start(judges={"file": str(here.directory / "other.sqlite")}) as daemon:
        assert isinstance(daemon, Daemon)


class WithoutSqlite(Place):
    """Where Python was built without SQLite."""

    def environment(self) -> dict[str, str]:
        shadow = self.directory / "shadow"
        shadow.mkdir(exist_ok=True)
        (shadow / "sqlite3.py").write_text("raise ImportError(\"No module named '_sqlite3'\")")
        return {**super().environment(), "PYTHONPATH": str(shadow)}


def test_a_python_without_sqlite_stops_the_start_with_the_remedy() -> None:
    with place(kinds()[0], WithoutSqlite) as here:
        status, said = here.refused()
    assert status == 2
    assert "was built without SQLite" in said
    assert "Traceback" not in said


def test_a_private_daemons_store_ends_with_it_unless_it_is_elsewhere(tmp_path: Path) -> None:
    for options, kept in (({}, False), ({"judges": {"file": str(tmp_path / "j.sqlite")}}, True)):
        with scalebox.local(sandbox={"slots": 1}, **options) as client:
            add(client)
        with scalebox.local(sandbox={"slots": 1}, **options) as client:
            assert any(info.stored for info in client.judges()) is kept


async def test_the_same_for_programs_that_await() -> None:
    async with scalebox.async_local(sandbox={"slots": 1}) as client:
        judge = scalebox.FunctionJudge(source=NAIVE)
        record = await client.add_judge(judge, provenance=PROVENANCE, problem="a/b")
        assert await client.judge_record(record.name) == record
        assert await client.judge_record(record.hash) == record
        record = await client.set_judge_state(record.name, JudgeState.PROVEN, proof=PROOF)
        assert (record.state, record.proof) == (JudgeState.PROVEN, PROOF)
        with pytest.raises(scalebox.RemoteError) as caught:
            await client.set_judge_state(record.name, JudgeState.CANDIDATE)
        assert (caught.value.code, caught.value.http_status) == ("judge_state", 409)
        with pytest.raises(scalebox.ScaleboxError, match="cannot be sent"):
            await client.add_judge(judge, provenance=PROVENANCE, proof={"huge": 1 << 70})
        with pytest.raises(scalebox.ScaleboxError, match="surrogate"):
            await client.add_judge(scalebox.FunctionJudge(source="\ud800"), provenance=PROVENANCE)
