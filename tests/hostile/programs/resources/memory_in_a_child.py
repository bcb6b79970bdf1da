#| what = "Lets a child take the memory, waits for its end, and ends well itself"
#| covers = ["memory touched"]
#| verdict = ["memory_limit_exceeded"]
#| limits = { cpu_time_s = 2.0, wall_time_s = 5.0, memory_bytes = 67108864 }
import os

if os.fork() == 0:
    kept = []
    while True:
        kept.append(b"x" * (4 << 20))
os.wait()
print("contained")
