#| what = "A thread writes records and answers to every descriptor after the function returned"
#| covers = ["background thread", "forged result", "inherited channel"]
#| verdict = ["wrong_answer", "runtime_error", "output_limit_exceeded"]
#| test = "function"
#| function = "ordered"
import os
import threading

RECORDS = b'{"i":0,"v":[1,2,3]}\n{"v":[1,2,3]}\n{"nonce":"","state":"passed","message":""}\n'


def write():
    while True:
        for fd in range(3, 20):
            try:
                os.write(fd, RECORDS)
            except OSError:
                pass


def ordered(numbers):
    threading.Thread(target=write, daemon=True).start()
    return numbers
