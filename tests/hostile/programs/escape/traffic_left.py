#| what = "Leaves a port that is not free for a minute, and counted packets, for the next run to meet"
#| covers = ["loopback"]
#| verdict = ["accepted"]
#| stages = ["first", "second"]
import os
import socket

from attack import end, got, quietly, told

PORT = 45672
NET = "/proc/self/net/"
OF_TRAFFIC = ("InSegs", "OutSegs", "InDatagrams", "OutDatagrams", "ActiveOpens")


def serve_and_close_first():
    with socket.socket(socket.AF_INET) as listening, socket.socket(socket.AF_INET) as client:
        listening.bind(("127.0.0.1", PORT))
        listening.listen()
        client.connect(("127.0.0.1", PORT))
        served, _ = listening.accept()
        served.close()
        client.recv(1)


def lines(name):
    with open(NET + name) as file:
        return file.read().splitlines()


def look(own):
    try:
        own.bind(("127.0.0.1", PORT))
    except OSError as error:
        got("a port that another run used", error)
    for line in (quietly(lines, "dev") or [])[2:]:
        name, _, numbers = line.partition(":")
        if any(map(int, numbers.split())):
            got("counted by an interface", line)
    if connections := (quietly(lines, "tcp") or [])[1:]:
        got("connections", connections)
    pairs = iter(quietly(lines, "snmp") or [])
    for names, numbers in zip(pairs, pairs):
        for name, number in zip(names.split()[1:], numbers.split()[1:]):
            if name in OF_TRAFFIC and int(number):
                got("counted by a protocol", name, number)


if told["stage"] == "first":
    quietly(serve_and_close_first)
    if os.fork() == 0:  # killed with the run, in the midst of it
        held = quietly(socket.socket, socket.AF_INET, socket.SOCK_DGRAM)
        while held is not None:
            quietly(held.sendto, b"x", ("127.0.0.1", 9))
        os._exit(0)
elif own := quietly(socket.socket, socket.AF_INET):
    look(own)
# Without sockets there is no traffic; what the host's is at `minimal`, `network_tables` reads.
end()
