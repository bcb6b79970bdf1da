#| what = "Returns `unittest.mock.ANY`"
#| covers = ["proxy object", "always equal"]
#| verdict = ["wrong_answer", "runtime_error"]
#| test = "function"
#| function = "ordered"
import unittest.mock


def ordered(numbers):
    return unittest.mock.ANY
