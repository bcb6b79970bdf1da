#| what = "The fork bomb of the shell, left to itself"
#| covers = ["fork bomb", "orphan"]
#| verdict = ["accepted"]
#| limits = { cpu_time_s = 1.0, wall_time_s = 3.0, processes = 32 }
bomb() { bomb | bomb & }
(bomb) > /dev/null 2>&1
echo contained
