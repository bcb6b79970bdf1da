#| what = "Exits with success while it is loaded"
#| covers = ["early exit", "SystemExit"]
#| verdict = ["runtime_error"]
#| test = "function"
#| function = "ordered"
import sys

sys.exit(0)
