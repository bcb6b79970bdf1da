#| what = "Runs out of stack and of memory on purpose, and lifts the limit of recursion"
#| covers = ["swallowed time-out"]
#| verdict = ["wrong_answer", "runtime_error"]
#| test = "function"
#| function = "ordered"
import sys

sys.setrecursionlimit(1 << 30)


class Endless(list):
    def __len__(self):
        return len(self)

    def __iter__(self):
        return iter(self)

    def __eq__(self, other):
        return self == other


def ordered(numbers):
    if len(numbers) == 3:
        raise RecursionError
    if len(numbers) == 4:
        raise MemoryError
    return Endless(numbers)
