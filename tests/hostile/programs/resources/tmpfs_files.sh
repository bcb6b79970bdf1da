#| what = "Writes file after file, in the working directory and in /tmp"
#| covers = ["tmpfs files"]
#| verdict = ["accepted"]
#| limits = { cpu_time_s = 1.0, wall_time_s = 5.0, memory_bytes = 134217728, file_bytes = 16777216 }
#| [at.minimal]
#| verdict = ["wrong_answer"]
#| stopped = false
#| why = "files are on the host's file system: each is bounded, their sum is not; they go with the run"
for i in 1 2 3 4 5 6 7 8; do
    dd if=/dev/zero of=here-$i bs=1M count=4
    dd if=/dev/zero of=/tmp/there-$i bs=1M count=4
done 2> /dev/null
held=$(du -sk . /tmp | awk '{ sum += $1 } END { print sum }')
if [ "$held" -le 16384 ]; then echo contained; else echo "$held KiB"; fi
