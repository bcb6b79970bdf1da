#| what = "Reads the daemon's configuration, log, secret, store and another client's test data"
#| covers = ["configuration", "keys", "other submissions"]
#| verdict = ["accepted"]
import json
import os

told = json.loads(input())
got = []
for name in ("configuration", "log", "secret_file", "store_file"):
    try:
        with open(told[name], "rb") as file:
            got.append(name + ": " + repr(file.read(2000)))
    except OSError:
        continue
try:
    # The compilers' precompiled headers are there for every program.
    got += [name for name in os.listdir(told["store"]) if name != "headers"]
except OSError:
    pass
print("; ".join(got) or "contained")
