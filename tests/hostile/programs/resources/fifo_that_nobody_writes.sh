#| what = "Reads a pipe that it would have to write itself"
#| covers = ["sleep", "pipe buffers"]
#| verdict = ["time_limit_exceeded"]
#| limits = { cpu_time_s = 1.0, wall_time_s = 1.0 }
mkfifo loop
cat loop loop > loop
