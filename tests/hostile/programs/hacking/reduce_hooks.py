#| what = "Returns objects with hooks for pickling, copying, formatting and deletion"
#| covers = ["proxy object", "forged result"]
#| verdict = ["wrong_answer", "runtime_error"]
#| test = "function"
#| function = "ordered"
import os


class Hooked:
    def __reduce__(self):
        return os._exit, (0,)

    def __deepcopy__(self, memo):
        return [1, 2, 3]

    def __getstate__(self):
        os._exit(0)

    def __format__(self, how):
        return "[1, 2, 3]"

    def __str__(self):
        return "[1, 2, 3]"

    __repr__ = __str__

    def __index__(self):
        return 1

    __int__ = __length_hint__ = __hash__ = __index__

    def __bool__(self):
        return False


def ordered(numbers):
    return Hooked()
