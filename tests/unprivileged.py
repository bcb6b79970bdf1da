"""Become an ordinary user, for tests run as root: `python -I unprivileged.py UID COMMAND …`.

What the tests run (this checkout, its environment, its Python) may lie where only root may pass,
say in root's home: then it is shown again in a mount namespace of the command's own.
"""

from __future__ import annotations

import ctypes
import os
import stat
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: Nobody's, on any host.
UID = 60_991
_CLONE_NEWNS = 0x00020000
_MS_BIND, _MS_REC, _MS_PRIVATE = 4096, 16384, 1 << 18


def command(words: list[str]) -> list[str]:
    """The same command as that user's; the process id stays that of what is started."""
    return [sys.executable, "-I", str(Path(__file__).resolve()), str(UID), *words]


def possible() -> bool:
    """Whether this process can become another user, and that user can run this Python."""
    if os.geteuid() != 0:
        return False
    words = command([sys.executable, "-c", "import msgspec"])
    return subprocess.run(words, cwd=ROOT, capture_output=True, check=False).returncode == 0


def main() -> None:
    """Show what is hidden, change the user, execute."""
    uid, words = int(sys.argv[1]), sys.argv[2:]
    show([str(ROOT), sys.prefix, sys.base_prefix])
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    os.execvp(words[0], words)


def show(paths: list[str]) -> None:
    """Make paths that lie where only root may pass visible to all, in a mount namespace."""
    hidden = {path: closed for path in paths if (closed := _closed_parent(path))}
    if not hidden:
        return
    _libc("unshare", _CLONE_NEWNS)
    _mount("none", "/", "none", _MS_REC | _MS_PRIVATE)
    held = {path: os.open(path, os.O_PATH) for path in hidden}
    for closed in sorted(set(hidden.values())):
        _mount("way", closed, "tmpfs", 0, "mode=755")
    for path, descriptor in held.items():
        if not os.path.exists(path):
            os.makedirs(path)
            _mount(f"/proc/self/fd/{descriptor}", path, "none", _MS_BIND | _MS_REC)
        os.close(descriptor)


def _closed_parent(path: str) -> str:
    """The first folder on the way to a path that others than its owner may not pass."""
    for parent in reversed(Path(path).parents):
        if not parent.stat().st_mode & stat.S_IXOTH:
            return str(parent)
    return ""


def _mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    _libc("mount", source.encode(), target.encode(), kind.encode(), flags, data.encode())


def _libc(function: str, *arguments: object) -> None:
    if getattr(ctypes.CDLL(None, use_errno=True), function)(*arguments):
        raise OSError(ctypes.get_errno(), function)


if __name__ == "__main__":
    main()
