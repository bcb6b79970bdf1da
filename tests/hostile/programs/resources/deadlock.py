#| what = "Two threads that wait for each other, and an exit that waits for both"
#| covers = ["sleep"]
#| verdict = ["time_limit_exceeded"]
#| limits = { cpu_time_s = 1.0, wall_time_s = 1.0 }
import threading

one, other = threading.Lock(), threading.Lock()
both = threading.Barrier(2)


def take(first, second):
    with first:
        both.wait()
        with second:
            pass


for pair in ((one, other), (other, one)):
    threading.Thread(target=take, args=pair).start()
print("contained")
