#| what = "Starts threads until it is refused"
#| covers = ["thread bomb"]
#| verdict = ["accepted"]
#| limits = { cpu_time_s = 1.0, wall_time_s = 3.0, processes = 64, memory_bytes = 134217728 }
#| [at."minimal+rlimit"]
#| verdict = ["runtime_error"]
#| why = "ended for it: RLIMIT_NPROC counts other programs of the same user, and is wide there"
import threading
import time

started = 0
try:
    for _ in range(1000):
        threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()
        started += 1
except RuntimeError:
    pass
time.sleep(0.3)
print("contained" if started <= 64 + 16 else f"{started} threads")
