#| what = "Ends its process with success while it is loaded"
#| covers = ["early exit"]
#| verdict = ["runtime_error"]
#| test = "function"
#| function = "ordered"
import os

os._exit(0)
