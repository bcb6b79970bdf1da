#| what = "Stops everybody in its process group"
#| covers = ["SIGSTOP"]
#| verdict = ["time_limit_exceeded"]
#| limits = { cpu_time_s = 1.0, wall_time_s = 1.0 }
sleep 3600 &
sleep 3600 &
kill -STOP 0
kill -TSTP 0
kill -TTIN 0
