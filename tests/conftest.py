"""What holds for every test: the developer's own settings, shell and daemons stay out."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import signal
import tempfile
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import IO, Any

import pytest

# SCALEBOX_DATA says where public data sets are, and changes no behaviour.
_KEPT = {"SCALEBOX_DATA"}
#: Longer than any test takes on a busy machine.
_LONGEST_TURN_S = 300.0


#: Files of minutes, longest first: begun last, one of them would keep one process busy while those
#: that share the tests with it have nothing left to do.
_LONG = (
    "test_daemon",
    "engine/test_calls_languages",
    "languages/test_sources",
    "warm/test_conformance",
    "hostile/test_attacks",
    "languages/test_programs",
    "api/test_schema",
    "judging/test_datasets",
    "engine/test_interaction",
    "cluster/test_together",
    "languages/test_asserted",
    "languages/test_selftests",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long files first; all else stays in its order."""
    tests = Path(__file__).parent
    places = {tests / f"{name}.py": place for place, name in enumerate(_LONG)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


@pytest.fixture(autouse=True, scope="session")
def no_settings_from_the_shell() -> None:
    """Forget SCALEBOX_* variables: a configured daemon must not be what the tests talk to."""
    for name in list(os.environ):
        if name.startswith("SCALEBOX_") and name not in _KEPT:
            del os.environ[name]


@pytest.fixture(autouse=True, scope="session")
def interrupts_as_in_the_foreground() -> None:
    """A shell's background job (`make test &`) ignores SIGINT, and all its children would too."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="module")
def orphans_are_others() -> None:
    """A pool in this process makes it the parent of orphans, which nobody here waits for."""
    set_child_subreaper = 36
    assert ctypes.CDLL(None).prctl(set_child_subreaper, 0, 0, 0, 0) == 0


#: Where processes that share the tests keep their locks; only their parent has it.
_locks = pytest.StashKey[tempfile.TemporaryDirectory[str]]()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell one of the processes that share the tests where their locks are."""
    if _locks not in node.config.stash:
        node.config.stash[_locks] = tempfile.TemporaryDirectory(prefix="scalebox-tests-")
    node.workerinput["locks"] = node.config.stash[_locks].name


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the locks, after the processes that share the tests."""
    if _locks in config.stash:
        config.stash[_locks].cleanup()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Where several processes share the tests, those marked `alone` run while all others pause."""
    shared = getattr(item.config, "workerinput", None)
    if shared is None:
        return (yield)
    with _in_turn(Path(shared["locks"]), alone=item.get_closest_marker("alone") is not None):
        return (yield)


@contextlib.contextmanager
def _in_turn(directory: Path, alone: bool) -> Iterator[None]:
    """A lock that many hold at once, or one alone.

    Who waits for it holds a second one, so that nobody comes in between; the kernel frees both of
    a process that is killed.
    """
    with (directory / "lock").open("w") as lock, (directory / "door").open("w") as door:
        _claim(door, fcntl.LOCK_EX)
        _claim(lock, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(door, fcntl.LOCK_UN)
        yield


def _claim(file: IO[str], kind: int) -> None:
    """Wait for a lock, but not for ever: a fork that a test left behind holds its parent's, too."""
    deadline = time.monotonic() + _LONGEST_TURN_S
    while time.monotonic() < deadline:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(file, kind | fcntl.LOCK_NB)
            return
        time.sleep(0.01)
