#| what = "Watches folders of the host for what others make there (inotify, fanotify, dnotify)"
#| covers = ["other submissions"]
#| verdict = ["accepted"]
import ctypes
import fcntl
import os

from attack import attempt, end, is_own, told

libc = ctypes.CDLL(None, use_errno=True)


def checked(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), "watch")
    return result


own = libc.inotify_init1(0)
for path in (told["store"], os.path.dirname(told["secret_file"]), told["log"]):
    if os.path.exists(path) and is_own(path):
        continue
    if own >= 0:
        attempt("inotify " + path, lambda: checked(libc.inotify_add_watch(own, path.encode(), 0xFFF)))
    attempt("dnotify " + path, lambda: fcntl.fcntl(os.open(path, os.O_RDONLY), fcntl.F_NOTIFY, 0x3F))
attempt("fanotify", lambda: checked(libc.fanotify_init(0x200, 0)))
attempt("fanotify of everything", lambda: checked(libc.fanotify_init(0, 0)))
end()
