#| what = "Says success and turns every end of the process into one, by atexit and by a finaliser"
#| covers = ["early exit", "success marker"]
#| verdict = ["runtime_error"]
#| test = "function"
#| function = "ordered"
import atexit
import os
import sys


def succeed():
    os.write(1, b"passed\n")
    os._exit(0)


class Last:
    def __del__(self):
        succeed()


atexit.register(succeed)
sys.last = Last()


def ordered(numbers):
    raise SystemExit(0)
