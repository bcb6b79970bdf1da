#| what = "Leaves fifos, sockets, devices, folders and closed files where files are to be fetched from"
#| covers = ["special files in fetched files"]
#| verdict = ["accepted"]
#| test = "run"
#| fetch = ["plain", "fifo", "device", "socket", "folder", "huge", "missing", "a/b/c/d"]
#| fetched = { plain = "text", "a/b/c/d" = "deep" }
import os
import socket
import stat

from attack import attempt, end, quietly

with open("plain", "w") as file:
    file.write("text")
os.mkfifo("fifo")
attempt("a block device", os.mknod, "device", stat.S_IFBLK | 0o666, os.makedev(254, 0))
attempt("a character device", os.mknod, "device", stat.S_IFCHR | 0o666, os.makedev(1, 1))
server = quietly(socket.socket, socket.AF_UNIX)
if server is not None:
    quietly(server.bind, "socket")
os.makedirs("folder/inner")
os.makedirs("closed")
os.makedirs("a/b/c")
with open("a/b/c/d", "w") as file:
    file.write("deep")
with open("closed/inner", "w") as file:
    file.write("closed")
os.chmod("closed", 0)
end()
