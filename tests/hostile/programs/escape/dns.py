#| what = "Resolves names, and asks resolvers directly, to carry data out in questions"
#| covers = ["DNS"]
#| verdict = ["accepted"]
import socket

from attack import end, got, quietly, read

for name in ("example.com", "data.example.com", "metadata.google.internal", "kubernetes.default.svc"):
    found = quietly(socket.getaddrinfo, name, 80)
    if found:
        got(name, found)
words = (quietly(read, "/etc/resolv.conf") or b"").decode().split()
resolvers = [words[at + 1] for at, word in enumerate(words[:-1]) if word == "nameserver"]
question = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03com\x00\x00\x01\x00\x01"
for resolver in [*resolvers, "127.0.0.53", "127.0.0.11", "8.8.8.8", "1.1.1.1"]:

    def ask():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(0.3)
            client.connect((resolver, 53))
            client.send(question)
            return client.recv(512)

    answer = quietly(ask)
    if answer:
        got(resolver, answer)
end()
