"""The binding to `native/runs.c`, where the host had a compiler for it.

One structure is shared: Python says what the slot is, the library keeps the run at hand in it, and
both use the meter's part.
"""

from __future__ import annotations

import ctypes
import mmap
import os
from collections.abc import Sequence

from . import child, rootfs, wire
from .meter import State

# What `zygote_serve` returns, if not code.
CLOSED = 0
FOR_PYTHON = 1
IN_CHILD = 2
LAUNCHED = 3

_MAX_DESCRIPTORS = 8
_FILES = ("cpu", "usage", "peak", "limit", "events", "pids", "pids_max")
_Int, _Long, _Pointer = ctypes.c_int32, ctypes.c_int64, ctypes.c_void_p


class Zygote(ctypes.Structure, State):
    """`struct zygote`."""

    _fields_ = [
        *((name, _Int) for name in ("control", "uid", "driver_uid", "drop_capabilities")),
        *((name, _Int) for name in ("cores", "poll_ms")),
        *((name, _Int) for name in ("oom_score", *_FILES, "cgroup_version", "peak_resets_it")),
        *((name, _Int) for name in ("plain_forks", "scratch_left", "gone")),
        *((name, _Int) for name in ("network", "network_size")),
        *((name, _Pointer) for name in ("page", "buffer", "environment", "hidden", "on_demand")),
        ("network_idle", _Pointer),
        *((name, _Pointer) for name in ("random_words", "leaving_words", "stream_words")),
        *((name, _Long) for name in ("usage_at_start", "idle_usage", "memory_limit")),
        ("process_limit", _Long),
        *((name, _Long) for name in ("oom_kills", "pids_hits", "lingers")),
        *((name, _Long) for name in ("cpu_at_start_ns", "own_at_start_ns")),
        *((name, _Long) for name in ("packet_size", "started_ns")),
        ("descriptors", _Int * _MAX_DESCRIPTORS),
        *((name, _Int) for name in ("descriptor_count", "main_pid", "peer_pid", "in_")),
        *((name, _Int) for name in ("out", "err")),
        *((name, _Int) for name in ("channel", "channel_end")),
        ("section", _Pointer * wire.SECTIONS),
        ("section_length", _Long * wire.SECTIONS),
        ("body", _Pointer),
        ("body_size", _Long),
    ]


class Native:
    """The library, set up for one slot.

    Parameters:
        path: of the library.

    Raises:
        OSError: it cannot be loaded, or is another version's.
    """

    def __init__(self, path: str) -> None:
        # Holds the interpreter's lock, which nobody else wants, and may fork.
        self._library = ctypes.PyDLL(path)
        size = self._library.zygote_struct_size
        size.restype = _Long
        if size() != ctypes.sizeof(Zygote):
            raise OSError("%s is not made for this version" % path)
        self.state = Zygote(process_limit=-1, network=-1)
        self.buffer = mmap.mmap(-1, wire.PACKET_BYTES, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self._kept = []  # type: list[object]
        #: What `serve` is called with.
        self.place = ctypes.byref(self.state)
        #: Carry out runs until one needs Python; in a child with code to execute, give this, or if
        #: it has traits a tuple of both.
        self.serve = self._library.zygote_serve
        self.serve.restype = ctypes.py_object

    def prepare(  # type: ignore[no-untyped-def]
        self, settings, control: int, page: mmap.mmap, files: dict[str, int], poll_ms: int,
        oom_score: int, uid: int, driver_uid: int, drop_capabilities: bool,
        on_demand: Sequence[bytes],
    ) -> None:  # fmt: skip
        """Say what the slot is; SIGINT must have Python's handler, which is put aside here."""
        z = self.state
        z.control, z.uid, z.driver_uid = control, uid, driver_uid
        z.drop_capabilities = drop_capabilities
        z.cores, z.poll_ms, z.oom_score = max(1, len(settings.cpus)), poll_ms, oom_score
        for name in _FILES:
            setattr(z, name, files.get(name, -1))
        z.cgroup_version, z.peak_resets_it = settings.cgroup_version, settings.peak_resets
        z.page, z.buffer = self._address(page), self._address(self.buffer)
        z.environment = self._texts("%s=%s" % pair for pair in settings.env.items())
        z.hidden = self._texts(
            text
            for path, target in settings.hidden.items()
            for text in (rootfs.TMP + "/" + path, target)
        )
        self.wait_for(on_demand)
        z.random_words = self._texts(child.RANDOM_WORDS)
        z.leaving_words = self._texts(child.LEAVING_WORDS)
        z.stream_words = self._texts(child.STREAM_WORDS)
        self._library.zygote_prepare(self.place)

    def wait_for(self, modules: Sequence[bytes]) -> None:
        """Come back to Python for requests that name one of these."""
        self.state.on_demand = self._texts(modules)
        self.state.plain_forks = child.nobody_hears_of_forks()

    def watch_network(self, counters: int, idle: bytes) -> None:
        """Come back to Python for the request after a run by which the counters say something else.

        Parameters:
            counters: descriptor; -1: there are none.
        """
        self._idle = ctypes.create_string_buffer(idle, len(idle) or 1)
        self.state.network, self.state.network_size = counters, len(idle)
        self.state.network_idle = ctypes.addressof(self._idle)

    def forget(self) -> None:
        """Let go of the run at hand: its descriptors, and every byte of its request."""
        self._library.zygote_forget(self.place)

    def forget_last(self, count: int) -> None:
        """The last descriptors of the run at hand were closed."""
        self.state.descriptor_count -= count

    def close_page(self) -> None:
        """In a child: a program must not change what pid 1 reads there."""
        self._library.zygote_close_page(self.place)

    def program(self) -> int:
        """The kind of the program at hand."""
        return int(wire.REQUEST.unpack_from(self.buffer)[1])

    def section(self, which: int) -> bytes:
        """A copy of a section of the request at hand."""
        return ctypes.string_at(self.state.section[which], self.state.section_length[which])

    def descriptors(self) -> list[int]:
        """What came with the request at hand; still the library's."""
        return list(self.state.descriptors[: self.state.descriptor_count])

    def _address(self, memory: mmap.mmap) -> int:
        view = (ctypes.c_char * len(memory)).from_buffer(memory)
        self._kept.append(view)
        return ctypes.addressof(view)

    def _texts(self, texts) -> int | None:  # type: ignore[no-untyped-def]
        encoded = [os.fsencode(text) for text in texts]
        array = (ctypes.c_char_p * (len(encoded) + 1))(*encoded, None)
        self._kept += [encoded, array]
        return ctypes.addressof(array)
