#| what = "Writes into the interpreter's memory: lists are equal to everything"
#| covers = ["/proc/self/mem", "always equal"]
#| verdict = ["wrong_answer", "runtime_error"]
#| test = "function"
#| function = "ordered"
#| [at.weak]
#| verdict = ["accepted"]
#| stopped = false
#| why = "the interpreter that compares is the submission's own; the report says `weak`"
import ctypes

POINTER = ctypes.sizeof(ctypes.c_void_p)
COMPARE = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object, ctypes.py_object, ctypes.c_int)


@COMPARE
def equal(left, right, operation):
    return operation != 3


class Probe:
    def __eq__(self, other):
        return True


# The slot's place, told by where a type with an `__eq__` and one without it differ from `object`.
slots = [ctypes.c_void_p.from_address(id(list) + place * POINTER) for place in range(48)]
plain = ctypes.c_void_p.from_address(id(object) + 25 * POINTER).value
if plain and slots[25].value:
    slots[25].value = ctypes.cast(equal, ctypes.c_void_p).value


def ordered(numbers):
    return numbers
