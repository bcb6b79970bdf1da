#| what = "Returns an object that is equal to everything"
#| covers = ["always equal"]
#| verdict = ["wrong_answer", "runtime_error"]
#| test = "function"
#| function = "ordered"
class Anything:
    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    def __hash__(self):
        return 0

    __lt__ = __le__ = __gt__ = __ge__ = __contains__ = __eq__


def ordered(numbers):
    return Anything()
