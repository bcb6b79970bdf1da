#| what = "Replaces what compares: operator, functools, copy, collections, random"
#| covers = ["patched builtins"]
#| verdict = ["wrong_answer", "runtime_error"]
#| test = "assert"
#| entry_point = "ordered"
#| tests = """
#| import collections
#| import copy
#| import operator
#|
#| def check(candidate):
#|     numbers = [3, 1, 2]
#|     kept = copy.deepcopy(numbers)
#|     result = candidate(numbers)
#|     assert operator.eq(collections.Counter(result), collections.Counter(kept))
#|     assert operator.eq(result, [1, 2, 3])
#| """
import collections
import copy
import functools
import operator
import random

for name in ("eq", "ne", "lt", "le", "gt", "ge", "contains", "is_", "truth"):
    setattr(operator, name, lambda *args: True)
copy.deepcopy = copy.copy = lambda value, *rest: value
functools.reduce = lambda *args: True
random.sample = random.shuffle = random.random = lambda *args: 0
collections.Counter.__eq__ = lambda self, other: True


def ordered(numbers):
    return numbers
