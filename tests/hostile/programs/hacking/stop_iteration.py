#| what = "Raises StopIteration, so that a test made of `map` believes it has seen all cases"
#| covers = ["generator"]
#| verdict = ["runtime_error"]
#| test = "assert"
#| entry_point = "ordered"
#| tests = """
#| def check(candidate):
#|     cases = [([3, 1], [1, 3]), ([2, 9, 4], [2, 4, 9])]
#|     assert all(map(lambda case: candidate(case[0]) == case[1], cases))
#| """
def ordered(numbers):
    raise StopIteration
