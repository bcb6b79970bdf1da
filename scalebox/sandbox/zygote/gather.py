"""All files of a folder that a run left, opened for the daemon.

A folder, and not only names, because a validator of several passes calls the files that it leaves
for its next pass what it likes.  That is its own affair, and pid 1's memory is every later
program's: names are read into memory that is given back to the kernel, and never become objects
here, as they would with `os.scandir`.

What a hostile run leaves must cost little, too.  Entries are looked at one by one, no link is
followed, nothing is waited for, no content is read, and the first entry that cannot be handed back
ends it: too many, too long a name, a link, a pipe, a file that cannot be opened, a folder with
nothing in it.  Whoever asked is told that this is not all, and never gets a part for the whole.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import stat
import struct

from . import kernel, wire

#: `struct linux_dirent64` up to the name, which a NUL ends: inode, offset, length of all, kind.
_ENTRY = struct.Struct("=QqHB")
#: As many entries as are read at once.
_ENTRIES_BYTES = 8 * 1024
#: A longer path could not be laid out in another run's folder.
LONGEST_PATH_BYTES = 1000
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_DOTS = (b".", b"..")
_SLASH = ord("/")


class Gathering:
    """Opened files, and the part of a reply's listing that names them.

    Parameters:
        most: how many files, and folders on the way to them, at most.
        room: how many bytes of listing, at most.

    Attributes:
        descriptors: of the files, in the listing's order.
        whole: whether these are all that was there.
    """

    def __init__(self, most: int, room: int) -> None:
        self.descriptors = []  # type: list[int]
        self.whole = True
        self._left = most
        # The entries at hand, the paths of folders that wait, the listing.
        self._paths = _ENTRIES_BYTES
        self._listing = self._end = _ENTRIES_BYTES + (most + 1) * LONGEST_PATH_BYTES
        self._last = self._listing + room
        self._memory = mmap.mmap(-1, self._last, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self._address = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))
        self._view = memoryview(self._memory)

    @property
    def listing(self) -> memoryview:
        """What to send, and then to release."""
        return self._view[self._listing : self._end]

    def take(self, folder: int, path: bytes) -> None:
        """Take the files of a folder, and of the folders in it.

        Parameters:
            folder: its descriptor, which is closed here; -1: it cannot be opened.
            path: with the `/` at its end.
        """
        if folder < 0 or len(path) > LONGEST_PATH_BYTES or self._paths == self._listing:
            self.whole = False
            if folder >= 0:
                os.close(folder)
            return
        first = slice(self._paths, self._paths + len(path))
        self._view[first] = path
        self._paths += LONGEST_PATH_BYTES
        waiting = [(folder, first)]
        while waiting:
            folder, where = waiting.pop()
            try:
                entries = self._take_entries(folder, where, waiting) if self.whole else 0
                # That a folder is there can say something, too; only the first one always is.
                if not entries and where is not first:
                    self.whole = False
            except OSError:
                self.whole = False
            finally:
                os.close(folder)

    def _take_entries(self, folder: int, path: slice, waiting: list[tuple[int, slice]]) -> int:
        """Take what is in one folder; how many entries that are.

        Parameters:
            path: where the folder's own is.
            waiting: folders in it are put there.
        """
        count = 0
        while True:
            size = kernel.getdents(folder, self._address, _ENTRIES_BYTES)
            if not size:
                return count
            place = 0
            while place < size:
                length = _ENTRY.unpack_from(self._memory, place)[2]
                start = place + _ENTRY.size
                place += length
                name = slice(start, self._memory.find(b"\0", start, place))
                if self._view[name] in _DOTS:
                    continue
                count += 1
                if not self._take_entry(folder, path, name, waiting):
                    self.whole = False
                    return count

    def _take_entry(
        self, folder: int, path: slice, name: slice, waiting: list[tuple[int, slice]]
    ) -> bool:
        """Take a file, or let a folder wait; whether that can be done."""
        length = path.stop - path.start + name.stop - name.start
        self._left -= 1
        if self._left < 0 or length + 1 > LONGEST_PATH_BYTES:
            return False
        fd = kernel.openat(folder, self._address + name.start, _FLAGS)
        mode = os.fstat(fd).st_mode
        if stat.S_ISDIR(mode) and self._paths < self._listing:
            end = self._join(self._paths, path, name)
            self._memory[end] = _SLASH
            waiting.append((fd, slice(self._paths, end + 1)))
            self._paths += LONGEST_PATH_BYTES
            return True
        if not stat.S_ISREG(mode) or self._end + wire.FILE_REPLY.size + length > self._last:
            os.close(fd)
            return False
        wire.FILE_REPLY.pack_into(self._memory, self._end, length)
        self._end = self._join(self._end + wire.FILE_REPLY.size, path, name)
        self.descriptors.append(fd)
        return True

    def _join(self, place: int, path: slice, name: slice) -> int:
        """Put a folder's path and a name together; where that ends."""
        middle = place + path.stop - path.start
        end = middle + name.stop - name.start
        self._view[place:middle] = self._view[path]
        self._view[middle:end] = self._view[name]
        return end

    def close(self) -> None:
        """Give the memory back, with all names in it; the descriptors stay open."""
        self._view.release()
        self._memory.close()
