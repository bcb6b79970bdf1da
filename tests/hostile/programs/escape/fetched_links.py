#| what = "Leaves links to files of the host where a file is to be fetched from"
#| covers = ["links in fetched files"]
#| verdict = ["accepted"]
#| test = "run"
#| fetch = ["plain", "link", "relative", "folder/passwd", "loop", "hard", "proc", "chain", "self/environ", "fd"]
#| fetched = { plain = "text" }
import os

from attack import attempt, end, quietly, told

with open("plain", "w") as file:
    file.write("text")
os.symlink(told["secret_file"], "link")
os.symlink("../../../../../../etc/passwd", "relative")
os.symlink("/etc", "folder")
os.symlink("loop", "loop")
os.symlink("/proc/1/environ", "proc")
os.symlink("link", "chain")
os.symlink("/proc/self", "self")
os.symlink("/proc/self/fd/0", "fd")
for path in (told["secret_file"], told["configuration"], "/etc/passwd"):
    attempt("hard link to " + path, os.link, path, "hard")
quietly(os.symlink, told["store"], "store")
end()
