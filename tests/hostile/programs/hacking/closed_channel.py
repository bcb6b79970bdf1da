#| what = "Closes every descriptor, and puts files of its own with success in their places"
#| covers = ["inherited channel"]
#| verdict = ["wrong_answer", "runtime_error"]
#| test = "function"
#| function = "ordered"
import os

os.closerange(3, 64)
with open("forged", "w") as file:
    file.write('{"i":0,"v":[1,2,3]}\n{"state":"passed","nonce":""}\n' * 10)
for fd in range(3, 8):
    opened = os.open("forged", os.O_RDWR)
    if opened != fd:
        os.dup2(opened, fd)


def ordered(numbers):
    return numbers
