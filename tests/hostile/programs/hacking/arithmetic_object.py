#| what = "Returns an object that every subtraction and comparison suits"
#| covers = ["always equal", "proxy object"]
#| verdict = ["wrong_answer", "runtime_error"]
#| test = "assert"
#| entry_point = "half"
#| tests = """
#| def check(candidate):
#|     assert abs(candidate(3.0) - 1.5) < 1e-6
#| """
#| [at.assert]
#| verdict = ["accepted"]
#| stopped = false
#| why = "the test computes with an object of the submission's; the report says `weak`"
class Right:
    def _self(self, *args):
        return self

    def _yes(self, *args):
        return True

    __sub__ = __rsub__ = __abs__ = __add__ = __radd__ = __round__ = __mul__ = __truediv__ = _self
    __lt__ = __le__ = __gt__ = __ge__ = __eq__ = __bool__ = _yes

    def __float__(self):
        return 0.0

    __index__ = None


def half(number):
    return Right()
