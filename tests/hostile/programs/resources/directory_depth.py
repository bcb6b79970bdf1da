#| what = "Folders in folders, two thousand deep, with a file in each"
#| covers = ["directory depth"]
#| verdict = ["accepted"]
#| limits = { cpu_time_s = 2.0, wall_time_s = 5.0 }
import os

for _ in range(2000):
    os.mkdir("deeper")
    os.chdir("deeper")
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY))
print("contained")
