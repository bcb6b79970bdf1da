#| what = "Traces and profiles every line, and rewrites the variables of whoever runs"
#| covers = ["frames", "patched builtins"]
#| verdict = ["wrong_answer", "runtime_error"]
#| test = "function"
#| function = "ordered"
import sys
import threading


def trace(frame, event, argument):
    if event == "return" or frame.f_code.co_filename.endswith("candidate.py"):
        return trace
    for name in ("expected", "want", "result", "state", "value"):
        if name in frame.f_locals:
            frame.f_locals[name] = True
    return trace


sys.settrace(trace)
sys.setprofile(trace)
threading.settrace(trace)


def ordered(numbers):
    return numbers
