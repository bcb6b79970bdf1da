#| what = "Connects to the host: its loopback, its own address, UDP, broadcast and multicast"
#| covers = ["host network", "loopback"]
#| verdict = ["accepted"]
import socket

from attack import attempt, end, got, quietly, told


def greeting(family, address):
    with socket.socket(family, socket.SOCK_STREAM) as client:
        client.settimeout(2)
        client.connect(address)
        return client.recv(100)


port = told["tcp_port"]
addresses = ["127.0.0.1", "localhost", "127.1.2.3", "0.0.0.0", told["host_address"], "10.0.0.1"]
for address in filter(None, [*addresses, "172.17.0.1", "192.168.0.1", "8.8.8.8"]):
    attempt(f"TCP {address}", greeting, socket.AF_INET, (address, port))
for address in ("::1", "::ffff:127.0.0.1", "2001:4860:4860::8888"):
    attempt(f"TCP {address}", greeting, socket.AF_INET6, (address, port))
for scope in range(1, 4):
    answer = quietly(greeting, socket.AF_INET6, ("fe80::1", port, 0, scope))
    if answer:
        got("the link", answer)


def sent(address):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        return client.sendto(b"hello", (address, 9))


for address in filter(None, [told["host_address"], "255.255.255.255", "224.0.0.1", "192.0.2.1"]):
    attempt(f"UDP {address}", sent, address)
interfaces = quietly(socket.if_nameindex) or []
if [name for _, name in interfaces] not in ([], ["lo"]):
    got("interfaces", interfaces)
end()
