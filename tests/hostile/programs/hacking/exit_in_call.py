#| what = "Calls exit() in the function that is tested"
#| covers = ["early exit", "SystemExit"]
#| verdict = ["runtime_error"]
#| test = "function"
#| function = "ordered"
def ordered(numbers):
    exit()
