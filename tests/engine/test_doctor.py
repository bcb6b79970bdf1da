"""The doctor: what this host gives, as root and as anybody, in words that help."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from scalebox.config import Config
from scalebox.engine import doctor, service
from scalebox.engine.doctor import Check, Diagnosis
from scalebox.model import Enforcement, IsolationLevel
from scalebox.sandbox import cgroups

from .conftest import ROOT

NOBODY = 65534


def config(**tables: Any) -> Config:
    return msgspec.convert(tables, Config)


def named(diagnosis: Diagnosis) -> dict[str, Check]:
    return {check.name: check for check in diagnosis.checks}


def groups() -> set[str]:
    """Groups of ours, in every hierarchy."""
    found = set()
    for root in set(cgroups.mounts().values()):
        found |= {str(path) for path in root.rglob(f"{cgroups.PREFIX}{os.getpid()}.*")}
    return found


async def test_it_tries_every_level_and_leaves_nothing(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before, made_before = Path("/proc/self/cgroup").read_text(), groups()
    diagnosis = await doctor.diagnose(config())
    checks = named(diagnosis)
    assert diagnosis.ok
    for level in IsolationLevel:
        check = checks[f"level {level.value}"]
        assert check.ok or check.remedy, "what is missing has a remedy"
    assert ROOT or not checks["level full"].ok
    assert list(tmp_path.iterdir()) == []
    assert groups() <= made_before
    assert Path("/proc/self/cgroup").read_text() == before


async def test_it_says_what_a_daemon_then_finds(start_engine) -> None:
    diagnosis = await doctor.diagnose(config())
    async with start_engine() as engine:
        status = engine.status()
        assert (status.isolation, status.enforcement) == (
            diagnosis.isolation,
            diagnosis.enforcement,
        )
    said = named(diagnosis)['isolation = "auto"'].detail
    assert said == f"gives {diagnosis.isolation} with {diagnosis.enforcement}"


def test_memory_that_is_not_enough_for_every_slot_is_said_to_be_so() -> None:
    little = config(engine={"memory_bytes": 3 << 30}, sandbox={"slots": 4})
    check = doctor._check_memory(little)
    assert not check.ok
    assert "3 of 4 slots" in check.detail
    assert "limits.memory_bytes" in check.remedy
    enough = config(engine={"memory_bytes": 4 << 30}, sandbox={"slots": 4})
    check = doctor._check_memory(enough)
    assert check.ok
    assert check.detail.startswith("4.0 GiB for all programs together: 4 of 4 slots can run")
    assert not check.remedy


async def test_a_demand_that_cannot_be_met_says_why_and_how() -> None:
    diagnosis = await doctor.diagnose(config(sandbox={"isolation": "strict"}))
    check = named(diagnosis)['isolation = "strict"']
    given = ROOT and named(diagnosis)["cgroups"].ok
    assert diagnosis.ok is check.ok is given
    if not given:
        assert "strict" in check.detail
        assert check.remedy
        assert diagnosis.isolation == ""


async def test_a_missing_interpreter_and_compiler_are_named() -> None:
    languages = {"python": {"interpreter": "/nowhere/python"}, "cpp": {"cxx": "no-g++"}}
    diagnosis = await doctor.diagnose(config(languages=languages))
    checks = named(diagnosis)
    assert not diagnosis.ok
    assert not checks["language python"].ok
    assert "/nowhere/python" in checks["language python"].remedy
    assert "no-g++" in checks["language cpp"].remedy
    assert checks["language c"].ok
    assert checks["language c"].detail


@pytest.mark.parametrize(
    ("enforcement", "words"),
    [
        (Enforcement.CGROUP2, "exact"),
        (Enforcement.CGROUP1, "exact"),
        (Enforcement.RLIMIT, "missed"),
    ],
)
async def test_every_kind_of_enforcement_has_its_words(
    monkeypatch, enforcement: Enforcement, words: str
) -> None:
    class Found:
        def __init__(self) -> None:
            self.enforcement = enforcement

        def close(self) -> None:
            return

    found = None if enforcement is Enforcement.RLIMIT else Found()
    reasons = [] if enforcement is Enforcement.CGROUP2 else ["cgroup2: not delegated (/x)"]
    monkeypatch.setattr(doctor.cgroups, "find", lambda parent: (found, reasons))
    check = doctor._check_cgroups(config())
    assert words in check.detail
    assert check.ok is (enforcement is Enforcement.CGROUP2)
    if not check.ok:
        assert "not delegated (/x)" in check.detail
        for way in ("systemd: Delegate=yes", "--cgroupns=private", "sandbox.cgroup_parent"):
            assert way in check.remedy


def test_it_is_rendered_for_people_with_the_remedies() -> None:
    checks = [Check("level full", False, "this is not root", "run as root")]
    diagnosis = Diagnosis("minimal", "rlimit", [*checks, Check("swap", True, "none")])
    assert doctor.render(diagnosis).splitlines() == [
        "isolation: minimal   enforcement: rlimit",
        "[--] level full: this is not root",
        "     run as root",
        "[ok] swap: none",
    ]
    assert doctor.render(Diagnosis("", "", [])) == "isolation: none   enforcement: -"


def as_anybody(work: Any) -> bytes:
    """What a function returns that runs without privileges, in a fork: an interpreter of its own
    need not be readable for everybody."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            if ROOT:
                os.setgroups([])
                os.setresgid(NOBODY, NOBODY, NOBODY)
                os.setresuid(NOBODY, NOBODY, NOBODY)
            os.chdir("/")
            os.write(writing, work())
            status = 0
        except BaseException as error:
            sys.__stderr__.write(f"{type(error).__name__}: {error}\n")
            sys.__stderr__.flush()
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    assert os.waitpid(pid, 0)[1] == 0
    return said


def test_without_privileges_it_says_what_is_left_and_what_root_would_give() -> None:
    assert service  # everything is imported before the fork

    def work() -> bytes:
        return msgspec.json.encode(asyncio.run(doctor.diagnose(config())))

    diagnosis = msgspec.json.decode(as_anybody(work), type=Diagnosis)
    checks = named(diagnosis)
    assert diagnosis.isolation in ("user", "minimal"), doctor.render(diagnosis)
    assert checks["level full"].detail == "this is not root"
    assert "root" in checks["level full"].remedy
    assert checks["level minimal"].ok
    assert checks["level user"].ok or "user namespaces" in checks["level user"].remedy
