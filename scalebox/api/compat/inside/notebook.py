"""Inside the sandbox: the cells of a notebook, one after the other, in a kernel of ipykernel's.

Two processes.  This one, the driver, reads a line about the notebook and then one line a cell from
standard input, and writes what comes of them to standard output.  Its child is the kernel: that of
`ipykernel.inprocess`, started and spoken to through jupyter_client's interface, since there are
levels of isolation at which no socket can be made.  It hears of a cell when that cell's turn comes;
the cells after it are in the driver, which it can neither read nor trace.

    header    {"cpu_s": number or null, "wall_s": number or null, "traceback": name or null,
               "silent": of how many first cells only the end is told}
    cell      "text"

    record    [number, {"type": "stream" | "display_data" | "execute_result" | "error", ...}]
              ["end", number, "ok" | "error" | "late" | "died"]
              ["missing", "why"]      there is no kernel here
              ["done"]                all cells were run

What a kernel does that a cell has tampered with is that cell's doing: its messages are passed on,
and only the driver writes the records that begin with a word.
"""

from __future__ import annotations

import codecs
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from typing import Any, NoReturn

_PR_SET_DUMPABLE = 4
_READ_BYTES = 1 << 16
#: How often the driver looks after a kernel that says nothing.
_LOOK_S = 0.1
#: The kernel interrupts a cell that takes too long; so much later the driver ends it all.
_GRACE_S = 2.0
#: What a background thread still writes when its cell has ended is not waited for.
_LAST_READS = 256
#: What is read of one kernel's word about an end.
_LONGEST_END = 200
_MESSAGES = ("stream", "display_data", "execute_result", "error")


# --- the kernel -----------------------------------------------------------------------------------


class Kernel:
    """The child's part.

    Parameters:
        orders, told: descriptors: cells come in by the first, messages go out by the second.
    """

    def __init__(self, orders: int, told: int) -> None:
        self._orders = os.fdopen(orders, encoding="ascii")
        self._told = told
        self._lock = threading.Lock()
        self._idle = threading.Event()
        self._late = False
        self._process = os.getpid()

    def run(self) -> None:
        """Until there are no more cells."""
        header = json.loads(self._orders.readline())
        _settle()
        try:
            # Here, since a Python that has none is to say so.
            from ipykernel.inprocess.manager import InProcessKernelManager
            from traitlets.config import Config
        except ImportError as error:
            self._tell(["missing", str(error)])
            return
        config = Config()
        config.HistoryManager.enabled = False
        manager = InProcessKernelManager(config=config)
        manager.start_kernel()
        client = manager.client()
        client.start_channels()
        client.iopub_channel.call_handlers = self._hear
        shell = manager.kernel.shell
        shell.system = lambda command: _system(shell, command)
        if header["traceback"]:
            shell.InteractiveTB.set_mode(mode=header["traceback"])
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for timer in (signal.SIGPROF, signal.SIGALRM):
            signal.signal(timer, self._interrupt)
        self._tell(["ready"])
        for line in self._orders:
            token, text = json.loads(line)
            status = self._cell(client, text, header)
            if os.getpid() != self._process:  # a cell's own child, which came back from it
                os._exit(0)
            self._tell(["end", token, status])

    def _cell(self, client: Any, text: str, header: dict[str, Any]) -> str:
        self._late = False
        self._idle.clear()
        status = "error"
        try:
            if header["cpu_s"]:
                signal.setitimer(signal.ITIMER_PROF, header["cpu_s"], 1.0)
            if header["wall_s"]:
                signal.setitimer(signal.ITIMER_REAL, header["wall_s"], 1.0)
            client.execute(text, allow_stdin=False)
            status = client.get_shell_msg(timeout=_GRACE_S)["content"]["status"]
        except BaseException as error:  # what left the cell by another way than its own errors
            name, why = type(error).__name__, str(error)
            if self._late:  # ipykernel's own way to end what awaits is not made for this
                name, why = "KeyboardInterrupt", ""
            self._tell({"type": "error", "ename": name, "evalue": why, "traceback": []})
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.setitimer(signal.ITIMER_REAL, 0)
        self._idle.wait(_GRACE_S)
        return "late" if self._late else status

    def _hear(self, message: Any) -> None:
        """A message to all; from the thread that sends them."""
        kind, content = message["header"]["msg_type"], message["content"]
        if kind in _MESSAGES:
            self._tell({"type": kind, **content})
        elif kind == "status" and content["execution_state"] == "idle":
            self._idle.set()

    def _tell(self, what: Any) -> None:
        line = json.dumps(what, default=repr).encode("ascii") + b"\n"
        with self._lock:
            _write(self._told, line)

    def _interrupt(self, _signal: int, frame: Any) -> None:
        # As a SIGINT would; but no process may send one where programs share a user.
        self._late = True
        handler = signal.getsignal(signal.SIGINT)
        if callable(handler):
            handler(signal.SIGINT, frame)


def _settle() -> None:
    """What a kernel's launcher sees to: places for settings, and plots that become pictures."""
    place = tempfile.mkdtemp(prefix="kernel-")
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        os.environ[name] = os.path.join(place, name.lower())
    os.environ.setdefault("MPLCONFIGDIR", place)
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    # Else ipykernel's debugger warns of modules that no cell imported.
    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"
    sys.argv[:] = [""]


def _system(shell: Any, command: str) -> None:
    """`!command`: IPython's own way takes a terminal, and there is none."""
    command = shell.var_expand(command, depth=2)
    sys.stdout.flush()
    shell.user_ns["_exit_code"] = subprocess.call(command, shell=True)


# --- the driver -----------------------------------------------------------------------------------


class Driver:
    """The parent's part.

    Parameters:
        kernel: the child.
        orders, told: as the child's, the other ends.
        outputs: what the kernel's processes write to their standard output and error by themselves:
            descriptor → name.
    """

    def __init__(self, kernel: int, orders: int, told: int, outputs: dict[int, str]) -> None:
        self._kernel = kernel
        self._orders = orders
        self._told = told
        self._outputs = outputs
        self._decoders = {
            fd: codecs.getincrementaldecoder("utf-8")("replace") for fd in self._outputs
        }
        self._rest = b""
        self._before = ""
        self._silent = 0
        self._late = False
        self._lines = []  # type: list[bytes]
        self._poll = select.poll()
        for fd in (told, *outputs):
            os.set_blocking(fd, False)
            self._poll.register(fd, select.POLLIN)

    def run(self) -> None:
        """All cells, or as many as there can be."""
        source = sys.stdin.buffer
        first = source.readline()
        header = json.loads(first)
        _write(self._orders, first)
        self._silent = header["silent"]
        if not self._ready():
            return
        for number, line in enumerate(source):
            end = self._cell(number, line, header)
            _say(["end", number, end])
            if end in ("late", "died"):
                return
        _say(["done"])

    def _ready(self) -> bool:
        """Whether the kernel has started."""
        while True:
            line = self._line()
            if line is None:
                self._take_outputs(-1)
                said = self._before.strip().rpartition("\n")[2]
                _say(["missing", said or "the kernel ended before it had started"])
                return False
            if line == b'["ready"]':
                return True
            if line.startswith(b'["missing", '):
                _say(json.loads(line))
                return False

    def _cell(self, number: int, text: bytes, header: dict[str, Any]) -> str:
        token = os.urandom(8).hex()
        try:
            _write(self._orders, b'["%s", %s]\n' % (token.encode(), text.strip()))
        except OSError:
            return "died"
        began_s, cpu_s = time.monotonic(), self._cpu_s()
        while True:
            line = self._line(number, lambda: self._is_late(began_s, cpu_s, header))
            if line is None:
                self._take_outputs(number)
                return "late" if self._late else "died"
            if len(line) < _LONGEST_END and line.startswith(b'["end", "%s"' % token.encode()):
                self._take_outputs(number)
                return _status(line)
            if number >= self._silent:
                sys.stdout.buffer.write(b"[%d, %s]\n" % (number, line))

    def _line(self, number: int = -1, is_late: Any = lambda: False) -> bytes | None:
        """The next line of the kernel's; None: it has ended, or takes too long."""
        while not self._lines:
            self._poll.poll(_LOOK_S * 1000)
            self._take_outputs(number)
            if not self._take_messages() and not self._lines:
                return None
            if not self._lines and self._cpu_s() is None:
                self._take_messages()  # its last words
                if not self._lines:
                    return None
            if not self._lines and is_late():
                return None
        return self._lines.pop(0)

    def _take_messages(self) -> bool:
        """What there is of the kernel's; whether there may be more."""
        data = _read(self._told)
        if data:
            *lines, self._rest = (self._rest + data).split(b"\n")
            self._lines += lines
        return data != b""

    def _take_outputs(self, number: int) -> None:
        for fd, name in self._outputs.items():
            for _ in range(_LAST_READS):
                data = _read(fd)
                if not data:
                    if data == b"":
                        self._silence(fd)
                    break
                text = self._decoders[fd].decode(data)
                if number < 0:
                    self._before = (self._before + text)[-_READ_BYTES:]
                elif text and number >= self._silent:
                    _say([number, {"type": "stream", "name": name, "text": text}])

    def _silence(self, fd: int) -> None:
        """It is at its end: nobody can write to it any more, and polling would not sleep."""
        try:
            self._poll.unregister(fd)
        except KeyError:
            return

    def _is_late(self, began_s: float, began_cpu_s: float | None, header: dict[str, Any]) -> bool:
        cpu_s = self._cpu_s()
        if header["cpu_s"] and cpu_s is not None and began_cpu_s is not None:
            self._late = cpu_s - began_cpu_s > header["cpu_s"] + _GRACE_S
        wall_s = time.monotonic() - began_s
        if header["wall_s"] and wall_s > header["wall_s"] + _GRACE_S:
            self._late = True
        return self._late

    def _cpu_s(self) -> float | None:
        """CPU time of the kernel; None: it is dead."""
        if self._kernel and os.waitpid(self._kernel, os.WNOHANG)[0]:
            self._kernel = 0
        if not self._kernel:
            return None
        # The clock of another process, as clock_getcpuclockid(3) makes it.
        return time.clock_gettime((~self._kernel << 3) | 2)


def _status(line: bytes) -> str:
    try:
        status = json.loads(line)[2]
    except (ValueError, LookupError):
        return "error"
    return status if status in ("ok", "late") else "error"


def _read(fd: int) -> bytes | None:
    """None: there is nothing now; empty: never again."""
    try:
        return os.read(fd, _READ_BYTES)
    except BlockingIOError:
        return None
    except OSError:
        return b""


def _write(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _say(record: list[Any]) -> None:
    """Said at once: what follows may end this process."""
    sys.stdout.buffer.write(json.dumps(record).encode("ascii") + b"\n")
    sys.stdout.buffer.flush()


def main() -> NoReturn:
    """Part into the two."""
    orders, told, output, errors = os.pipe(), os.pipe(), os.pipe(), os.pipe()
    kernel = os.fork()
    if not kernel:
        null = os.open(os.devnull, os.O_RDONLY)
        for fd, place in ((null, 0), (output[1], 1), (errors[1], 2)):
            os.dup2(fd, place)
        for fd in (orders[1], told[0], output[0], errors[0], output[1], errors[1], null):
            os.close(fd)
        try:
            Kernel(orders[0], told[1]).run()
        finally:
            os._exit(0)
    # Nobody reads the memory or the descriptors of this process: later cells are there.
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    for fd in (orders[0], told[1], output[1], errors[1]):
        os.close(fd)
    try:
        os.unlink(__file__)
    except OSError:
        pass
    Driver(kernel, orders[1], told[0], {output[0]: "stdout", errors[0]: "stderr"}).run()
    sys.stdout.flush()
    os._exit(0)


main()
