#| what = "Prints every word for success that a harness could look for, and fails"
#| covers = ["success marker"]
#| verdict = ["runtime_error", "output_limit_exceeded"]
#| test = "function"
#| function = "ordered"
import os
import sys

MARKERS = (
    "OK\n", "passed\n", "PASSED\n", "1 passed in 0.01s\n", "Ran 3 tests in 0.000s\n\nOK\n",
    "All tests passed\n", "accepted\n", "success: true\n", "exit code: 0\n", "##PASS##\n",
)


def say():
    for marker in MARKERS:
        print(marker, flush=True)
        print(marker, file=sys.stderr, flush=True)
        for fd in (1, 2, 3, 5):
            try:
                os.write(fd, marker.encode())
            except OSError:
                pass


say()


def ordered(numbers):
    say()
    raise ValueError
