#| what = "Returns an object that says it is a list, and has everything a list has"
#| covers = ["proxy object", "always equal"]
#| verdict = ["wrong_answer", "runtime_error"]
#| test = "function"
#| function = "ordered"
class Liar:
    def __init__(self, numbers):
        self._numbers = numbers

    @property
    def __class__(self):
        return list

    def __getattr__(self, name):
        return getattr(self._numbers, name)

    def __eq__(self, other):
        return True

    def __len__(self):
        return len(self._numbers)

    def __iter__(self):
        return iter(self._numbers)

    def __getitem__(self, place):
        return self._numbers[place]

    def __reduce__(self):
        return list, ([1, 2, 3],)

    def __repr__(self):
        return "[1, 2, 3]"


def ordered(numbers):
    return Liar(numbers)
