#| what = "Writes sitecustomize.py and modules that tests import wherever it can, and dies"
#| covers = ["sitecustomize.py"]
#| verdict = ["runtime_error"]
#| test = "function"
#| function = "ordered"
import os
import site
import sys

FOLDERS = {os.getcwd(), os.path.expanduser("~"), os.environ.get("TMPDIR", "/tmp"), "/tmp"}
FOLDERS |= {site.getusersitepackages(), *sys.path}

TEXT = "import os\nos.write(1, b'passed')\nos._exit(0)\n"
NAMES = ("sitecustomize", "usercustomize", "operator", "json", "pytest", "bisect", "candidate")
for folder in FOLDERS:
    for name in NAMES:
        try:
            os.makedirs(folder, exist_ok=True)
            with open(os.path.join(folder, name + ".py"), "w") as file:
                file.write(TEXT)
        except OSError:
            pass


def ordered(numbers):
    os._exit(0)
