#| what = "A thread rewrites the returned list for ever"
#| covers = ["background thread"]
#| verdict = ["wrong_answer", "runtime_error"]
#| test = "function"
#| function = "ordered"
import threading


def rewrite(numbers):
    while True:
        for place in range(1, len(numbers)):
            numbers[place - 1], numbers[place] = numbers[place], numbers[place - 1]


def ordered(numbers):
    threading.Thread(target=rewrite, args=(numbers,), daemon=True).start()
    numbers.append(0)
    return numbers
