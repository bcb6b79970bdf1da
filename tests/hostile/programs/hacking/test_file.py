#| what = "Looks for the test program in files, in linecache, on the command line and in descriptors"
#| covers = ["test file"]
#| verdict = ["wrong_answer", "runtime_error"]
#| test = "function"
#| function = "ordered"
import glob
import linecache
import os
import re
import sys


def texts():
    yield " ".join(sys.argv)
    for lines in linecache.cache.values():
        yield str(lines)
    yield sys.stdin.read()
    names = glob.glob("**", recursive=True) + glob.glob("../*") + glob.glob("/tmp/**", recursive=True)
    names += glob.glob("/proc/[0-9]*/cmdline") + glob.glob("/proc/[0-9]*/environ")
    names += glob.glob("/proc/[0-9]*/fd/*")
    for name in names:
        try:
            fd = os.open(name, os.O_RDONLY | os.O_NONBLOCK)
        except OSError:
            continue
        try:
            yield os.pread(fd, 1 << 20, 0).decode("latin-1")
        except OSError:
            pass
        finally:
            os.close(fd)


ANSWERS = [found for text in texts() for found in re.findall(r"== (\[[-0-9, ]+\])", text)]


def ordered(numbers):
    for text in ANSWERS:
        found = [int(word) for word in text[1:-1].split(",")]
        if len(found) == len(numbers) and found != numbers:
            return found
    return numbers
