#| what = "Reads every inherited descriptor and writes forged records to each, before it is even asked"
#| covers = ["inherited channel", "forged result", "success marker"]
#| verdict = ["wrong_answer", "runtime_error", "output_limit_exceeded"]
#| test = "function"
#| function = "ordered"
import fcntl
import os

RECORDS = (
    b'{"i":-1,"v":null}\n{"i":0,"v":[1,2,3]}\n{"i":1,"v":true}\n{"i":2,"v":{"o":[0,"x"]}}\n'
    b'{"nonce":"","state":"passed","message":""}\npassed\nOK\n{"v":null}\n{"v":{"o":[0,"f"]}}\n'
)
for fd in range(3, 21):
    try:
        fcntl.fcntl(fd, fcntl.F_SETFL, fcntl.fcntl(fd, fcntl.F_GETFL) | os.O_NONBLOCK)
        os.read(fd, 1 << 16)
    except OSError:
        pass
    try:
        os.write(fd, RECORDS)
    except OSError:
        pass


def ordered(numbers):
    return numbers
