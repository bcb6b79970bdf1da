#| what = "A thread ends the process with success while the function waits"
#| covers = ["early exit", "background thread"]
#| verdict = ["runtime_error"]
#| test = "function"
#| function = "ordered"
import os
import threading
import time


def ordered(numbers):
    threading.Thread(target=os._exit, args=(0,)).start()
    time.sleep(60)
