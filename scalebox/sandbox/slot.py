"""One slot, seen from the daemon: start its zygote, send it a run, take the outcome, bury it.

Everything here is plain callbacks on the event loop, no task a run: at a thousand runs a second the
loop's own cost is a budget.  Which run goes to which slot is decided elsewhere.
"""

from __future__ import annotations

import array
import asyncio
import contextlib
import fcntl
import marshal
import os
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from scalebox.model import IsolationLevel
from scalebox.sandbox.cgroups import SlotCgroup
from scalebox.sandbox.spec import MalformedReplyError, RunOutcome, RunSpec, decode, encode
from scalebox.sandbox.strays import Strays
from scalebox.sandbox.zygote import wire
from scalebox.sandbox.zygote.trees import empty_folder, remove_tree

#: Run as a file: run as a folder, Python would be three frames deeper in every program.
ZYGOTE = Path(__file__).resolve().parent / "zygote" / "__main__.py"

#: A zygote that has not said `ready` by then is given up: importing numpy from a cold disk on a
#: starved host takes ten seconds.
START_TIMEOUT_S = 60.0
#: A busy zygote is asked for a sign of life after this long, or once its run is over its wall-clock
#: limit, whichever is sooner (a run may have half an hour) …
FIRST_PING_S = 30.0
#: … and then this often.
PING_INTERVAL_S = 5.0
#: So many unanswered signs of life in a row mean that the slot hangs.
PINGS_BEFORE_DEATH = 6

#: How long `close` waits for killed processes to be gone.
CLOSE_TIMEOUT_S = 5.0
#: A keeper that has not ended its slot by then is killed, and the rest is done here.
KEEPER_TIMEOUT_S = 2.0

_MAX_DESCRIPTORS = wire.MAX_FETCHED_FILES + 8
_ANCILLARY_BYTES = socket.CMSG_SPACE(4 * _MAX_DESCRIPTORS)

State = Literal["starting", "idle", "busy", "broken"]


@dataclass(frozen=True, slots=True)
class SlotPlan:
    """What a slot is made of; the same plan makes its replacement.

    Attributes:
        index: number of the slot.
        level: which walls.
        interpreter: the Python that is the zygote, and runs Python programs.
        uid, driver_uid: users of programs and of trusted testers; None: the daemon's own.
        cpus: cores that the slot keeps to.
        binds: host paths that programs may read.
        staging: directory of this slot: mount point, or at level `minimal` the scratch itself.
        preload, preload_on_demand: modules, as in the configuration.
        environment: the programs' environment.
        native: the library that carries runs out (see `scalebox.sandbox.native`); empty: none.
    """

    index: int
    level: IsolationLevel
    interpreter: str
    uid: int | None
    driver_uid: int | None
    cpus: tuple[int, ...]
    binds: tuple[str, ...]
    staging: Path
    preload: tuple[str, ...] = ()
    preload_on_demand: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    native: str = ""


def base_environment() -> dict[str, str]:
    """The environment that every program sees: fixed, so that verdicts do not depend on ours."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": "/tmp",
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "PYTHONHASHSEED": "0",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
    }


class Slot:
    """A place where one program at a time runs.

    Parameters:
        plan: what to build.
        cgroup: the slot's cgroup, or None.
        on_state: called with the slot after each change of `state`.
    """

    def __init__(
        self, plan: SlotPlan, cgroup: SlotCgroup | None, on_state: Callable[[Slot], None]
    ) -> None:
        self.plan = plan
        self.index = plan.index
        self.state: State = "broken"
        self.pid = 0
        self.runs = 0
        self.restarts = -1
        self.notes: list[str] = []
        self.failure = ""
        self.python_version = ""
        #: CPU seconds of all zygotes that this slot has had.
        self.zygote_cpu_s = 0.0
        self._current_zygote_cpu_s = 0.0
        self._cgroup = cgroup
        self._on_state = on_state
        self._loop = asyncio.get_running_loop()
        self._control: socket.socket | None = None
        self._launcher = 0
        self._stderr = -1
        #: Children that are to end → when to stop waiting for them to do it by themselves.
        self._ending: dict[int, float] = {}
        self._strays: Strays | None = None
        self._done: Callable[[RunOutcome | None], None] | None = None
        self._run_id = 0
        self._borrowed: RunSpec | None = None
        self._started_at = 0.0
        self._overdue_at = 0.0
        self._pings = 0
        #: Of the cgroup, as far as outcomes have told of them.
        self._oom_kills = 0

    # --- life ------------------------------------------------------------------------------------

    def start(self) -> None:
        """Spawn the zygote; `state` becomes `idle` when it is ready, `broken` if it fails."""
        assert self.state == "broken"
        assert self.buried
        self.restarts += 1
        self.failure = ""
        self.notes = []
        self.state = "starting"
        try:
            self.plan.staging.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self.plan.level is IsolationLevel.MINIMAL:
                empty_folder(str(self.plan.staging))
        except OSError as error:
            self._fail(f"cannot prepare {self.plan.staging}: {error.strerror}")
            return
        try:
            ours = self._launch()
        except OSError as error:
            self._fail(f"cannot start {self.plan.interpreter}: {error.strerror}")
            return
        self._control = ours
        self.pid = 0
        self._overdue_at = time.monotonic() + START_TIMEOUT_S
        self._loop.add_reader(ours.fileno(), self._readable)
        with contextlib.suppress(OSError):
            # A launcher that died already is noticed by the end of its socket.
            ours.send(self._settings())
        self._on_state(self)

    def _launch(self) -> socket.socket:
        """Spawn the launcher; our end of its control socket."""
        with contextlib.ExitStack() as undo, contextlib.ExitStack() as given:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            undo.enter_context(ours)
            given.enter_context(theirs)
            for end in (ours, theirs):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * wire.PACKET_BYTES)
            ours.setblocking(False)
            self._stderr = os.memfd_create("zygote-stderr", os.MFD_CLOEXEC)
            # Not at 3 already: moving a descriptor onto itself would leave it close-on-exec.
            place = fcntl.fcntl(theirs.fileno(), fcntl.F_DUPFD_CLOEXEC, 16)
            given.callback(os.close, place)
            self._launcher = os.posix_spawn(
                self.plan.interpreter,
                [self.plan.interpreter, "-s", "-B", str(ZYGOTE)],
                # Symbols bound once here are not looked up again by every child.
                {**self.plan.environment, "LD_BIND_NOW": "1"},
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0),
                    (os.POSIX_SPAWN_DUP2, self._stderr, 2),
                    (os.POSIX_SPAWN_DUP2, place, 3),
                ],
                setsigdef=[signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGTERM],
                setsigmask=[],
            )
            undo.pop_all()
        return ours

    def _settings(self) -> bytes:
        plan, cgroup = self.plan, self._cgroup
        return marshal.dumps(
            {
                "level": plan.level.value,
                "uid": plan.uid,
                "driver_uid": plan.driver_uid,
                "cpus": plan.cpus,
                "binds": plan.binds,
                "staging": str(plan.staging),
                "preload": plan.preload,
                "preload_on_demand": plan.preload_on_demand,
                "cgroup_procs": cgroup.procs if cgroup else [],
                "cgroup_files": cgroup.files if cgroup else {},
                "cgroup_version": cgroup.version if cgroup else 0,
                "peak_resets": cgroup.peak_resets if cgroup else False,
                "env": plan.environment,
                "native": plan.native,
            },
            wire.SETTINGS_MARSHAL_VERSION,
        )

    def end(self) -> None:
        """Kill the slot with all that is in it, for good; `close` is to follow."""
        self._bury("")

    def close(self) -> None:
        """`end`, and wait until nothing is left; blocks for some milliseconds."""
        self.end()
        deadline = time.monotonic() + CLOSE_TIMEOUT_S
        while not self.buried and time.monotonic() < deadline:
            time.sleep(0.001)
            self._reap()
        if self._cgroup is not None:
            self._cgroup.remove()
        with contextlib.suppress(OSError):
            remove_tree(str(self.plan.staging))

    @property
    def buried(self) -> bool:
        """Whether nothing is left of former zygotes and of what they ran."""
        return not self._ending and self._strays is None

    def kill(self, reason: str) -> None:
        """Give the slot up: its run, if any, ends with None, and `state` becomes `broken`."""
        self._fail(reason)

    # --- runs ------------------------------------------------------------------------------------

    def run(self, spec: RunSpec, done: Callable[[RunOutcome | None], None]) -> None:
        """Run a program in this idle slot.

        Parameters:
            spec: what; its descriptors stay open until `done`.
            done: called once, with the outcome, or with None if the slot died under the run.
        """
        assert self.state == "idle"
        assert self._control is not None
        self._run_id += 1
        self.runs += 1
        packet, descriptors, owned = encode(self._run_id, spec)
        self._done = done
        self._borrowed = spec
        patience_s = min(spec.limits.wall_ns / 1e9, FIRST_PING_S) + PING_INTERVAL_S
        self._started_at = time.monotonic()
        self._overdue_at = self._started_at + patience_s
        self._pings = 0
        self.state = "busy"
        try:
            if descriptors:
                rights = array.array("i", descriptors)
                self._control.sendmsg([packet], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
            else:
                self._control.send(packet)
        except OSError as error:
            # Not from inside the caller's dispatch: `done` may dispatch again.
            self._loop.call_soon(self._fail, f"the slot does not take runs: {error.strerror}")
        finally:
            for fd in owned:
                os.close(fd)

    def cancel(self) -> None:
        """Stop the run at hand; `done` still comes, with the cancelled outcome."""
        if self.state == "busy" and self._control is not None:
            with contextlib.suppress(OSError):
                self._control.send(wire.CONTROL.pack(wire.CANCEL, 0, self._run_id))

    def look_after(self, now: float) -> None:
        """Called regularly: notice a slot that hangs, and reap launchers."""
        self._reap()
        if self.state == "starting" and now > self._overdue_at:
            self._fail(f"the zygote was not ready within {START_TIMEOUT_S:.0f} s")
        elif self.state == "busy" and now > self._overdue_at:
            if self._pings >= PINGS_BEFORE_DEATH:
                self._fail("the zygote does not answer")
                return
            self._pings += 1
            self._overdue_at = now + PING_INTERVAL_S
            if self._control is not None:
                with contextlib.suppress(OSError):
                    self._control.send(wire.CONTROL.pack(wire.PING, 0, self._run_id))

    # --- the control socket ----------------------------------------------------------------------

    def _readable(self) -> None:
        assert self._control is not None
        try:
            # Close-on-exec: a replacement of another slot may be spawned while an outcome is open.
            packet, ancillary, flags, _ = self._control.recvmsg(
                wire.PACKET_BYTES, _ANCILLARY_BYTES, socket.MSG_CMSG_CLOEXEC
            )
        except BlockingIOError:
            return
        except OSError as error:
            self._fail(f"the control socket broke: {error.strerror}")
            return
        descriptors = array.array("i")
        for level, kind, data in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                descriptors.frombytes(data[: len(data) - len(data) % descriptors.itemsize])
        if self.state == "busy" and len(packet) > wire.CONTROL.size and not _is_cut(flags):
            self._hear_reply(packet, list(descriptors))
            return
        for fd in descriptors:
            os.close(fd)
        if not packet:
            self._fail("the zygote died")
        elif _is_cut(flags):
            self._fail("its reply did not arrive whole: has the daemon no descriptors left?")
        elif self.state == "starting":
            self._hear_start(packet)
        elif len(packet) == wire.CONTROL.size and packet[0] == wire.PONG:
            self._pings = 0
        else:
            self._fail("the zygote says what nobody asked it")

    def _hear_start(self, packet: bytes) -> None:
        word, *texts = packet.decode("utf-8", "replace").split("\0")
        if word == wire.SAYS_PID and len(texts) == 1 and texts[0].isdecimal():
            self.pid = int(texts[0])
            if self.plan.level is not IsolationLevel.MINIMAL:
                # The launcher has done its work; pid 1 becomes the daemon's own child.
                self._let_end(self._launcher)
                self._launcher = 0
        elif word == wire.SAYS_FAILED and texts:
            self._fail(texts[0])
        elif word == wire.SAYS_READY and texts:
            self.python_version, *self.notes = texts
            self._oom_kills = self._cgroup.oom_kills() if self._cgroup else 0
            self._set_state("idle")
        else:
            self._fail("the zygote does not speak our protocol")

    def _hear_reply(self, packet: bytes, descriptors: list[int]) -> None:
        try:
            run_id, outcome = decode(packet, descriptors)
        except MalformedReplyError as error:
            self._fail(str(error))
            return
        if run_id != self._run_id or self._done is None:
            outcome.close()
            self._fail("the zygote answered for a run that it was not given")
            return
        self._current_zygote_cpu_s = outcome.zygote_cpu_s
        if outcome.flags & wire.OUT_OF_MEMORY and self._cgroup is not None:
            self._oom_kills = self._cgroup.oom_kills()
        done, self._done, self._borrowed = self._done, None, None
        self.state = "idle"
        done(outcome)
        if self.state == "idle":
            self._on_state(self)

    @property
    def total_zygote_cpu_s(self) -> float:
        """CPU seconds of this slot's zygotes, the dead ones included."""
        return self.zygote_cpu_s + self._current_zygote_cpu_s

    # --- death -----------------------------------------------------------------------------------

    def _set_state(self, state: State) -> None:
        self.state = state
        self._on_state(self)

    def _fail(self, reason: str) -> None:
        if self.state == "broken" and self._control is None and self._launcher == 0:
            return
        outcome = self._killed_for_memory()
        self._bury(reason)
        done, self._done, self._borrowed = self._done, None, None
        self.state = "broken"
        if done is not None:
            done(outcome)
        self._on_state(self)

    def _killed_for_memory(self) -> RunOutcome | None:
        """What became of the run at hand, if the kernel killed for the memory of its cgroup.

        Where pid 1 may not be spared (that takes CAP_SYS_RESOURCE) it can be the next after the
        program, whose page tables are still counted when it is dead already.  The program was over
        its limit all the same, and would be so in another slot.
        """
        spec, cgroup = self._borrowed, self._cgroup
        # Of several records the first ones may have been well: those are tried again.  So is a run
        # in which pid 1 alone was killed, which may say nothing of the program.
        if spec is None or spec.records or cgroup is None:
            return None
        if cgroup.oom_kills() - self._oom_kills < 2:
            return None
        return RunOutcome(
            flags=wire.OUT_OF_MEMORY,
            status=signal.SIGKILL,
            wall_s=time.monotonic() - self._started_at,
            memory_bytes=spec.limits.memory_bytes,
        )

    def _bury(self, reason: str) -> None:
        self.failure = reason
        self.zygote_cpu_s += self._current_zygote_cpu_s
        self._current_zygote_cpu_s = 0.0
        if self._control is not None:
            self._loop.remove_reader(self._control.fileno())
            self._control.close()
            self._control = None
        if self._cgroup is not None:
            self._cgroup.kill()
        if self._launcher and self.plan.level is IsolationLevel.MINIMAL:
            # The keeper ends the zygote, a child of its own, and all that it finds below.
            self._let_end(self._launcher, signal.SIGTERM)
        else:
            for pid in (self._launcher, self.pid):
                if pid:
                    self._let_end(pid, signal.SIGKILL)
        self.pid = self._launcher = 0
        self._reap()
        if self._stderr >= 0:
            words = os.pread(self._stderr, 4000, 0).decode("utf-8", "replace").strip()
            if words and reason:
                self.failure = f"{reason} ({words.splitlines()[-1][:300]})"
            os.close(self._stderr)
            self._stderr = -1

    def _let_end(self, pid: int, number: signal.Signals | None = None) -> None:
        """Expect a child to end; with a signal, make it."""
        if number is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)  # not yet waited for, so that the number is still its own
        self._ending[pid] = time.monotonic() + KEEPER_TIMEOUT_S

    def _reap(self) -> None:
        now = time.monotonic()
        for pid, deadline in list(self._ending.items()):
            try:
                ended, status = os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                ended, status = pid, 0
            if ended:
                del self._ending[pid]
                if self.plan.level is IsolationLevel.MINIMAL and status:
                    self._strays = Strays()
            elif now > deadline:
                self._let_end(pid, signal.SIGKILL)
        if self._strays is not None and not self._strays.end():
            self._strays = None


def _is_cut(flags: int) -> bool:
    """Whether `recvmsg` lost a part of the packet, or of its descriptors."""
    return bool(flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC))
