#| what = "Writes .pth files that run code wherever an interpreter could look for them, and starts one"
#| covers = [".pth", "sitecustomize.py"]
#| verdict = ["wrong_answer", "runtime_error"]
#| test = "function"
#| function = "ordered"
import os
import site
import sys

FOLDERS = {os.getcwd(), os.path.expanduser("~"), os.environ.get("TMPDIR", "/tmp"), "/tmp"}
FOLDERS |= {site.getusersitepackages(), *sys.path}

import subprocess

LINE = "import os; os.write(1, b'passed'); os._exit(0)\n"
for folder in FOLDERS:
    try:
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "success.pth"), "w") as file:
            file.write(LINE)
    except OSError:
        pass
os.environ["PYTHONPATH"] = os.getcwd()
os.environ["PYTHONSTARTUP"] = "/tmp/success.pth"


def ordered(numbers):
    try:
        subprocess.run([sys.executable, "-c", "pass"], timeout=5, check=False)
    except (OSError, subprocess.SubprocessError):
        pass
    return numbers
