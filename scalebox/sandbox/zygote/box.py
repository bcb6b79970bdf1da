"""The files of a run: what is put into its folder before, and taken out of it afterwards."""

from __future__ import annotations

import errno
import os
import stat

from . import child, rootfs, trees, wire
from .gather import Gathering
from .request import Request

TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` itself is not worth its pages
    from collections.abc import Callable


#: More than enough for symbolic links.
_LINKS_BYTES = 1 << 20
#: A run that may write so much must find room for it: a compiler's files take some megabytes, and
#: would not be the submission's fault.
_LEAST_ROOM_BYTES = 16 << 20


class Box:
    """The only writable place of a slot.

    Parameters:
        own_namespaces: a fresh tmpfs for each run; else one folder, emptied before each.
        staging: that folder.
        hidden: paths below /tmp that each run's own /tmp would hide → where they are.
        uid: owner of the tmpfs.
    """

    def __init__(
        self, own_namespaces: bool, staging: str, hidden: dict[str, str], uid: int
    ) -> None:
        self._own_namespaces = own_namespaces
        self._hidden = hidden
        self._uid = uid
        self.root = rootfs.SCRATCH if own_namespaces else staging
        self.folder = self.root + "/box"

    def make(self, size_bytes: int) -> None:
        """Before a run: an empty place."""
        if self._own_namespaces:
            rootfs.mount_scratch(self._uid, self._uid, size_bytes)
            return
        trees.empty_folder(self.root)

    def enter(self, request: Request) -> None:
        """In the child: fill it and go there."""
        if not self._own_namespaces:
            self._check_room(request.file_bytes)
        os.umask(0o022)
        os.mkdir(self.folder, 0o755)
        os.mkdir(self.root + "/tmp", 0o777)
        os.mkdir(self.root + "/shm", 0o777)
        self._link_hidden()
        os.chdir(self.folder)
        source = request.section(wire.SOURCE)
        if source:
            _write(child.MAIN_FILE, source, 0o644)
        files, offset = request.section(wire.FILES), 0
        while offset < len(files):
            path_length, length, mode = wire.FILE_ENTRY.unpack_from(files, offset)
            offset += wire.FILE_ENTRY.size
            if offset + path_length + length > len(files):
                raise ValueError("a file that is cut")
            path = os.fsdecode(files[offset : offset + path_length])
            offset += path_length
            if "/" in path:
                os.makedirs(os.path.dirname(path), exist_ok=True)
            _write(path, files[offset : offset + length], mode)
            offset += length

    def _check_room(self, size_bytes: int) -> None:
        """Without a file system of its own, a run shares the host's, which may be full."""
        status = os.statvfs(self.root)
        if status.f_bavail * status.f_frsize < min(size_bytes, _LEAST_ROOM_BYTES):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _link_hidden(self) -> None:
        for path, target in self._hidden.items():
            place = self.root + "/tmp/" + path
            os.makedirs(os.path.dirname(place), exist_ok=True)
            os.symlink(target, place)

    def with_hidden(self, action: Callable[[], object]) -> None:
        """In pid 1: do something while paths below /tmp are there as they are for programs."""
        if not self._hidden:
            action()
            return
        self.make(_LINKS_BYTES)
        os.mkdir(self.root + "/tmp")
        self._link_hidden()
        action()
        self.drop()

    def fetch(self, paths: list[str]) -> tuple[list[int], bytes]:
        """Open what a run left: descriptors, and the reply's listing of them.

        What cannot be the name of a file, and what the reply has no room for, is not there.
        """
        found = []
        listing = b""
        for path in paths[: wire.MAX_FETCHED_FILES]:
            fd = _open_beneath(self.folder, path)
            if fd < 0:
                continue
            raw = os.fsencode(path)
            if len(listing) + wire.FILE_REPLY.size + len(raw) > wire.LISTING_BYTES:
                os.close(fd)
                continue
            found.append(fd)
            listing += wire.FILE_REPLY.pack(len(raw)) + raw
        return found, listing

    def gather(self, paths: list[str], most: int, room: int) -> Gathering | None:
        """Open all files of the folders among some paths, which end in `/`; None: there are none.

        Parameters:
            most: how many files.
            room: how many bytes of listing.
        """
        folders = [path for path in paths if path.endswith("/")]
        if not folders:
            return None
        gathering = Gathering(most, room)
        for path in folders:
            fd = _open_beneath(self.folder, path[:-1], stat.S_ISDIR)
            gathering.take(fd, os.fsencode(path))
        return gathering

    def drop(self) -> None:
        """After a run: let its files go, where that is one system call."""
        if self._own_namespaces:
            rootfs.unmount_scratch()


def _write(path: str, content: bytes, mode: int) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    view = memoryview(content)
    while view:
        view = view[os.write(fd, view) :]
    os.close(fd)


def _open_beneath(root: str, path: str, is_wanted: Callable[[int], bool] = stat.S_ISREG) -> int:
    """Open a regular file that the program left, following no link; -1 if there is none.

    Parameters:
        is_wanted: of the file's mode; another kind of file is not there.
    """
    parts = path.split("/")
    if path.startswith("/") or any(part in ("", ".", "..") for part in parts):
        return -1
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    directory = fd = -1
    try:
        directory = os.open(root, flags | os.O_DIRECTORY)
        for part in parts[:-1]:
            above, directory = directory, os.open(part, flags | os.O_DIRECTORY, dir_fd=directory)
            os.close(above)
        fd = os.open(parts[-1], flags, dir_fd=directory)
    except (OSError, ValueError):
        return -1  # ValueError: a NUL, or a lone surrogate, which no file's name holds
    finally:
        if directory >= 0:
            os.close(directory)
    if is_wanted(os.fstat(fd).st_mode):
        return fd
    os.close(fd)
    return -1
