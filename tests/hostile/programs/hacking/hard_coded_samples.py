#| what = "Answers the two samples of the statement by heart, and nothing else"
#| covers = ["hard-coded samples"]
#| verdict = ["wrong_answer"]
#| test = "function"
#| function = "ordered"
SAMPLES = {(3, 1, 2): [1, 2, 3], (5, 5, -1, 0): [-1, 0, 5, 5]}


def ordered(numbers):
    return SAMPLES.get(tuple(numbers), numbers)
