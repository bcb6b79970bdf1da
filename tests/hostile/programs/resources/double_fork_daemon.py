#| what = "A daemon of two forks and a session of its own goes on when its parents are gone"
#| covers = ["double fork daemon"]
#| verdict = ["accepted"]
import os
import time

if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    os.chdir("/")
    os.umask(0)
    null = os.open("/dev/null", os.O_RDWR)
    for fd in range(3):
        os.dup2(null, fd)
    while True:
        time.sleep(0.01)
        try:
            with open("/tmp/alive", "a") as file:
                file.write("alive\n")
        except OSError:
            continue
os.wait()
print("contained")
