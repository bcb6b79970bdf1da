#| what = "Connects to Unix sockets of the host: the daemon's, another one, container engines', abstract ones"
#| covers = ["pathname sockets", "abstract sockets"]
#| verdict = ["accepted"]
import socket

from attack import attempt, end, told

paths = [told["daemon_socket"], told["host_socket"], "/var/run/docker.sock", "/run/docker.sock",
         "/run/containerd/containerd.sock", "/run/podman/podman.sock", "/run/dbus/system_bus_socket",
         "/run/systemd/private", "/run/systemd/journal/socket", "/dev/log", "/run/udev/control"]
names = [told["abstract_socket"], "/tmp/.X11-unix/X0", "/containerd-shim", "/run/dbus"]


def greeting(kind, address):
    with socket.socket(socket.AF_UNIX, kind) as client:
        client.settimeout(2)
        client.connect(address)
        if kind == socket.SOCK_STREAM:
            client.sendall(b"GET /v1/status HTTP/1.0\r\n\r\n")
            return client.recv(1000)
        return client.send(b"hello")


for address in [*paths, *("\0" + name for name in names)]:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
        attempt(repr(address), greeting, kind, address)
end()
