#| what = "Signals the daemon and its zygotes by their pids on the host"
#| covers = ["signals to the daemon"]
#| verdict = ["accepted"]
import os
import signal

from attack import attempt, end, told

for name in ("daemon_pid", "slot_pid"):
    for number in (0, signal.SIGUSR1, signal.SIGTERM, signal.SIGSTOP, signal.SIGKILL):
        attempt(f"{name} {number}", os.kill, told[name], number)
        attempt(f"group of {name} {number}", os.kill, -told[name], number)
    if hasattr(signal, "pidfd_send_signal"):
        attempt(f"{name} by descriptor", lambda: signal.pidfd_send_signal(os.pidfd_open(told[name]), 9))
end()
