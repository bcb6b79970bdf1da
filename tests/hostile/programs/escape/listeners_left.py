#| what = "Leaves listeners on abstract names, loopback ports and paths for the next run to meet"
#| covers = ["abstract sockets", "pathname sockets", "loopback"]
#| verdict = ["accepted"]
#| stages = ["first", "second"]
import os
import socket
import time

from attack import attempt, end, quietly, told

NAME, PORT, PATH = "\0scalebox-left", 45671, "/tmp/left-socket"


def places():
    return ((socket.AF_UNIX, NAME), (socket.AF_UNIX, PATH), (socket.AF_INET, ("127.0.0.1", PORT)))


def listen():
    held = []
    for family, address in places():
        server = quietly(socket.socket, family)
        if server is not None and quietly(server.bind, address) is None:
            quietly(server.listen)
            held.append(server)
    return held


if told["stage"] == "first":
    ready, done = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            held = listen()
            os.write(done, b"!")
            time.sleep(600)
        os._exit(0)
    os.read(ready, 1)
else:
    for family, address in places():
        client = quietly(socket.socket, family)
        if client is not None:
            client.settimeout(2)
            attempt(repr(address), client.connect, address)
end()
