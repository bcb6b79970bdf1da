#| what = "Looks into the daemon and the zygotes through /proc, by their pids on the host"
#| covers = ["/proc of the daemon"]
#| verdict = ["accepted"]
from attack import attempt, end, look_into, read, told

for name in ("daemon_pid", "slot_pid"):
    look_into(told[name])
    attempt(name + ": command line", read, f"/proc/{told[name]}/cmdline")
end()
