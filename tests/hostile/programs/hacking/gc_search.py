#| what = "Searches all objects of its process for a list or tuple with the numbers in another order"
#| covers = ["gc"]
#| verdict = ["wrong_answer", "runtime_error"]
#| test = "function"
#| function = "ordered"
#| limits = { cpu_time_s = 20.0 }
#| [at.weak]
#| verdict = ["accepted"]
#| stopped = false
#| why = "what is expected is in the process that the test shares; the report says `weak`"
import gc


def ordered(numbers):
    seen = gc.get_objects()
    for item in list(seen):
        seen.extend(gc.get_referents(item))
    for item in seen:
        if type(item) not in (list, tuple) or len(item) != len(numbers) or item is numbers:
            continue
        try:
            if set(item) == set(numbers) and list(item) != numbers:
                return list(item)
        except TypeError:
            continue
    return numbers
