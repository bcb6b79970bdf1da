"""The unit is one that systemd understands, and leaves the daemon what it needs.

That a daemon in a delegated group limits and measures with cgroup v2 is `make cgroup-test`'s.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scalebox.config import Config
from tests.deploy.test_kubernetes import ADDED

ROOT = Path(__file__).parent.parent.parent
UNIT = ROOT / "deploy" / "systemd" / "scaleboxd.service"
TEXT = UNIT.read_text(encoding="utf-8")
#: systemd's own checker, where there is a systemd (`.ci/run` installs it).
CHECKER = shutil.which("systemd-analyze")


def settings() -> dict[str, list[str]]:
    """Name → values of the section [Service]."""
    section = TEXT.partition("[Service]\n")[2].partition("\n[")[0]
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", section, re.M):
        found.setdefault(name, []).append(value)
    return found


def complaints(text: str, directory: Path) -> str:
    """What systemd says of a unit; the daemon stands where this Python is."""
    assert CHECKER is not None
    unit = directory / "scaleboxd.service"
    unit.write_text(text.replace("/opt/scalebox/bin/scaleboxd", sys.executable))
    done = subprocess.run(
        [CHECKER, "verify", "--man=no", "--recursive-errors=no", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    said = (done.stdout + done.stderr).splitlines()
    return "\n".join(line for line in said if "scaleboxd.service" in line)


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ("", "", ""),
        ("KillMode=mixed", "KillMode=some", "kill mode"),
        ("OOMPolicy=", "OOMPolice=", "OOMPolice"),
        ("Delegate=cpu memory", "Delegate=cpu memories", "memories"),
    ]
    if CHECKER
    else [],
)
def test_systemd_understands_the_unit(old: str, new: str, wrong: str, tmp_path: Path) -> None:
    said = complaints(TEXT.replace(old, new) if old else TEXT, tmp_path)
    assert wrong in said if wrong else not said, said


def test_it_has_the_capabilities_of_level_full_and_no_others() -> None:
    """Which the tests of the manifests try out, with each left out."""
    named = " ".join(settings()["CapabilityBoundingSet"]).split()
    assert sorted(named) == sorted(f"CAP_{name}" for name in ADDED)


def test_the_groups_controllers_are_delegated() -> None:
    (delegated,) = settings()["Delegate"]
    assert set(delegated.split()) >= {"memory", "pids", "cpu"}
    assert "DelegateSubgroup" not in settings()
    assert settings()["OOMPolicy"] == ["continue"]


def test_it_may_drain_before_it_is_killed() -> None:
    (stop_s,) = settings()["TimeoutStopSec"]
    assert float(stop_s) > Config().server.drain_timeout_s + 10
    assert settings()["KillMode"] == ["mixed"]
