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
        if "_has_own_equality" in frame.f_globals:
            frame.f_globals["_has_own_equality"] = lambda value: False
            return Anything()
        frame = frame.f_back
    nested = []
    for _ in range(5000):
        nested = [nested]
    return nested
