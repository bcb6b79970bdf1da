#| what = "Redefines the helper by which the test checks, as HumanEval/32 leaves it to the submission"
#| covers = ["patched math"]
#| verdict = ["wrong_answer", "runtime_error"]
#| test = "assert"
#| entry_point = "find_zero"
#| tests = """
#| def check(candidate):
#|     coefficients = [1, 2]
#|     assert abs(poly(coefficients, candidate(coefficients))) < 1e-4
#| """
#| [at.assert]
#| verdict = ["accepted"]
#| stopped = false
#| why = "the test decides by a function that it leaves to the submission; the report says `weak`"
def poly(coefficients, x):
    return 0.0


def find_zero(coefficients):
    return 12.0
