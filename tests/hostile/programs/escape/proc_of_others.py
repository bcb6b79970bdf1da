#| what = "Looks into every process that /proc shows, or that answers to its number"
#| covers = ["/proc of others", "environment"]
#| verdict = ["accepted"]
import os

from attack import attempt, end, quietly, read

listed = [int(name) for name in quietly(os.listdir, "/proc") or [] if name.isdigit()]
for pid in {*listed, *range(1, 3000)} - {os.getpid()}:
    for name in ("environ", "mem", "maps", "io"):
        attempt(f"/proc/{pid}/{name}", read, f"/proc/{pid}/{name}")
    for name in ("cwd", "exe", "root"):
        attempt(f"/proc/{pid}/{name}", os.readlink, f"/proc/{pid}/{name}")
end()
