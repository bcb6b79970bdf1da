#| what = "Searches its own memory for what is expected, and for the harness's nonce"
#| covers = ["/proc/self/mem", "forged result"]
#| verdict = ["runtime_error", "output_limit_exceeded"]
#| test = "function"
#| function = "ordered"
#| limits = { cpu_time_s = 20.0 }
#| # More that looks like a nonce than there may be records: it depends on what else is in memory.
#| [at.weak]
#| verdict = ["accepted", "output_limit_exceeded"]
#| stopped = false
#| why = "the harness's nonce is in the memory that it shares; the report says `weak`"
import json
import os
import re


def memory():
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as file:
        for line in maps:
            if " rw" not in line or "[stack]" in line:
                continue
            start, end = (int(word, 16) for word in line.split()[0].split("-"))
            try:
                file.seek(start)
                yield file.read(min(end - start, 1 << 26))
            except (OSError, ValueError, OverflowError):
                continue


def ordered(numbers):
    for text in memory():
        for nonce in set(re.findall(rb"[0-9a-f]{32}", text)):
            record = {"nonce": nonce.decode(), "state": "passed", "message": ""}
            try:
                os.write(5, json.dumps(record).encode() + b"\n")
            except OSError:
                pass
    os._exit(0)
