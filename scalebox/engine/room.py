"""What all judgements of a daemon share."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from anyio.abc import TaskGroup

from scalebox.config import Config
from scalebox.engine.aside import Aside
from scalebox.engine.blobs import BlobStore
from scalebox.engine.builder import Builder
from scalebox.engine.inputs import Inputs
from scalebox.engine.judges import Judges
from scalebox.engine.lending import Lending
from scalebox.engine.scheduler import Scheduler
from scalebox.languages.toolchains import Toolchains
from scalebox.model import Enforcement, IsolationLevel


@dataclass(slots=True)
class Room:
    """What judgements share.

    Attributes:
        slots: how many there are.
        counters: monotonic counts, for operators.
    """

    config: Config
    scheduler: Scheduler
    builder: Builder
    blobs: BlobStore
    inputs: Inputs
    tools: Toolchains
    judges: Judges
    aside: Aside
    tasks: TaskGroup
    slots: int
    level: IsolationLevel = IsolationLevel.MINIMAL
    enforcement: Enforcement = Enforcement.RLIMIT
    lending: Lending = field(default_factory=Lending)
    counters: Counter[str] = field(default_factory=Counter)
