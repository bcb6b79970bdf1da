#| what = "Output for ever, a byte at a time, and no error is an answer"
#| covers = ["stdout flood", "endless unread stdout"]
#| verdict = ["output_limit_exceeded"]
#| limits = { cpu_time_s = 1.0, wall_time_s = 3.0, output_bytes = 65536, file_bytes = 65536 }
import os
import signal

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
while True:
    try:
        os.write(1, b"x")
    except OSError:
        continue
