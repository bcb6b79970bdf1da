#| what = "yes"
#| covers = ["endless unread stdout", "stdout flood"]
#| verdict = ["output_limit_exceeded"]
#| limits = { cpu_time_s = 1.0, wall_time_s = 3.0, output_bytes = 1048576, file_bytes = 1048576 }
yes
