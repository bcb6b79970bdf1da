#| what = "Fills /dev/shm"
#| covers = ["shared memory", "tmpfs files"]
#| verdict = ["accepted"]
#| limits = { cpu_time_s = 1.0, wall_time_s = 3.0, memory_bytes = 134217728, file_bytes = 16777216 }
import os

held = 0
for number in range(64):
    try:
        with open(f"/dev/shm/hostile-{number}", "wb", buffering=0) as file:
            held += file.write(bytes(1 << 20))
    except OSError:
        break
print("contained" if held <= 17 << 20 else f"{held} bytes")
