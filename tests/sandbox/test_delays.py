"""For how long other load had a program's core, as its threads' own counts say."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from scalebox.sandbox.zygote.meter import Delays
from tests.load import other_load

#: Two hundred threads end one after another, before two in their list that go on.
ENDING = """
import hashlib, threading, time
data = bytes(1 << 20)
def burn():
    while True:
        hashlib.sha256(data).digest()
for n in range(200):
    threading.Thread(target=time.sleep, args=(0.5 + n / 100,)).start()
for _ in range(2):
    threading.Thread(target=burn).start()
"""


@pytest.mark.alone
def test_nothing_is_counted_twice() -> None:
    with other_load(2), subprocess.Popen([sys.executable, "-c", ENDING]) as process:
        time.sleep(0.5)
        delays, total_ns = Delays(), 0
        delays.more_ns([process.pid])
        began_ns = time.monotonic_ns()
        while time.monotonic_ns() - began_ns < 2_000_000_000:
            total_ns += delays.more_ns([process.pid])
        took_ns = time.monotonic_ns() - began_ns
        process.kill()
    assert 0.1 * took_ns < total_ns < 2 * took_ns
