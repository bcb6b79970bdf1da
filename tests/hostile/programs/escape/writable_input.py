#| what = "Writes to its own input, in every way, for the next run that is given the same"
#| covers = ["writable inputs"]
#| verdict = ["accepted"]
#| blob = true
#| stages = ["same", "same"]
import ctypes
import fcntl
import mmap
import os

from attack import attempt, end, got, quietly, told

libc = ctypes.CDLL(None, use_errno=True)
content = os.pread(0, 1 << 22, 0)
if content.count(b"\n") != 1 + (1 << 20) or content.strip(b"\n").count(b"\n"):
    got("the input was changed before", len(content))
quietly(os.fchmod, 0, 0o777)
quietly(os.chmod, "/proc/self/fd/0", 0o777)
for path in ("/proc/self/fd/0", "/dev/stdin", "/dev/fd/0", "/proc/thread-self/fd/0"):
    for mode in (os.O_RDWR, os.O_WRONLY, os.O_WRONLY | os.O_APPEND):
        fd = quietly(os.open, path, mode)
        for opened in () if fd is None else (fd,):
            # A sealed file may be opened for writing; it may not be written.
            attempt("write", os.pwrite, opened, b"X", 5000)
            attempt("truncate", os.ftruncate, opened, 10)
            attempt("grow", os.ftruncate, opened, 1 << 23)
            attempt("map", mmap.mmap, opened, 4096)
            attempt("allocate", os.posix_fallocate, opened, 0, 1 << 23)
            os.close(opened)


def written(fd):
    try:
        return os.pwrite(fd, b"X", 5000)
    except OSError as error:
        if error.errno == 9:  # not open for writing: a refusal
            raise PermissionError(1, "closed") from error
        raise


attempt("write", written, 0)
if libc.fallocate(0, 3, 0, 4096) == 0:
    got("a hole")
libc.mmap.restype = ctypes.c_void_p
place = libc.mmap(None, ctypes.c_size_t(4096), 1, 1, 0, ctypes.c_long(0))  # shared, for reading
if place != ctypes.c_void_p(-1).value and libc.mprotect(ctypes.c_void_p(place), 4096, 3) == 0:
    got("mapped for writing")
if quietly(fcntl.fcntl, 0, fcntl.F_ADD_SEALS, 0x20) is not None:
    got("another seal")
quietly(os.fchmod, 0, 0)
os.lseek(0, 0, os.SEEK_END)
end()
