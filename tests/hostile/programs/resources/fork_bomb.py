#| what = "Forks until it is refused, in every process"
#| covers = ["fork bomb"]
#| verdict = ["runtime_error", "time_limit_exceeded", "memory_limit_exceeded"]
#| limits = { cpu_time_s = 1.0, wall_time_s = 4.0, processes = 64 }
import os

while True:
    os.fork()
