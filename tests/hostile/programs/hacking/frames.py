#| what = "Walks the frames of its callers, and replaces what compares and what is compared"
#| covers = ["frames"]
#| verdict = ["wrong_answer", "runtime_error"]
#| test = "function"
#| function = "ordered"
#| [at.weak]
#| verdict = ["accepted"]
#| stopped = false
#| why = "the test shares the process, and its frames; the report says `weak`"
import sys


def ordered(numbers):
    frame = sys._getframe(1)
    while frame is not None:
        for name, value in list(frame.f_globals.items()):
            if callable(value) and "compare" in name:
                frame.f_globals[name] = lambda *args: True
            if name in ("expected", "answer"):
                return value
        for name, value in list(frame.f_locals.items()):
            if name in ("expected", "want", "answer", "right"):
                return value
        frame = frame.f_back
    return numbers
