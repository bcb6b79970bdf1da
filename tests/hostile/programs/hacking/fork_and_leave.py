#| what = "Forks in the function; the parent ends with success, the child goes on with a lie"
#| covers = ["early exit", "forged result"]
#| verdict = ["wrong_answer", "runtime_error"]
#| test = "function"
#| function = "ordered"
import os


def ordered(numbers):
    if os.fork():
        os._exit(0)
    return numbers
