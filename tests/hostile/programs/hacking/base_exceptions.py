#| what = "Raises what `except Exception` does not catch, another one each time"
#| covers = ["SystemExit"]
#| verdict = ["wrong_answer", "runtime_error"]
#| test = "function"
#| function = "ordered"
import itertools


class Quiet(BaseException):
    pass


class Leaving(SystemExit):
    pass


KINDS = itertools.cycle([KeyboardInterrupt, GeneratorExit, Quiet, Leaving, StopIteration])


def ordered(numbers):
    raise next(KINDS)
