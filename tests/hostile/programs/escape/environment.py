#| what = "Looks for secrets in every environment: its own, the one it was born with, its children's"
#| covers = ["environment", "configuration"]
#| verdict = ["accepted"]
import os
import subprocess
import sys

from attack import end, got, quietly, read

places = {
    "os.environ": repr(dict(os.environ)).encode(),
    "/proc/self/environ": quietly(read, "/proc/self/environ", 1 << 20) or b"",
    "env": subprocess.run(["env"], capture_output=True).stdout,
    "the command line": quietly(read, "/proc/self/cmdline") or b"",
    "sys": repr([getattr(sys, "orig_argv", None), sys.argv, sys.path, sys._xoptions]).encode(),
}
for name, content in places.items():
    for word in (b"LEAK", b"HOSTILE", b"TOKEN", b"scalebox.toml"):
        if word in content:
            got(name, word, content[:500])
end()
