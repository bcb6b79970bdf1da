"""What a daemon says of itself and of what it has: questions that change nothing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TypeVar

from scalebox.client.daemons import Daemon
from scalebox.client.item import Parcel
from scalebox.client.kept import judge_path
from scalebox.client.transport import Answer, Refusal
from scalebox.model import (
    ClusterView,
    JudgeInfo,
    JudgeRecord,
    LanguageInfo,
    LanguageTest,
    Status,
)

T = TypeVar("T")


class Questions(ABC):
    """The part of `AsyncClient` that only asks.  Every method raises as `AsyncClient.judge`."""

    @abstractmethod
    async def _ask(
        self, method: str, path: str, body: Parcel | None = None
    ) -> tuple[Daemon, Answer]:
        """A daemon's answer, and which daemon that was."""

    async def status(self) -> Status:
        """The daemon's slots, queue and counters."""
        return decode((await self._ask("GET", "/v1/status"))[1], Status)

    async def cluster(self) -> ClusterView:
        """The daemon's view of the others."""
        return decode((await self._ask("GET", "/v1/cluster"))[1], ClusterView)

    async def languages(self) -> list[LanguageInfo]:
        """What this daemon can run."""
        return decode((await self._ask("GET", "/v1/languages"))[1], list[LanguageInfo])

    async def language_tests(self) -> list[LanguageTest]:
        """Submissions that show whether the languages that are there work."""
        return decode((await self._ask("GET", "/v1/languages/tests"))[1], list[LanguageTest])

    async def judges(self) -> list[JudgeInfo]:
        """The judges that a `NamedJudge` can name: those that ship, then the store's."""
        return decode((await self._ask("GET", "/v1/judges"))[1], list[JudgeInfo])

    async def judge_record(self, name: str) -> JudgeRecord:
        """All that is known of a judge, its source and proof too.

        Parameters:
            name: as a `NamedJudge` says it, or a hash.
        """
        return decode((await self._ask("GET", judge_path(name)))[1], JudgeRecord)


def decode(answer: Answer, kind: type[T]) -> T:
    """An answer as what it should be; a refusal as the error that it is."""
    try:
        return answer.decode(kind)
    except Refusal as refusal:
        raise refusal.as_remote_error() from None
