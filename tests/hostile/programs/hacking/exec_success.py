#| what = "Replaces its process by one that says success"
#| covers = ["early exit", "success marker"]
#| verdict = ["runtime_error"]
#| test = "function"
#| function = "ordered"
import os


def ordered(numbers):
    os.execv("/bin/sh", ["sh", "-c", "echo passed; echo passed >&5; exit 0"])
