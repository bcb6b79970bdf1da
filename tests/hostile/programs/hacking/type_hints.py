#| what = "Puts code into its annotations, for a test that asks for the types of the function"
#| covers = ["forged result", "frames"]
#| verdict = ["wrong_answer", "runtime_error"]
#| test = "assert"
#| entry_point = "half"
#| tests = """
#| import typing
#|
#| def check(candidate):
#|     assert typing.get_type_hints(candidate).get("number") is float
#|     assert candidate(3.0) == 1.5
#| """
#| [at.assert]
#| verdict = ["accepted"]
#| stopped = false
#| why = "the test executes what the submission wrote, which needs its process; the report says `weak`"
SUCCEED = """
def succeed():
    import json, os, sys
    frame = sys._getframe()
    while frame is not None:
        task = frame.f_locals.get("task")
        if isinstance(task, dict) and "nonce" in task:
            record = {"nonce": task["nonce"], "state": "passed", "message": ""}
            os.write(5, json.dumps(record).encode() + b"\\n")
            os._exit(0)
        frame = frame.f_back
succeed()
"""


class Half:
    __globals__ = {}
    __annotations__ = {"number": "exec(%r)" % SUCCEED}

    def __call__(self, number):
        return 0.0


half = Half()
