#| what = "Grandchildren burn whose parent is gone, while the program itself sleeps"
#| covers = ["CPU in children", "orphan"]
#| verdict = ["time_limit_exceeded"]
#| limits = { cpu_time_s = 0.5, wall_time_s = 4.0 }
import os
import time

for _ in range(3):
    if os.fork() == 0:
        if os.fork():
            os._exit(0)
        os.setsid()
        while True:
            pass
    os.wait()
time.sleep(3600)
