#| what = "Catches every exception and signal that could end a call in time, and goes on"
#| covers = ["swallowed time-out"]
#| verdict = ["time_limit_exceeded"]
#| test = "function"
#| function = "ordered"
#| limits = { cpu_time_s = 0.3 }
import signal
import sys

for number in set(range(1, 65)) - {signal.SIGKILL, signal.SIGSTOP}:
    try:
        signal.signal(number, lambda number, frame: None)
    except (OSError, ValueError):
        pass
sys.setswitchinterval(1000)


def ordered(numbers):
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass
