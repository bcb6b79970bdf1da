"""Work in the background whose failure is logged, and ends nothing else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from anyio.abc import TaskGroup

log = structlog.get_logger("scalebox.cluster")


class Tasks:
    """A task group in which a defect of the cluster's does not end a daemon that judges.

    Parameters:
        group: that the work belongs to.
    """

    def __init__(self, group: TaskGroup) -> None:
        self._group = group

    def start_soon(self, function: Callable[..., Awaitable[object]], *arguments: Any) -> None:
        """Call it in a task of its own."""
        self._group.start_soon(self._run, function, arguments)

    async def _run(
        self, function: Callable[..., Awaitable[object]], arguments: tuple[Any, ...]
    ) -> None:
        try:
            await function(*arguments)
        except Exception:
            log.exception("work of the cluster failed")
