"""What a harness of ours says over the channel, told from what anybody else writes there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

#: A record is a few hundred characters, in JSON's longest escapes.
_LONGEST = 16_384


def records(channel: bytes, nonce: str) -> Iterator[dict[str, Any]]:
    """The objects, a line each, that hold the nonce; everything else was written by somebody else.

    Parameters:
        channel: all that was written.
        nonce: unguessable, new for each run.
    """
    wanted = nonce.encode()
    found = channel.find(wanted)
    while found >= 0:
        start = channel.rfind(b"\n", max(0, found - _LONGEST), found) + 1
        end = channel.find(b"\n", found, found + _LONGEST)
        if end < 0:
            return
        try:
            record = json.loads(channel[start:end])
        except (ValueError, RecursionError):
            record = None  # not ours, though it holds the nonce
        if isinstance(record, dict) and record.get("nonce") == nonce:
            yield record
        found = channel.find(wanted, end)
