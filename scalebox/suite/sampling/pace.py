"""When the next request may go: one pace for all requests of an endpoint.

An endpoint that says "too many" says it to every request under way.  Were each to wait and go
again by itself, all would come back at once and be refused again.  So there is one queue: after a
refusal nobody goes before the pause is over, then one after the other with a gap between them.
Each new refusal doubles the gap, answers close it again, as congestion control does (RFC 5681).
"""

from __future__ import annotations

import asyncio
import time

_FIRST_GAP_S = 0.05
_MAX_GAP_S = 5.0
#: What an answer leaves of the gap: some ten answers undo one doubling, so that the pace settles
#: near what the endpoint allows.
_EASED = 0.93


class Pace:
    """The queue of one endpoint's requests."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._free_at = 0.0
        self._slowed_at = 0.0
        self.gap_s = 0.0

    async def turn(self) -> float:
        """Wait until a request may go, in the order of asking.  Returns when that is."""
        async with self._turn:
            while (left := self._free_at - time.monotonic()) > 0:
                await asyncio.sleep(left)
            now = time.monotonic()
            self._free_at = now + self.gap_s
            return now

    def refused(self, sent_at: float, pause_s: float) -> None:
        """The endpoint said "too many".

        Parameters:
            sent_at: when the request that it said so to had its turn.  Of several that were under
                way at once the first slows the pace, and the others say the same again.
            pause_s: from now on nobody goes for so long.
        """
        now = time.monotonic()
        self._free_at = max(self._free_at, now + pause_s)
        if sent_at >= self._slowed_at:
            self._slowed_at = now
            self.gap_s = min(_MAX_GAP_S, max(_FIRST_GAP_S, 2 * self.gap_s))

    def answered(self) -> None:
        """The endpoint answered."""
        self.gap_s = self.gap_s * _EASED if self.gap_s > _FIRST_GAP_S / 2 else 0.0
