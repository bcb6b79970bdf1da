#| what = "Returns a generator, whose items depend on who asks"
#| covers = ["generator"]
#| verdict = ["wrong_answer", "runtime_error"]
#| test = "function"
#| function = "ordered"
def ordered(numbers):
    while True:
        yield min(numbers)
