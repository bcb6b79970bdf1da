"""What holds for every test: the developer's own settings, shell and daemons stay out."""

from __future__ import annotations

import ctypes
import os
import signal

import pytest

# SCALEBOX_DATA says where public data sets are, and changes no behaviour.
_KEPT = {"SCALEBOX_DATA"}


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
