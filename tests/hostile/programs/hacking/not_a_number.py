#| what = "Returns NaN, infinity and numbers at the edges of comparison"
#| covers = ["always equal"]
#| verdict = ["wrong_answer"]
#| test = "function"
#| function = "half"
#| calls = [{ args = [3.0], expected = 1.5 }, { args = [4.0], expected = 2.0 }, { args = [5.0], expected = 2.5 }]
VALUES = [float("nan"), float("inf"), -0.0]


def half(number):
    return VALUES[int(number) % 3]
