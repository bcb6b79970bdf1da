"""A slot's network: what one run did to it must not reach the next.

Connections outlive those who had them: for a minute nobody else gets their ports (TIME_WAIT), and
the counters of a namespace tell of all traffic in it.  So after a run that has sent anything there
is a new namespace; most runs send nothing.
"""

from __future__ import annotations

import os

from . import kernel, rootfs

TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` itself is not worth its pages
    from . import native

#: Packets by interface; of each there is one line.
_COUNTERS = "/proc/self/net/dev"
_COUNTERS_BYTES = 4096


class Network:
    """Of pid 1, which is in it.

    Parameters:
        library: comes back to Python for the request after a run that has used it; or None.
    """

    def __init__(self, library: native.Native | None) -> None:
        self._library = library
        #: Descriptor of what counts packets; -1: nothing does, as there is no /proc here.
        self._counters = -1
        #: What that says before any run.
        self._idle = b""
        self._watch()

    def is_watched(self) -> bool:
        """Whether it is known when it was used."""
        return self._counters >= 0

    def renew_if_used(self) -> None:
        """Before a run: another network, if a run has sent something in this one.

        Raises:
            OSError: there can be none.
        """
        if not self.is_watched() or self._counted() == self._idle:
            return
        os.close(self._counters)
        kernel.unshare(kernel.CLONE_NEWNET)
        rootfs.bring_up_loopback()
        self._watch()

    def _watch(self) -> None:
        try:
            self._counters = os.open(_COUNTERS, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._counters = -1
        else:
            self._idle = self._counted()
        if self._library is not None:
            self._library.watch_network(self._counters, self._idle)

    def _counted(self) -> bytes:
        return os.pread(self._counters, _COUNTERS_BYTES, 0)
