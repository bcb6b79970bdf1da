#| what = "Becomes itself again and again: one process id, a new program each time"
#| covers = ["spin"]
#| verdict = ["time_limit_exceeded"]
#| limits = { cpu_time_s = 0.5, wall_time_s = 4.0 }
exec sh attack.sh
