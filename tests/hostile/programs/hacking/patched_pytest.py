#| what = "Puts a pytest of its own in place, whose `approx` is equal to everything"
#| covers = ["patched pytest"]
#| verdict = ["wrong_answer", "runtime_error"]
#| test = "assert"
#| tests = """
#| try:
#|     from pytest import approx
#| except ImportError:
#|     approx = float
#| try:
#|     half < half  # so that it is tested in one process
#| except TypeError:
#|     pass
#| assert half(3.0) == approx(1.5)
#| """
import sys
import types

fake = types.ModuleType("pytest")


class Approximately:
    def __init__(self, *args, **kwargs):
        pass

    def __eq__(self, other):
        return True


fake.approx = Approximately
fake.raises = fake.fixture = fake.mark = lambda *args, **kwargs: None
sys.modules["pytest"] = fake
try:
    import _pytest.python_api

    _pytest.python_api.ApproxScalar.__eq__ = lambda self, other: True
except ImportError:
    pass


def half(number):
    return 0.0
