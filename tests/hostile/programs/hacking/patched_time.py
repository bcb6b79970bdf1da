#| what = "Stops every clock of the time module, and then takes its time"
#| covers = ["patched time"]
#| verdict = ["time_limit_exceeded"]
#| test = "function"
#| function = "ordered"
#| limits = { cpu_time_s = 0.3 }
import time

for name in ("time", "monotonic", "perf_counter", "process_time", "thread_time"):
    setattr(time, name, lambda: 0.0)
    setattr(time, name + "_ns", lambda: 0)


def ordered(numbers):
    while True:
        time.perf_counter()
