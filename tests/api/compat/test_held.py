"""What is held is bounded, whatever protocol asks for it."""

from __future__ import annotations

import contextlib

from tests.api.compat.asking import answered, ask, leaving
from tests.api.compat.daemon import compat_daemon
from tests.daemons import until

_MIB = 1 << 20


def test_bodies_count_until_they_are_answered() -> None:
    small = {"type": "python", "solution": "pass"}
    endless = {"type": "python", "solution": "while True: pass"}
    large = {"type": "python", "solution": "print(len(input()))", "input": "x" * (_MIB * 3 // 4)}
    with (
        compat_daemon(
            {"code_judge": "/"},
            engine={"max_queued_cases": 1, "max_queued_bytes": _MIB},
            server={"max_request_bytes": _MIB},
            limits={"cpu_time_s": 300.0},
        ) as (daemon, url),
        contextlib.ExitStack() as waiting,
    ):
        waiting.enter_context(leaving(f"{url}/run", endless))

        def held() -> bool:
            try:
                ask(f"{url}/run", small, patience_s=1.0)
            except TimeoutError:
                return True
            return False  # it was here before the endless one

        until(held)
        # Two of these are held; there is no room for a third.
        for _ in range(2):
            waiting.enter_context(leaving(f"{url}/run", large))

        def refused() -> bool:
            try:
                status, said = ask(f"{url}/run", large, patience_s=1.0)
            except TimeoutError:
                # Held: one of the others was not read yet, or was here before the endless one.
                waiting.enter_context(leaving(f"{url}/run", large))
                return False
            assert status == 503
            assert "bytes" in said["detail"]
            return True

        until(refused)
        waiting.close()
        daemon.wait_until_idle()
        # Who went away counts no more.
        assert answered(f"{url}/run", large)["stdout"] == f"{_MIB * 3 // 4}\n"
