#| what = "Asks the metadata services of clouds for credentials"
#| covers = ["metadata addresses"]
#| verdict = ["accepted"]
import socket
import urllib.request

from attack import attempt, end, got, quietly

for address in ("169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "fd00:ec2::254"):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET

    def connect():
        with socket.socket(family, socket.SOCK_STREAM) as client:
            client.settimeout(2)
            client.connect((address, 80))
            client.sendall(b"GET /latest/meta-data/ HTTP/1.0\r\n\r\n")
            return client.recv(1000)

    attempt(address, connect)
for url in ("http://169.254.169.254/latest/meta-data/", "http://metadata.google.internal/"):
    answer = quietly(lambda: urllib.request.urlopen(url, timeout=2).read(100))
    if answer is not None:
        got(url, answer)
end()
