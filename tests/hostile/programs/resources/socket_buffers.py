#| what = "Fills sockets that nobody reads, in several processes"
#| covers = ["socket buffers", "descriptors"]
#| verdict = ["memory_limit_exceeded"]
#| limits = { cpu_time_s = 1.5, wall_time_s = 4.0, memory_bytes = 67108864, open_files = 256 }
#| [at.rlimit]
#| verdict = ["wrong_answer"]
#| stopped = false
#| why = "without a cgroup only memory that a process maps is seen; each socket is bounded, and how many there may be"
import os
import socket

block = bytes(1 << 15)
kept = []
held = 0
while held < 160 << 20:
    if len(kept) >= 200:
        # The next process has descriptors of its own; this one keeps what it has.
        ready, told = os.pipe()
        if os.fork() == 0:
            os.close(ready)
            for one in kept:
                one.close()
            kept = []
            continue
        os.close(told)
        os.read(ready, 1)
        os._exit(0)
    ends = socket.socketpair()
    kept += ends
    for end in ends:
        end.setblocking(False)
        try:
            while True:
                held += end.send(block)
        except BlockingIOError:
            continue
os.write(1, b"%d bytes are held\n" % held)
