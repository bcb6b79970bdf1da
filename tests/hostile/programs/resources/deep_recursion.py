#| what = "A recursion without an end, with the interpreter's own bound taken away"
#| covers = ["deep recursion"]
#| verdict = ["runtime_error", "memory_limit_exceeded"]
#| limits = { cpu_time_s = 2.0, wall_time_s = 5.0, memory_bytes = 67108864 }
import sys

sys.setrecursionlimit(2**31 - 1)


class Endless:
    def __repr__(self):
        return repr([self, Endless()])  # by way of C, whose stack is not the heap's


print(repr(Endless()))
