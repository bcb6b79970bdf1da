"""Programs over LiveCodeBench's samples, and what its checker said of each.

Said on 2026-11-26 by testing_util.py as evalscope 1.14.1 has it, with the stand-in for standard
input of LiveCodeBench's own, under a time limit of 1 s.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SAID: list[dict[str, Any]] = [
    json.loads(line)
    for line in Path(__file__).with_name("livecodebench.jsonl").read_text().splitlines()
]
