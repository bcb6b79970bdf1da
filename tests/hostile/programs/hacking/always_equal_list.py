#| what = "Returns a list of a class of its own with an `__eq__` of its own"
#| covers = ["always equal"]
#| verdict = ["wrong_answer", "runtime_error"]
#| test = "function"
#| function = "ordered"
class Same(list):
    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False


def ordered(numbers):
    return Same(numbers)
