#| what = "Takes stock of its descriptors, and of what the three that it may have lead to"
#| covers = ["inherited descriptors"]
#| verdict = ["accepted"]
import fcntl
import os

from attack import end, got, quietly

for fd in range(3, 1 << 12):
    if quietly(fcntl.fcntl, fd, fcntl.F_GETFD) is not None:
        got("descriptor", fd, quietly(os.readlink, f"/proc/self/fd/{fd}"))
for fd in range(3):
    where = quietly(os.readlink, f"/proc/self/fd/{fd}") or ""
    if not where.startswith("/memfd:"):
        got("descriptor", fd, where)
    for way in ("..", "../..", "../../etc/shadow"):
        if quietly(os.open, way, os.O_RDONLY, 0o600) is not None and way.endswith("shadow"):
            got("opened", way)
if os.isatty(0) or os.isatty(1) or os.isatty(2):
    got("a terminal")
end()
