#| what = "Exits with success, and says so, before it has computed anything"
#| covers = ["early exit", "success marker"]
#| verdict = ["wrong_answer"]
import os

os.write(2, b"accepted\n")
os._exit(0)
