#| what = "Answers for every name that a test asks for, its own `check` among them"
#| covers = ["proxy object", "patched builtins"]
#| verdict = ["wrong_answer", "runtime_error"]
#| test = "function"
#| function = "ordered"
class Anything:
    def __call__(self, *args, **kwargs):
        return self

    def __getattr__(self, name):
        return self

    def __eq__(self, other):
        return True

    def __bool__(self):
        return True


def __getattr__(name):
    return Anything()


check = candidate = sorted = len = all = any = assert_ = Anything()
__builtins__ = {"AssertionError": KeyError}
ordered = Anything()
