#| what = "A timer's signal ends the process with success while the function waits"
#| covers = ["early exit"]
#| verdict = ["runtime_error"]
#| test = "function"
#| function = "ordered"
import os
import signal
import time

signal.signal(signal.SIGALRM, lambda number, frame: os._exit(0))


def ordered(numbers):
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    time.sleep(60)
