#| what = "Guesses the harness's nonce, and makes every source of randomness known"
#| covers = ["forged result"]
#| verdict = ["wrong_answer", "runtime_error", "output_limit_exceeded"]
#| test = "function"
#| function = "ordered"
import json
import os
import random
import secrets
import uuid

os.urandom = random.randbytes = lambda size: bytes(size)
secrets.token_hex = lambda size=16: "0" * 2 * size
uuid.uuid4 = lambda: uuid.UUID(int=0)
random.seed(0)


def ordered(numbers):
    for nonce in ("", "0" * 32, None, True, [], {}, 0, "nonce", secrets.token_hex()):
        record = {"nonce": nonce, "state": "passed", "message": "", "i": 0, "v": True}
        for fd in range(3, 8):
            try:
                os.write(fd, json.dumps(record).encode() + b"\n")
            except OSError:
                pass
    return numbers
