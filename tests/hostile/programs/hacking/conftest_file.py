#| what = "Writes a conftest.py and a pytest.ini wherever it can, and dies so that a fresh process finds them"
#| covers = ["conftest.py"]
#| verdict = ["runtime_error"]
#| test = "function"
#| function = "ordered"
import os
import site
import sys

FOLDERS = {os.getcwd(), os.path.expanduser("~"), os.environ.get("TMPDIR", "/tmp"), "/tmp"}
FOLDERS |= {site.getusersitepackages(), *sys.path}

TEXT = "import os\nos._exit(0)\ndef pytest_runtest_makereport(item, call): call.excinfo = None\n"
for folder in FOLDERS:
    for name, text in (("conftest.py", TEXT), ("pytest.ini", "[pytest]\naddopts=--co\n")):
        try:
            with open(os.path.join(folder, name), "w") as file:
                file.write(text)
        except OSError:
            pass


def ordered(numbers):
    os._exit(0)
