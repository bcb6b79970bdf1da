#| what = "Thirty processes of little memory each, together far too much"
#| covers = ["memory touched", "fork bomb"]
#| verdict = ["memory_limit_exceeded"]
#| limits = { cpu_time_s = 2.0, wall_time_s = 5.0, memory_bytes = 67108864, processes = 48 }
import os
import time

for _ in range(30):
    if os.fork() == 0:
        kept = b"x" * (8 << 20)
        time.sleep(3600)
while True:
    os.wait()
