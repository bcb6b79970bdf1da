#| what = "Lets the interpreter's own watchdog end the process"
#| covers = ["early exit", "swallowed time-out"]
#| verdict = ["runtime_error"]
#| test = "function"
#| function = "ordered"
import faulthandler
import os
import time

NULL = os.open(os.devnull, os.O_WRONLY)


def ordered(numbers):
    faulthandler.dump_traceback_later(0.01, exit=True, file=NULL)
    time.sleep(60)
