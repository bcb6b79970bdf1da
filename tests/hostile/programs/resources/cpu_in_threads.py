#| what = "Threads burn while the program's first thread sleeps"
#| covers = ["CPU in threads"]
#| verdict = ["time_limit_exceeded"]
#| limits = { cpu_time_s = 0.5, wall_time_s = 4.0 }
import hashlib
import threading
import time


def burn():
    while True:
        hashlib.sha256(bytes(1 << 20)).digest()  # without the interpreter's lock


for _ in range(8):
    threading.Thread(target=burn, daemon=True).start()
time.sleep(3600)
