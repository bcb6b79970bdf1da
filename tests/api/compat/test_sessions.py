"""Sessions that are run again: whose they are, and that they stay within their bounds."""

from __future__ import annotations

import asyncio

import pytest

from scalebox.api.compat import sessions
from scalebox.api.compat.sessions import Kept, Sessions
from scalebox.errors import TooLargeError


async def put(all_of_them: Sessions, client: str, name: str, text: str = "1") -> None:
    async with all_of_them.using(client, name) as session:
        session.known = True
        all_of_them.check_room(session, text)
        all_of_them.add(session, Kept(text, "ok"))


def names(all_of_them: Sessions, client: str) -> list[str]:
    return [session.name for session in all_of_them.of(client)]


async def test_a_session_belongs_to_its_client() -> None:
    kept = Sessions()
    await put(kept, "one", "s")
    async with kept.using("other", "s") as session:
        assert session.cells == []
    assert (names(kept, "one"), names(kept, "other")) == (["s"], ["s"])
    assert kept.delete("other", "s")
    assert not kept.delete("other", "s")
    assert names(kept, "one") == ["s"]


async def test_the_least_recently_used_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "MAX_SESSIONS", 3)
    kept = Sessions()
    for name in ("a", "b", "c", "a", "d"):
        await put(kept, "one", name)
    assert sorted(names(kept, "one")) == ["a", "c", "d"]


async def test_their_cells_are_bounded_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "MAX_CHARACTERS", 250)
    kept = Sessions()
    for name in ("a", "b", "c"):
        await put(kept, "one", name, "x" * 100)
    assert names(kept, "one") == ["b", "c"]
    assert kept.delete("one", "b")
    await put(kept, "one", "d", "x" * 100)
    assert names(kept, "one") == ["c", "d"]


async def test_one_session_is_bounded() -> None:
    kept = Sessions()
    with pytest.raises(TooLargeError, match="another session"):
        await put(kept, "one", "long", "x" * (sessions.MAX_SESSION_CHARACTERS + 1))
    for _ in range(sessions.MAX_CELLS):
        await put(kept, "one", "many")
    with pytest.raises(TooLargeError, match="another session"):
        await put(kept, "one", "many")
    with pytest.raises(TooLargeError, match="name"):
        await put(kept, "one", "x" * (sessions.MAX_NAME + 1))


async def test_one_call_at_a_time_has_a_session() -> None:
    kept, order = Sessions(), []

    async def call(number: int) -> None:
        async with kept.using("one", "s") as session:
            order.append(number)
            await asyncio.sleep(0)
            kept.add(session, Kept(str(number), "ok"))
            order.append(number)

    async with asyncio.TaskGroup() as group:
        for number in range(3):
            group.create_task(call(number))
    assert order == [0, 0, 1, 1, 2, 2]


async def test_what_was_deleted_in_the_middle_is_new_afterwards() -> None:
    kept = Sessions()
    async with kept.using("one", "s") as session:
        session.known = True
        assert kept.delete("one", "s")
        kept.add(session, Kept("1", "ok"))
    assert names(kept, "one") == []
    async with kept.using("one", "s") as session:
        assert (session.known, session.cells) == (False, [])
