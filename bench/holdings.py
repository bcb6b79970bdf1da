"""What a daemon and its slots hold while nothing runs, and whether it becomes more.

A holding is a number of things (processes, descriptors, mounts …), counted from outside.  A leak is
a holding whose least value at the end of a soak is greater than its greatest at the beginning, by
more than what comes and goes: a single look may find something that is just being taken away.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import processes
from bench.load import CACHES
from scalebox.sandbox.zygote.rootfs import GONE_PLACES

#: Of the samples, this share is the beginning, and as much the end.
EDGE_SHARE = 0.1
#: Memory is looked at once caches have been filled: from here on.
WARM_SHARE = 0.2
#: What comes and goes by itself.  The daemon's worker threads end when they have had no work for a
#: while, and a connection or a kept program's memfd may have just been closed.
_SLACK = {"descriptors": 8, "threads": 4}
#: Former runs' scratches in a slot are given up that many at a time, and each is a mount.
_SLACK_PER_SLOT = {"slots_mounts": GONE_PLACES}


@dataclass(frozen=True, slots=True)
class Holdings:
    """One look.

    Attributes:
        cases: judged until then.
        minutes: since the first.
        counts: what is held, by name.
        daemon_rss_bytes, slots_rss_bytes: resident memory of the daemon; of its zygotes together.
        cached_files: in the store, kept on purpose and bounded.
    """

    cases: int
    minutes: float
    counts: dict[str, int]
    daemon_rss_bytes: int
    slots_rss_bytes: int
    cached_files: int = 0

    def row(self) -> dict[str, Any]:
        """For the table."""
        return {
            "cases": self.cases,
            "minutes": self.minutes,
            **self.counts,
            "daemon_mb": self.daemon_rss_bytes / 1e6,
            "slots_mb": self.slots_rss_bytes / 1e6,
            "cached_files": self.cached_files,
        }


def look(pid: int, slots: Sequence[int], store: Path, cases: int, minutes: float) -> Holdings:
    """Count what a daemon holds now.

    Parameters:
        pid: the daemon.
        slots: its zygotes.
        store: its directory for files.
        cases, minutes: for the record.
    """
    files = processes.files(store)
    kept = sum(name.startswith(CACHES) for name in files)
    counts = {
        "processes": len(processes.descendants(pid)),
        "threads": processes.threads(pid),
        "slots_threads": sum(map(processes.threads, slots)),
        "descriptors": len(processes.descriptors(pid)),
        "slots_descriptors": sum(len(processes.descriptors(slot)) for slot in slots),
        "cgroups": sum(
            sum(1 for _ in os.walk(group)) for group in processes.cgroups(pid)
        ),
        "mounts": len(processes.mounts(pid, store.parent)),
        "slots_mounts": sum(processes.mount_count(slot) for slot in slots),
        "files": len(files) - kept,
    }  # fmt: skip
    return Holdings(
        cases,
        minutes,
        counts,
        processes.rss_bytes(pid),
        sum(map(processes.rss_bytes, slots)),
        kept,
    )


def edges(count: int) -> int:
    """How many samples are the beginning, and as many the end."""
    return max(1, int(count * EDGE_SHARE))


def leaks(samples: Sequence[Holdings], slots: int) -> list[str]:
    """What has become more, in words; of fewer than two samples nothing can be said."""
    if len(samples) < 2:
        return []
    edge = edges(len(samples))
    found = []
    for name in samples[0].counts:
        before = max(sample.counts[name] for sample in samples[:edge])
        after = min(sample.counts[name] for sample in samples[-edge:])
        slack = _SLACK.get(name, 0) + slots * _SLACK_PER_SLOT.get(name, 0)
        if after > before + slack:
            found.append(f"{name}: {before} at the beginning, {after} at the end")
    return found


def growth_bytes(samples: Sequence[Holdings]) -> tuple[int, int] | None:
    """How much resident memory the daemon, and the slots together, have gained since caches were
    full; None: too few samples to tell."""
    end = samples[-1].cases if samples else 0
    warm = [sample for sample in samples if sample.cases >= WARM_SHARE * end]
    if len(warm) < 2:
        return None
    edge = edges(len(warm))
    return (
        _growth([sample.daemon_rss_bytes for sample in warm], edge),
        _growth([sample.slots_rss_bytes for sample in warm], edge),
    )


def _growth(values: Sequence[int], edge: int) -> int:
    return int(statistics.median(values[-edge:]) - statistics.median(values[:edge]))


@dataclass(frozen=True, slots=True)
class Window:
    """Some seconds of work.

    Attributes:
        cases: judged in them.
        cpu_s: of the daemon, its zygotes and all programs.
        reference_s: CPU seconds of a piece of work that is always the same: how fast the machine
            was.
    """

    cases: int
    cpu_s: float
    reference_s: float

    @property
    def cpu_per_case_s(self) -> float:
        """CPU seconds a case."""
        return self.cpu_s / self.cases


def drift(values: Sequence[float]) -> float | None:
    """How much greater the median of the last tenth is than that of the first, as a share of the
    first; None: fewer than two values."""
    if len(values) < 2:
        return None
    edge = edges(len(values))
    first, last = statistics.median(values[:edge]), statistics.median(values[-edge:])
    return last / first - 1
