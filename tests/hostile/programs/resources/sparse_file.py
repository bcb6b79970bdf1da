#| what = "Files of a terabyte that are all hole"
#| covers = ["sparse file"]
#| verdict = ["accepted"]
#| limits = { cpu_time_s = 1.0, wall_time_s = 3.0, file_bytes = 16777216 }
import os

made = []
for number, how in enumerate((os.ftruncate, os.posix_fallocate)):
    with open(f"hole-{number}", "wb") as file:
        for power in range(44, 24, -1):
            try:
                how(file.fileno(), *((0,) if how is os.posix_fallocate else ()), 1 << power)
            except OSError:
                continue
            made.append(f"{how.__name__}: {1 << power} bytes")
            break
print("; ".join(made) or "contained")
