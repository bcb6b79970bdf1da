#| what = "Changes what later runs are made of: modules, site files, compilers, its own interpreter"
#| covers = ["harness files", "writable inputs"]
#| verdict = ["accepted"]
import os
import shutil
import sys

from attack import attempt, end, quietly

paths = {sys.executable, os.__file__, "/usr/bin/gcc", "/bin/sh", "/usr/include/stdio.h", "/etc/passwd",
         "/etc/ld.so.cache", "/etc/nsswitch.conf", "/etc/resolv.conf", "/etc/hosts"}
paths |= {module.__file__ for module in list(sys.modules.values()) if getattr(module, "__file__", None)}
words = (quietly(lambda: open("/proc/1/cmdline").read()) or "").split("\0")
paths |= {word for word in words if word.startswith("/")}
here = os.getcwd()
for path in sorted(paths):
    if path.startswith(here):
        continue
    for mode in (os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_APPEND):
        attempt(f"open {path}", os.open, path, mode)
    attempt(f"rename {path}", os.rename, path, path + ".old")
    attempt(f"link {path}", os.link, path, "linked")
    attempt(f"truncate {path}", os.truncate, path, os.stat(path).st_size if os.path.exists(path) else 0)
for folder in {os.path.dirname(path) for path in paths} | {"/", "/etc", "/usr/lib/python3/dist-packages"}:
    if folder.startswith(here):
        continue
    for name in ("sitecustomize.py", "usercustomize.py", "x.pth", "json.py", "__pycache__"):
        attempt(f"create {folder}/{name}", os.open, f"{folder}/{name}.new", os.O_CREAT | os.O_WRONLY)
    attempt(f"link in {folder}", os.symlink, "/", f"{folder}/new-link")
home = os.path.expanduser("~")
if not os.path.realpath(home).startswith(os.path.dirname(here)):
    attempt("home", os.open, home + "/.pythonrc", os.O_CREAT | os.O_WRONLY)
end()
