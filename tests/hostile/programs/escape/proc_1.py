#| what = "Looks into pid 1 and into its own parent through /proc: memory, descriptors, environment, root"
#| covers = ["/proc/1"]
#| verdict = ["accepted"]
import os

from attack import attempt, end, got, look_into, quietly, read

for pid in sorted({1, os.getppid()}):
    look_into(pid)
    # The command line is no secret, as long as it names nothing of the daemon's.
    words = quietly(read, f"/proc/{pid}/cmdline") or b""
    if b"scalebox.toml" in words:
        got("the command line of pid 1", words)
attempt("the root of pid 1", os.listdir, "/proc/1/root/etc")
attempt("threads of pid 1", read, "/proc/1/task/1/mem")
end()
