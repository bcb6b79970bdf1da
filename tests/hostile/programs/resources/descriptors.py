#| what = "Opens files until it is refused"
#| covers = ["descriptors"]
#| verdict = ["accepted"]
#| limits = { cpu_time_s = 1.0, wall_time_s = 3.0, open_files = 128 }
import os
import resource

for limit in (1 << 20, resource.RLIM_INFINITY):
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    except (OSError, ValueError):
        continue
fds = []
try:
    while len(fds) < 4096:
        fds.append(os.open("/dev/null", os.O_RDONLY))
except OSError:
    pass
print("contained" if len(fds) <= 128 else f"{len(fds)} descriptors")
