#| what = "Writes many thousand possible answers, one of which is right"
#| covers = ["success marker"]
#| verdict = ["wrong_answer"]
import itertools

for letters in itertools.product("acdeinot", repeat=4):
    print("".join(letters))
print("con" + "tained")
