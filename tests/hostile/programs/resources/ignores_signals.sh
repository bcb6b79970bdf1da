#| what = "Ignores what can be ignored, and its children inherit that"
#| covers = ["SIGTERM ignored", "spin"]
#| verdict = ["time_limit_exceeded"]
#| limits = { cpu_time_s = 0.5, wall_time_s = 4.0 }
trap '' TERM HUP INT QUIT XCPU XFSZ ALRM USR1 USR2 PIPE
(while :; do :; done) &
while :; do :; done
