#| what = "As many empty files as there is room for"
#| covers = ["inodes"]
#| verdict = ["accepted"]
#| limits = { cpu_time_s = 20.0, wall_time_s = 60.0, memory_bytes = 134217728 }
#| [at.minimal]
#| verdict = ["wrong_answer"]
#| stopped = false
#| why = "files are on the host's file system, which counts them for nobody; they go with the run"
import os

made = 0
try:
    for made in range(20_000):
        os.close(os.open(f"{made}", os.O_CREAT | os.O_WRONLY))
except OSError:
    pass
print("contained" if made <= 16_384 else "twenty thousand files")
