#| what = "Returns text, numbers and bytes of classes of its own, which are equal to everything"
#| covers = ["always equal"]
#| verdict = ["wrong_answer", "runtime_error"]
#| test = "function"
#| function = "digits"
#| calls = [{ args = [0], expected = "a" }, { args = [1], expected = 7 }, { args = [2], expected = 2.5 }]
class Text(str):
    def __eq__(self, other):
        return True

    __hash__ = str.__hash__


class Number(int):
    __eq__ = Text.__eq__
    __hash__ = int.__hash__

    def __index__(self):
        return 3


class Real(float):
    __eq__ = Text.__eq__
    __hash__ = float.__hash__


def digits(number):
    return [Text("0"), Number(0), Real(0)][number % 3]
