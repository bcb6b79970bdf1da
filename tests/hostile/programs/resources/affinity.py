#| what = "Tries to leave the core that it was given, itself and by a child"
#| covers = ["affinity"]
#| verdict = ["accepted"]
#| limits = { cpu_time_s = 1.0, wall_time_s = 3.0 }
import os

given = os.sched_getaffinity(0)


def try_to_leave():
    for cores in (range(1024), range(os.cpu_count()), set(range(os.cpu_count())) - given):
        try:
            os.sched_setaffinity(0, cores)
        except (OSError, ValueError):
            continue
    return os.sched_getaffinity(0) != given


left = try_to_leave()
child = os.fork()
if child == 0:
    os._exit(try_to_leave())
left = left or os.waitpid(child, 0)[1] != 0
print(f"from {given} to {os.sched_getaffinity(0)}" if left else "contained")
