#| what = "Reads which addresses the host has, and who talks to whom there, in the tables of /proc/self/net"
#| covers = ["host network"]
#| verdict = ["accepted"]
#|
#| [at.minimal]
#| verdict = ["wrong_answer"]
#| stopped = false
#| why = "without a namespace of its own a program may read them; Landlock cannot except them from /proc/self"
from attack import end, got, quietly

NET = "/proc/self/net/"
TABLES = ("tcp", "tcp6", "udp", "udp6", "raw", "unix", "packet", "route", "arp", "if_inet6")


def lines(name):
    with open(NET + name) as file:
        return file.read().splitlines()


for table in TABLES:
    # All but `if_inet6` have a heading.
    found = (quietly(lines, table) or [])[table != "if_inet6" :]
    strangers = [line for line in found if not line.endswith(" lo")]
    if strangers:
        got(table, strangers)
interfaces = [line.partition(":")[0].strip() for line in (quietly(lines, "dev") or [])[2:]]
if interfaces not in ([], ["lo"]):
    got("interfaces", interfaces)
end()
