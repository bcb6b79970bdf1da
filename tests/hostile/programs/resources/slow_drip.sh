#| what = "A line of output now and then, for ever"
#| covers = ["slow drip"]
#| verdict = ["time_limit_exceeded"]
#| limits = { cpu_time_s = 1.0, wall_time_s = 1.5 }
while :; do
    echo contained
    sleep 0.1
done
