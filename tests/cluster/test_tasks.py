"""A defect in the background ends nothing else."""

from __future__ import annotations

import anyio

from scalebox.cluster.tasks import Tasks


async def test_what_fails_ends_nothing_else() -> None:
    done: list[int] = []

    async def fails() -> None:
        raise ZeroDivisionError

    async def works(number: int) -> None:
        await anyio.sleep(0.01)
        done.append(number)

    async with anyio.create_task_group() as group:
        tasks = Tasks(group)
        tasks.start_soon(works, 1)
        tasks.start_soon(fails)
        tasks.start_soon(works, 2)
    assert done == [1, 2]


async def test_it_ends_with_its_group() -> None:
    async with anyio.create_task_group() as group:
        Tasks(group).start_soon(anyio.sleep, 60)
        with anyio.fail_after(5):
            group.cancel_scope.cancel()
