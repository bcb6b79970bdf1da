#| what = "Leaves by an exception derived from SystemExit where the test swallows the usual ones"
#| covers = ["SystemExit"]
#| verdict = ["runtime_error"]
#| test = "assert"
#| entry_point = "root"
#| tests = """
#| def check(candidate):
#|     try:
#|         assert candidate(9) == 3
#|     except ValueError:
#|         return
#|     except Exception as error:
#|         if isinstance(error, AssertionError):
#|             raise
#| """
class Leaving(SystemExit):
    pass


def root(number):
    raise Leaving(0)
