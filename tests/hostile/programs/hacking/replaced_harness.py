#| what = "Rewrites the code of every function of the harness that it can find"
#| covers = ["forged result", "gc", "frames"]
#| verdict = ["wrong_answer", "runtime_error"]
#| test = "function"
#| function = "ordered"
#| [at.weak]
#| verdict = ["accepted"]
#| stopped = false
#| why = "the comparison shares the process; the report says `weak`"
import gc
import types


def yes(*args, **kwargs):
    return True


def ordered(numbers):
    for item in gc.get_objects():
        if type(item) is not types.FunctionType or item in (yes, ordered):
            continue
        if item.__name__ in ("_compare", "_has_own_equality", "decide", "values_equal", "explain"):
            try:
                item.__code__ = yes.__code__
            except ValueError:
                pass
    return numbers
