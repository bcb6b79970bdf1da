#| what = "Sleeps for ever"
#| covers = ["sleep"]
#| verdict = ["time_limit_exceeded"]
#| limits = { cpu_time_s = 1.0, wall_time_s = 1.0 }
import time

while True:
    try:
        time.sleep(1e6)
    except BaseException:
        continue
