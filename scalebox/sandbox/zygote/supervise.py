"""Pid 1 of a slot: receive a run, fork it, watch it, clean up, report; for ever.

It runs nothing untrusted itself, and trusts nothing that a program could have touched: it ignores
signals (as pid 1 with default handlers the kernel drops those from inside), reads only descriptors
that it opened, and reports what the kernel says.
"""

from __future__ import annotations

import array
import errno
import json
import marshal
import mmap
import os
import select
import shutil
import signal
import socket
import stat
import struct
import time

from . import child, kernel, meter, rootfs, wire

#: A program is stopped at this multiple of its CPU limit: what ends between 1 and this is reported
#: with its true time, so that a loaded host can run it again alone before calling it slow.
CPU_STOP_FACTOR = 1.25


#: The channel's records are kept in pid 1's memory until the run is over.
LARGEST_CHANNEL_BYTES = 64 << 20


class Settings:
    """What the daemon decided about this slot, as it arrives (JSON)."""

    def __init__(self, raw: dict) -> None:  # type: ignore[type-arg]
        self.level = raw["level"]
        self.uid = raw["uid"]
        self.driver_uid = raw["driver_uid"]
        self.cpus = raw["cpus"]
        self.binds = raw["binds"]
        self.staging = raw["staging"]
        self.preload = raw["preload"]
        self.preload_on_demand = raw["preload_on_demand"]
        self.cgroup_procs = raw["cgroup_procs"]
        self.cgroup_files = raw["cgroup_files"]
        self.cgroup_version = raw["cgroup_version"]
        self.peak_resets = raw["peak_resets"]
        self.env = raw["env"]
        #: Paths below /tmp that each run's own /tmp would hide → where they are.
        self.hidden = {}  # type: dict[str, str]


class Program:
    """A Python program ready to be executed as `__main__`; only ever made in a forked child."""

    def __init__(self, namespace, code, source, held):  # type: ignore[no-untyped-def]
        self.namespace = namespace
        self.code = code
        self.source = source
        # Pid 1's objects would be torn down, page by page, as its frames return.
        self._held = held

    def report(self, error: BaseException) -> int:
        """Say what the interpreter says of an uncaught exception; the exit status."""
        return child.report_exception(error)

    def finish(self, status: int) -> None:
        """End the process as the interpreter ends."""
        child.finalize(self.namespace, self.source, status)


class Request:
    """One decoded RUN."""

    def __init__(self, packet: bytes, descriptors: list[int]) -> None:
        fields = wire.REQUEST.unpack_from(packet)
        self.run_id, self.program, self.flags = fields[1:4]
        self.cpu_ns, self.wall_ns, self.memory, self.output, self.file_bytes = fields[4:9]
        self.processes, self.open_files, self.stack, self.records = fields[9:13]
        self.descriptors = list(descriptors)
        given = list(descriptors)
        if self.flags & wire.BODY_FD:
            body, offset = _read_all(given.pop(0)), 0
        else:
            body, offset = packet, wire.REQUEST.size
        sections = []
        for length in fields[13:20]:
            sections.append(body[offset : offset + length])
            offset += length
        self.source, self.code, self.stdin, self.driver, self.driver_stdin = sections[:5]
        self.options = json.loads(sections[5]) if sections[5] else {}
        self.files = sections[6]
        self.stdin_fd = given.pop(0) if self.flags & wire.STDIN_FD else -1
        self.program_fd = given.pop(0) if self.flags & wire.PROGRAM_FD else -1

    def close(self) -> None:
        for fd in self.descriptors:
            os.close(fd)


class Supervisor:
    """The loop of pid 1.

    Parameters:
        control: the socket to the daemon.
        settings: of this slot.
        gauge: measures runs.
        identity, driver_identity: who the program, and the trusted program beside it, are.
        own_namespaces: whether there is a pid and a mount namespace of ours.
        oom_score: descriptor of this process's oom_score_adj.
    """

    def __init__(  # type: ignore[no-untyped-def]
        self, control, settings, gauge, identity, driver_identity, own_namespaces, oom_score
    ):
        self._control = control
        self._settings = settings
        self._meter = gauge
        self._identity = identity
        self._driver_identity = driver_identity
        self._own_namespaces = own_namespaces
        self._scratch = rootfs.SCRATCH if own_namespaces else settings.staging
        self._page = mmap.mmap(-1, mmap.PAGESIZE)
        self._on_demand = [name.encode() for name in settings.preload_on_demand]
        self._uid = settings.uid if settings.uid is not None else os.getuid()
        # The kernel must choose a program, never pid 1: programs are born with a higher score.
        # Pid 1 never lowers its own; a child could lower its own as far.
        self._oom_score = oom_score if "limit" in settings.cgroup_files else -1
        self._own_oom_score = os.pread(oom_score, 16, 0).strip()
        self._watch = Watch(control, gauge, len(settings.cpus))
        self._folder = self._scratch + "/box"
        self._namespace = child.prepare_main(self._folder)
        self._daemon_is_gone = False

    def serve(self) -> Program | None:
        """Run requests until the daemon goes; in a forked child, return the program to execute."""
        while not self._daemon_is_gone:
            packet, descriptors = self._receive()
            if not packet:
                break
            if packet[0] != wire.RUN:
                answer_ping(self._control, packet)
                continue  # or a CANCEL for a run that ended in the meantime
            request = Request(packet, descriptors)
            for name in self._on_demand[:]:
                if name in request.source or name in request.files:
                    self._on_demand.remove(name)
                    preload([name.decode()])
                    child.forget_folder(self._folder)
            program = self._run(request)
            if program is not None:
                return program
            request.close()
        return None

    def _receive(self) -> tuple[bytes, list[int]]:
        packet, ancillary, _, _ = self._control.recvmsg(wire.PACKET_BYTES, 1024)
        descriptors = array.array("i")
        for level, kind, data in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                descriptors.frombytes(data[: len(data) - len(data) % descriptors.itemsize])
        return packet, list(descriptors)

    # --- one run ---------------------------------------------------------------------------------

    def _run(self, request: Request) -> Program | None:
        # After a fork every page that either side writes is copied: what can be done before it, or
        # after the child's end, is.
        self._meter.begin(request.memory)
        self._make_scratch(request.file_bytes)
        stdin = self._open_stdin(request)
        out = os.memfd_create("stdout", os.MFD_CLOEXEC)
        err = os.memfd_create("stderr", os.MFD_CLOEXEC)
        channel = channel_end = -1
        if request.flags & wire.CHANNEL:
            channel, channel_end = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
            os.set_blocking(channel_end, True)
        watch = self._watch
        watch.begin(request, channel, out, err)
        peer = -1
        self._page[0] = child.SETUP
        if self._oom_score >= 0:
            os.pwrite(self._oom_score, b"800", 0)
        started = time.monotonic_ns()
        if request.flags & wire.DRIVER:
            main, peer, program = self._fork_pair(request, stdin, out, err, channel_end)
            if program is not None:
                return program
        else:
            main = os.fork()
            if main == 0:
                wires = [stdin, out, err]
                if channel_end >= 0:
                    wires += [-1, -1, channel_end]
                return self._become_program(request, wires)
        if self._oom_score >= 0:
            os.pwrite(self._oom_score, self._own_oom_score, 0)
        flags = watch.until_exit(main, self._live)
        if watch.daemon_is_gone:
            self._daemon_is_gone = True
        peer_status = -1
        if peer >= 0:
            reaped, status, usage = os.wait4(peer, os.WNOHANG)
            if reaped:
                peer_status = status
                self._meter.reaped(usage)
        status, reaped_count = self._kill_and_reap(main)
        wall_ns = time.monotonic_ns() - started
        os.close(stdin)
        if channel >= 0:
            os.close(channel_end)
            watch.drain_channel()
            os.close(channel)
        suspicious = status != 0 or reaped_count > 1 or peer >= 0
        cpu_ns, peak, out_of_memory, processes_hit = self._meter.finish(suspicious)
        if out_of_memory:
            flags |= wire.OUT_OF_MEMORY
        if processes_hit:
            flags |= wire.PROCESSES_EXCEEDED
        if self._page[0] != child.RUNNING:
            flags |= self._stage_flags()
        self._reply(request, watch, flags, status, peer_status, cpu_ns, wall_ns, peak, out, err)
        return None

    def _fork_pair(self, request, stdin, out, err, channel_end):  # type: ignore[no-untyped-def]
        """The trusted program and the one under test; (pid, peer's pid, what a child becomes)."""
        to_program, to_driver = os.pipe2(os.O_CLOEXEC), os.pipe2(os.O_CLOEXEC)
        driver_in = kernel.sealed_memfd(request.driver_stdin)
        null = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
        main = os.fork()
        if main == 0:
            wires = [driver_in, null, err, to_driver[0], to_program[1], channel_end]
            return 0, 0, self._become_driver(request, wires)
        os.close(driver_in)
        os.close(null)
        peer = os.fork()
        if peer == 0:
            wires = [stdin, out, err, to_program[0], to_driver[1]]
            return 0, 0, self._become_program(request, wires)
        # Each must see the other's end of file.
        for fd in (*to_program, *to_driver):
            os.close(fd)
        return main, peer, None

    def _become_program(self, request: Request, wires: list[int]) -> Program | None:
        try:
            program_fd = -1
            if request.program_fd >= 0:
                program_fd = child.FIRST_PRIVATE_FD
                wires = wires + [-1] * (program_fd - len(wires)) + [request.program_fd]
            os.setsid()
            child.connect(wires)
            if program_fd >= 0:
                os.set_inheritable(program_fd, False)
            self._identity.become(dumpable=True)
            self._enter_box(request)
            cpu_ns = int(request.cpu_ns * CPU_STOP_FACTOR)
            if request.flags & wire.CHANNEL:
                cpu_ns *= request.records + 1  # the limit is for each record
            child.limit(
                min(cpu_ns // 1_000_000_000 + 2, 1 << 30),
                max(request.output + 4096, request.file_bytes),
                request.open_files, request.processes, request.stack,
            )  # fmt: skip
            argv = []
            if request.options:
                argv = request.options.get("argv", [])
                os.environ.update(request.options.get("env", {}))
            if request.program == wire.EXECUTE:
                child.execute(argv, self._environment(request), program_fd, self._page)
            if request.program == wire.PYTHON_COMPILE:
                child.compile_only(request.source, self._page)
            child.take_interrupts()
            if argv:
                child.add_arguments(argv)
            code = child.load_code(request.source, request.code, self._page)
        except Exception as error:
            self._setup_failed(error)
        self._page[0] = child.RUNNING
        self._page.close()
        return Program(self._namespace, code, request.source, (self, request))

    def _environment(self, request: Request) -> dict[str, str]:
        return {**self._settings.env, **request.options.get("env", {})}

    def _become_driver(self, request: Request, wires: list[int]) -> Program | None:
        try:
            os.setsid()
            child.connect(wires)
            # Not dumpable: where both have one uid, the program cannot look into this process.
            self._driver_identity.become(dumpable=False)
            child.take_interrupts()
            if request.flags & wire.DRIVER_CODE:
                code = marshal.loads(request.driver)
            else:
                code = compile(request.driver, "<tester>", "exec", 0, True)
        except Exception as error:
            self._setup_failed(error)
        self._page.close()
        return Program(self._namespace, code, b"", (self, request))

    def _setup_failed(self, error: Exception) -> None:
        message = ("%s: %s" % (type(error).__name__, error)).encode()[:1000]
        self._page[1 : 1 + len(message)] = message
        os._exit(126)

    def _enter_box(self, request: Request) -> None:
        box = self._scratch + "/box"
        os.umask(0o022)
        os.mkdir(box, 0o755)
        os.mkdir(self._scratch + "/tmp", 0o777)
        os.mkdir(self._scratch + "/shm", 0o777)
        for path, target in self._settings.hidden.items():
            place = self._scratch + "/tmp/" + path
            os.makedirs(os.path.dirname(place), exist_ok=True)
            os.symlink(target, place)
        os.chdir(box)
        if request.source:
            _write(child.MAIN_FILE, request.source, 0o644)
        files, offset = request.files, 0
        while offset < len(files):
            path_length, length, mode = wire.FILE_ENTRY.unpack_from(files, offset)
            offset += wire.FILE_ENTRY.size
            path = os.fsdecode(files[offset : offset + path_length])
            offset += path_length
            if "/" in path:
                os.makedirs(os.path.dirname(path), exist_ok=True)
            _write(path, files[offset : offset + length], mode)
            offset += length

    def _open_stdin(self, request: Request) -> int:
        if request.stdin_fd < 0:
            return kernel.sealed_memfd(request.stdin)
        # Opened afresh: a passed descriptor shares its offset with every other run that has it.
        try:
            return os.open("/proc/self/fd/%d" % request.stdin_fd, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return kernel.sealed_memfd(_read_all(request.stdin_fd))

    def _make_scratch(self, size_bytes: int) -> None:
        if self._own_namespaces:
            rootfs.mount_scratch(self._uid, self._uid, size_bytes)
        else:
            self._clear_scratch()

    def _clear_scratch(self) -> None:
        for name in os.listdir(self._scratch):
            path = os.path.join(self._scratch, name)
            shutil.rmtree(path, onerror=_make_writable_and_retry)

    # --- the end of a run ------------------------------------------------------------------------

    def _live(self) -> list[int]:
        return meter.live_pids(os.getpid(), self._own_namespaces)

    def _kill_and_reap(self, main: int) -> tuple[int, int]:
        """Kill what is left and wait for all of it; (wait status of `main`, processes reaped)."""
        main_status = 0
        count = 0
        while True:
            # Without a namespace finding the living is slow; the first wait tells if there are any
            # (whoever loses its parent becomes our child).
            if self._own_namespaces or count:
                self._kill_all()
            try:
                while True:
                    pid, status, usage = os.wait4(-1, 0 if self._own_namespaces else os.WNOHANG)
                    if pid == 0:
                        count = count or 1
                        break
                    count += 1
                    self._meter.reaped(usage)
                    if pid == main:
                        main_status = status
            except ChildProcessError:
                return main_status, count
            except InterruptedError:
                continue
            time.sleep(0.0005)

    def _kill_all(self) -> None:
        if self._own_namespaces:
            # Only as pid 1 of a namespace of ours: anywhere else -1 is the user's whole session.
            if os.getpid() == 1:
                try:
                    os.kill(-1, signal.SIGKILL)
                except ProcessLookupError:
                    return
            return
        for pid in self._live():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def _stage_flags(self) -> int:
        stage = self._page[0]
        if stage == child.RUNNING:
            return 0
        if stage in (child.COMPILE_ERROR, child.COMPILING):
            return wire.COMPILE_FAILED
        return wire.EXEC_FAILED if stage == child.EXEC_ERROR else wire.SETUP_FAILED

    def _reply(self, request, watch, flags, status, peer_status, cpu_ns, wall_ns, peak, out, err):  # type: ignore[no-untyped-def]
        descriptors = []  # type: list[int]
        out_size, err_size = os.fstat(out).st_size, os.fstat(err).st_size
        if out_size > request.output or err_size > request.output:
            flags |= wire.OUTPUT_EXCEEDED
            for fd in (out, err):
                if os.fstat(fd).st_size > request.output:
                    os.ftruncate(fd, request.output)
            out_size, err_size = min(out_size, request.output), min(err_size, request.output)
        channel = watch.channel_bytes()
        channel_size = len(channel)
        budget = wire.INLINE_BYTES - 8 * len(watch.record_ns)
        sections = []
        if channel_size > budget // 2:
            flags |= wire.CHANNEL_FD
            descriptors.append(kernel.sealed_memfd(channel))
            channel = b""
        budget -= len(channel)
        for fd, size, flag in ((out, out_size, wire.STDOUT_FD), (err, err_size, wire.STDERR_FD)):
            if size <= max(0, budget):
                sections.append(os.pread(fd, size, 0) if size else b"")
                budget -= size
            else:
                flags |= flag
                descriptors.append(fd)
        message = b""
        if flags & (wire.SETUP_FAILED | wire.EXEC_FAILED):
            message = self._page[1:1001].split(b"\0")[0]
            self._page[1:1001] = bytes(1000)
        names = []
        fetched = []  # type: list[int]
        for path in request.options.get("fetch", [])[: wire.MAX_FETCHED_FILES]:
            fd = _open_beneath(self._scratch + "/box", path)
            if fd >= 0:
                fetched.append(fd)
                raw = os.fsencode(path)
                names.append(wire.FILE_REPLY.pack(len(raw)) + raw)
        times = struct.pack("<%dQ" % len(watch.record_ns), *watch.record_ns)
        listing = b"".join(names)
        header = wire.REPLY.pack(
            request.run_id, flags, status, peer_status, cpu_ns, wall_ns, peak, meter.own_cpu_ns(),
            out_size, err_size, channel_size, len(times), len(message), len(listing),
        )  # fmt: skip
        if self._own_namespaces:
            rootfs.unmount_scratch()
        packet = b"".join((header, *sections, channel, times, message, listing))
        descriptors += fetched
        if flags & wire.CHANNEL_FD:
            fetched.append(descriptors[0])
        if len(packet) > wire.PACKET_BYTES:
            raise OSError(errno.EMSGSIZE, "reply of %d bytes" % len(packet))
        if descriptors:
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]
            self._control.sendmsg([packet], rights)
        else:
            self._control.send(packet)
        os.close(out)
        os.close(err)
        for fd in fetched:
            os.close(fd)


class Watch:
    """Waits for a run's end and enforces its limits without polling."""

    def __init__(self, control, gauge, cores):  # type: ignore[no-untyped-def]
        self._control = control
        self._meter = gauge
        self._cores = cores
        self._poll = select.poll()
        self._poll.register(control, select.POLLIN)
        self._chunks = []  # type: list[bytes]
        self.record_ns = []  # type: list[int]
        self.daemon_is_gone = False

    def begin(self, request: Request, channel: int, out: int, err: int) -> None:
        """Get ready for a run."""
        self._run_id = request.run_id
        self._cpu_stop = int(request.cpu_ns * CPU_STOP_FACTOR)
        self._wall_ns = request.wall_ns
        self._channel = channel
        self._cpu_mark = 0
        self._flags = 0
        if self.record_ns or self._chunks:
            self._chunks = []
            self.record_ns = []
        self._channel_size = 0
        self._records = request.records
        self._outputs = out, err
        self._output_limit = request.output
        #: What the channel may carry; a program that writes more is stopped.
        self._channel_limit = min(request.output, LARGEST_CHANNEL_BYTES)
        if channel >= 0:
            self._poll.register(channel, select.POLLIN)
        self._deadline = time.monotonic_ns() + request.wall_ns
        self._first_wait_ms = self._wait_ms(min(self._wall_ns, self._cpu_stop // self._cores))

    def _wait_ms(self, wait_ns: int) -> int:
        """Until the next limit can be reached, or something has to be looked at."""
        return min(max(0, wait_ns) // 1_000_000 + 1, self._meter.poll_interval_ms)

    def until_exit(self, pid: int, live) -> int:  # type: ignore[no-untyped-def]
        """Block until `pid` ended or has to; returns the flags that say why."""
        pidfd = kernel.pidfd_open(pid)
        poll = self._poll
        poll.register(pidfd, select.POLLIN)
        wait_ms = self._first_wait_ms
        forgiven = 0
        try:
            while not self._flags:
                for fd, event in poll.poll(wait_ms):
                    if fd == pidfd:
                        return self._flags
                    if fd == self._channel:
                        self._read_channel(event)
                    else:
                        self._read_control()
                used = self._meter.cpu_ns() - self._cpu_mark
                now = time.monotonic_ns()
                if used >= self._cpu_stop:
                    self._flags |= wire.CPU_EXCEEDED
                elif now >= self._deadline:
                    # Time in which the program could have run but other load had the CPU is not
                    # the program's.
                    lost = meter.lost_to_others_ns(live())
                    if lost - forgiven > 1_000_000:
                        self._deadline += lost - forgiven
                        forgiven = lost
                    else:
                        self._flags |= wire.WALL_EXCEEDED
                elif self._meter.over_memory():
                    self._flags |= wire.OUT_OF_MEMORY
                else:
                    # RLIMIT_FSIZE cannot tell outputs from files, which may be larger.
                    for fd in self._outputs:
                        if os.fstat(fd).st_size > self._output_limit:
                            self._flags |= wire.OUTPUT_EXCEEDED
                wait_ns = min(self._deadline - now, (self._cpu_stop - used) // self._cores)
                wait_ms = self._wait_ms(wait_ns)
        finally:
            poll.unregister(pidfd)
            os.close(pidfd)
            if self._channel >= 0:
                try:
                    poll.unregister(self._channel)
                except KeyError:
                    pass  # it had come to its end
        return self._flags

    def _read_control(self) -> None:
        packet = self._control.recv(wire.PACKET_BYTES)
        if not packet:
            self.daemon_is_gone = True
            self._flags |= wire.CANCELLED
        elif packet[0] == wire.CANCEL:
            if wire.CONTROL.unpack_from(packet)[1] == self._run_id:
                self._flags |= wire.CANCELLED
        else:
            answer_ping(self._control, packet)

    def _read_channel(self, event: int) -> None:
        try:
            chunk = os.read(self._channel, 65536)
        except BlockingIOError:
            return
        if not chunk:
            self._poll.unregister(self._channel)
            return
        self._keep(chunk)

    def _keep(self, chunk: bytes) -> None:
        records = chunk.count(b"\n")
        if records:
            # One record answers one call: the limits start anew with each.
            now = self._meter.cpu_ns()
            self.record_ns.append(max(0, now - self._cpu_mark))
            self.record_ns.extend([0] * (records - 1))
            self._cpu_mark = now
            self._deadline = time.monotonic_ns() + self._wall_ns
        too_many = len(self.record_ns) > self._records
        if too_many or self._channel_size + len(chunk) > self._channel_limit:
            del self.record_ns[self._records :]
            self._flags |= wire.OUTPUT_EXCEEDED
            return
        self._chunks.append(chunk)
        self._channel_size += len(chunk)

    def drain_channel(self) -> None:
        """Take what was written before the end."""
        while not self._flags & wire.OUTPUT_EXCEEDED:
            try:
                chunk = os.read(self._channel, 65536)
            except BlockingIOError:
                return
            if not chunk:
                return
            self._keep(chunk)

    def channel_bytes(self) -> bytes:
        """All complete and incomplete records received."""
        return b"".join(self._chunks)


def answer_ping(control, packet: bytes) -> None:  # type: ignore[no-untyped-def]
    """Tell the daemon that this slot is alive, if that is what it asks."""
    if packet[0] == wire.PING:
        control.send(wire.CONTROL.pack(wire.PONG, wire.CONTROL.unpack_from(packet)[1]))


def preload(names: list[str]) -> list[str]:
    """Import modules into this process for all later runs; returns those that are not there."""
    import gc
    import importlib

    missing = []
    for name in names:
        try:
            importlib.import_module(name)
        except Exception:
            missing.append(name)
    # The first compile() builds the AST types, 1.5 ms that every child would pay again.
    compile("pass", "", "exec")
    gc.collect()
    gc.freeze()
    return missing


def _read_all(fd: int) -> bytes:
    size = os.fstat(fd).st_size
    chunks = []
    offset = 0
    while offset < size:
        chunk = os.pread(fd, min(1 << 24, size - offset), offset)
        if not chunk:
            break
        chunks.append(chunk)
        offset += len(chunk)
    return b"".join(chunks)


def _write(path: str, content: bytes, mode: int) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    view = memoryview(content)
    while view:
        view = view[os.write(fd, view) :]
    os.close(fd)


def _open_beneath(root: str, path: str) -> int:
    """Open a regular file that the program left, following no link; -1 if there is none."""
    parts = path.split("/")
    if path.startswith("/") or any(part in ("", ".", "..") for part in parts):
        return -1
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        directory = os.open(root, flags | os.O_DIRECTORY)
        for part in parts[:-1]:
            above, directory = directory, os.open(part, flags | os.O_DIRECTORY, dir_fd=directory)
            os.close(above)
        fd = os.open(parts[-1], flags, dir_fd=directory)
        os.close(directory)
    except OSError:
        return -1
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return fd
    os.close(fd)
    return -1


def _make_writable_and_retry(function, path, error):  # type: ignore[no-untyped-def]
    """A program may have taken its own permissions away from a folder; give them back."""
    parent = os.path.dirname(path)
    os.chmod(parent, 0o700)
    if os.path.isdir(path) and not os.path.islink(path):
        os.chmod(path, 0o700)
        if function in (os.open, os.scandir, os.listdir):
            shutil.rmtree(path, onerror=_make_writable_and_retry)
            return
    if function in (os.unlink, os.rmdir):
        function(path)
