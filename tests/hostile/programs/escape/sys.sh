#| what = "Reads and writes /sys: power, devices, cgroups, tracing, huge pages"
#| covers = ["/sys"]
#| verdict = ["accepted"]
got=
for file in /sys/power/state /sys/kernel/mm/transparent_hugepage/enabled /sys/kernel/mm/ksm/run \
    /sys/kernel/uevent_helper /sys/kernel/profiling /sys/module/kernel/parameters/panic \
    /sys/devices/system/cpu/cpu1/online /sys/block/vda/queue/scheduler /sys/class/net/lo/mtu \
    /sys/fs/cgroup/cgroup.procs /sys/fs/cgroup/memory/cgroup.procs /sys/fs/cgroup/pids/cgroup.procs \
    /sys/fs/cgroup/unified/cgroup.procs /sys/fs/cgroup/memory/release_agent; do
    if (: < "$file") 2> /dev/null; then got="$got; read $file"; fi
    if (: >> "$file") 2> /dev/null; then got="$got; opened $file for writing"; fi
done
for folder in /sys /sys/kernel/debug /sys/kernel/tracing /sys/fs/bpf /sys/firmware /sys/fs/cgroup; do
    if ls "$folder" > /dev/null 2>&1; then
        [ -z "$(ls "$folder")" ] || got="$got; listed $folder"
    fi
done
echo "${got:-contained}"
