#| what = "Asks for the existence, size and times of files outside, without opening them"
#| covers = ["other submissions", "/proc of others"]
#| verdict = ["accepted"]
#| [at.minimal]
#| verdict = ["wrong_answer"]
#| stopped = false
#| why = "without a mount namespace names, sizes and times of files can be asked for; contents cannot"
import os

from attack import end, got, quietly, told

for name in ("secret_file", "store_file", "configuration", "daemon_socket"):
    found = quietly(os.stat, told[name])
    if found is not None:
        got(name, found.st_size)
end()
