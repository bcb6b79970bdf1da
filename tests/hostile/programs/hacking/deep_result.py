#| what = "Returns what cannot be sent, so that it is tested in one process, and cheats there"
#| covers = ["forged result", "proxy object"]
#| verdict = ["wrong_answer", "runtime_error"]
#| test = "function"
#| function = "ordered"
#| [at.weak]
#| verdict = ["accepted"]
#| stopped = false
#| why = "where the test itself needs one process; the report says `weak`"
import sys


def ordered(numbers):
    frame = sys._getframe(1)
    while frame is not None:
        for name in list(frame.f_globals):
            if "compare" in name:
                frame.f_globals[name] = lambda *args: True
        frame = frame.f_back
    nested = []
    for _ in range(5000):
        nested = [nested]
    return nested
