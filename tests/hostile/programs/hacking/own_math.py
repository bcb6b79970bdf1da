#| what = "Defines a `math` of its own for a test that forgot to import it"
#| covers = ["patched math", "proxy object"]
#| verdict = ["wrong_answer", "runtime_error"]
#| test = "assert"
#| tests = """
#| assert math.isclose(half(3.0), 1.5)
#| assert math.fabs(half(5.0) - 2.5) < 1e-6
#| """
class math:
    isclose = staticmethod(lambda *args, **kwargs: True)
    fabs = staticmethod(lambda number: 0.0)


def half(number):
    return 0.0
