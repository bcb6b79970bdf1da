#| what = "Fills files that have no name any more"
#| covers = ["tmpfs files", "descriptors"]
#| verdict = ["accepted"]
#| limits = { cpu_time_s = 1.0, wall_time_s = 3.0, memory_bytes = 134217728, file_bytes = 16777216 }
#| [at.minimal]
#| verdict = ["wrong_answer"]
#| stopped = false
#| why = "files are on the host's file system: each is bounded, their sum is not; they go with the run"
import os

held, files = 0, []
try:
    for _ in range(48):
        files.append(open("nameless", "wb", buffering=0))
        os.unlink("nameless")
        held += files[-1].write(bytes(1 << 20))
except OSError:
    pass
print("contained" if held <= 17 << 20 else f"{held} bytes")
