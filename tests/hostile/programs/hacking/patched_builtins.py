#| what = "Replaces every built-in function that a test or a harness could use"
#| covers = ["patched builtins"]
#| verdict = ["wrong_answer", "runtime_error"]
#| test = "function"
#| function = "ordered"
import builtins

for name in ("len", "sorted", "abs", "isinstance", "all", "any", "print", "type", "bool", "repr"):
    setattr(builtins, name, lambda *args, **kwargs: True)
for name in ("globals", "exec", "compile", "__import__", "getattr", "hasattr", "open", "zip"):
    setattr(builtins, name, lambda *args, **kwargs: {})
builtins.AssertionError = builtins.BaseException = builtins.Exception = KeyError


def ordered(numbers):
    return numbers
