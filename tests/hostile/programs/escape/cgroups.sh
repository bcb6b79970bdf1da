#| what = "Leaves its control group, lifts its limits, and makes groups of its own"
#| covers = ["/sys"]
#| verdict = ["accepted"]
got=
while IFS=: read -r _ kinds path; do
    for place in "/sys/fs/cgroup/$kinds$path" "/sys/fs/cgroup$path" "/sys/fs/cgroup/${kinds#name=}$path" \
        "/sys/fs/cgroup/$kinds" /sys/fs/cgroup; do
        for file in cgroup.procs tasks memory.max memory.limit_in_bytes pids.max cpu.max cgroup.kill \
            cgroup.freeze notify_on_release; do
            if (echo 0 >> "$place/$file") 2> /dev/null; then got="$got; wrote $place/$file"; fi
        done
        if mkdir "$place/own" 2> /dev/null; then
            rmdir "$place/own"
            got="$got; made a group in $place"
        fi
    done
done < /proc/self/cgroup 2> /dev/null
echo "${got:-contained}"
