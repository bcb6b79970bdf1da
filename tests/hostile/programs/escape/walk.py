#| what = "Walks all folders that it can enter for sockets, devices, places to write and the store"
#| covers = ["other submissions", "pathname sockets", "leftover files", "configuration"]
#| verdict = ["accepted"]
#| limits = { cpu_time_s = 20.0 }
import os
import stat

from attack import end, got, quietly, told

own = {os.path.realpath(place) for place in (".", "..", os.environ.get("TMPDIR", "/tmp"), "/dev/shm")}
devices = {"null", "zero", "full", "random", "urandom"}
for folder, folders, files in os.walk("/"):
    if folder == "/":
        folders[:] = [name for name in folders if name not in ("proc",)]
    real = os.path.realpath(folder)
    if any(real == place or real.startswith(place + "/") for place in own):
        folders[:] = []
        continue
    if os.access(folder, os.W_OK):
        new = os.path.join(folder, f"left-by-{os.getpid()}")
        if quietly(os.mkdir, new) is None and os.path.isdir(new):
            got("made", new)
            os.rmdir(new)
    # The distribution's own files are the same for everybody.
    if folder.startswith(("/usr/", "/nix/")):
        continue
    for name in files:
        path = os.path.join(folder, name)
        found = quietly(os.lstat, path)
        if found is None:
            continue
        if stat.S_ISSOCK(found.st_mode) or stat.S_ISBLK(found.st_mode):
            got("found", path)
        if stat.S_ISCHR(found.st_mode) and folder == "/dev" and name not in devices:
            if quietly(open, path, "rb") is not None:
                got("opened", path)
        if stat.S_ISREG(found.st_mode) and told["store"] in path and "/headers/" not in path:
            if quietly(open, path, "rb") is not None:
                got("read", path)
end()
