#| what = "Finds the harness's task through a traceback's frames, and writes the record itself"
#| covers = ["frames", "forged result"]
#| verdict = ["runtime_error"]
#| test = "function"
#| function = "ordered"
#| [at.weak]
#| verdict = ["accepted"]
#| stopped = false
#| why = "the harness's nonce is in the process that it shares; the report says `weak`"
import json
import os


def search():
    try:
        raise KeyError
    except KeyError as error:
        frame = error.__traceback__.tb_frame
    while frame is not None:
        for value in frame.f_locals.values():
            if type(value) is dict and "nonce" in value:
                return value["nonce"]
        frame = frame.f_back
    return ""


def ordered(numbers):
    record = json.dumps({"nonce": search(), "state": "passed", "message": ""})
    for fd in (5, 4, 3):
        try:
            os.write(fd, record.encode() + b"\n")
        except OSError:
            pass
    os._exit(0)
