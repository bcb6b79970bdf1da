#| what = "Swaps a file and a link while its files are being fetched"
#| covers = ["links in fetched files"]
#| verdict = ["accepted"]
#| test = "run"
#| fetch = ["swapped", "swapped", "swapped", "swapped/passwd", "last"]
#| fetched = { last = "text" }
import os

from attack import end, told

with open("last", "w") as file:
    file.write("text")
os.symlink("/etc", "link")
os.symlink(told["secret_file"], "secret")
if os.fork() == 0:
    os.setsid()
    os.close(1)
    while True:
        for source in ("link", "secret"):
            try:
                os.symlink(os.readlink(source), "new")
                os.rename("new", "swapped")
            except OSError:
                pass
end()
