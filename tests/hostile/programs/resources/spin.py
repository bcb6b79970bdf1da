#| what = "Spins, and survives every exception"
#| covers = ["spin", "SIGTERM ignored"]
#| verdict = ["time_limit_exceeded"]
#| limits = { cpu_time_s = 0.5, wall_time_s = 3.0 }
import signal

for number in range(1, 65):
    try:
        signal.signal(number, lambda *_: None)
    except (OSError, ValueError):
        continue
while True:
    try:
        while True:
            pass
    except BaseException:
        continue
