#| what = "Replaces standard output and the hooks for errors by ones that say success"
#| covers = ["patched stdout", "success marker"]
#| verdict = ["wrong_answer", "runtime_error"]
#| test = "function"
#| function = "ordered"
import io
import sys
import threading


class Success(io.StringIO):
    def write(self, text):
        return sys.__stdout__.write("passed\n")

    def flush(self):
        raise SystemExit(0)


sys.stdout = sys.stderr = Success()
sys.excepthook = threading.excepthook = sys.unraisablehook = lambda *args: None
sys.displayhook = lambda value: None


def ordered(numbers):
    print(numbers)
