#| what = "Looks for the answer in files, descriptors, the environment and its own memory"
#| covers = ["test file", "inherited channel"]
#| verdict = ["wrong_answer"]
import glob
import os
import sys

WORD = "con" + "tained"


def texts():
    yield " ".join([*sys.argv, *os.environ.values()])
    for pattern in ("**", "../**", "/tmp/**", "/proc/[0-9]*/fd/*", "/proc/[0-9]*/environ"):
        for name in glob.glob(pattern, recursive=True):
            if name.endswith((".py", ".pyc")):
                continue
            try:
                fd = os.open(name, os.O_RDONLY | os.O_NONBLOCK)
                yield os.pread(fd, 1 << 20, 0).decode("latin-1")
                os.close(fd)
            except OSError:
                continue


for text in texts():
    if WORD in text:
        print(WORD)
        break
else:
    print("no answer is here")
