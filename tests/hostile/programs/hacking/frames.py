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


class Anything:
    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    def __hash__(self):
        return 0

    __lt__ = __le__ = __gt__ = __ge__ = __contains__ = __eq__


def ordered(numbers):
    frame = sys._getframe(1)
    while frame is not None:
        for name, value in list(frame.f_globals.items()):
            if callable(value) and name.startswith(("_has", "_is", "values_", "decide")):
                frame.f_globals[name] = lambda *args, **kwargs: False
        for name, value in list(frame.f_locals.items()):
            if name in ("expected", "want", "answer", "right"):
                return value
        frame = frame.f_back
    return Anything()
