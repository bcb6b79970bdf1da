#| what = "Ends its process with success in the function that is tested"
#| covers = ["early exit"]
#| verdict = ["runtime_error"]
#| test = "function"
#| function = "ordered"
import os


def ordered(numbers):
    os._exit(0)
