#| what = "Leaves files everywhere it can, hidden, nested and closed, and looks for them in the next run"
#| covers = ["leftover files", "/dev/shm"]
#| verdict = ["accepted"]
#| stages = ["first", "second"]
import os
import stat

from attack import end, got, quietly, told

NAME = ".left-by-the-first"
places = {".", "..", "../..", "/", "/tmp", "/var/tmp", "/dev/shm", "/dev", "/run", "/run/lock", "/run/user",
          "/scratch", "/gone", "/outside", "/var", "/var/lock", "/home", "/../root", "/opt", "/srv", "/mnt",
          os.path.expanduser("~"), os.environ.get("TMPDIR", "/tmp"), "/proc/self/cwd", "/proc/self/root",
          os.path.dirname(told["secret_file"]), told["store"], "/dev/mqueue", "/sys/fs/cgroup"}
for place in sorted(places):
    path = os.path.join(place, NAME)
    if told["stage"] == "second":
        if os.path.lexists(path):
            got("left", path)
        for name in quietly(os.listdir, place) or []:
            if name.startswith(".left-"):
                got("left", place, name)
        continue
    with_text = quietly(os.open, path, os.O_CREAT | os.O_WRONLY, 0o600)
    if with_text is not None:
        os.write(with_text, b"left")
        quietly(os.setxattr, path, "user.left", b"left")
    quietly(os.mkdir, path + "-folder", 0o700)
    quietly(os.makedirs, path + "-folder/" + "d/" * 200)
    quietly(os.mkfifo, path + "-fifo")
    quietly(os.mknod, path + "-device", stat.S_IFCHR | 0o666, os.makedev(1, 1))
    quietly(os.symlink, "/", path + "-link")
    quietly(os.chmod, path + "-folder", 0)
    quietly(os.link, path, path + "-hard")
if told["stage"] == "first":
    # Also a folder that is closed, and one whose own folder is.
    os.makedirs("closed/inner")
    os.chmod("closed/inner", 0)
    os.chmod("closed", 0)
end()
