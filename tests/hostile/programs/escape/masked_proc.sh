#| what = "Reads and writes what containers mask in /proc: kcore, kmsg, sysrq, sysctls, interrupts"
#| covers = ["masked /proc"]
#| verdict = ["accepted"]
got=
for file in /proc/kcore /proc/kmsg /proc/kpagecount /proc/kpageflags /proc/kpagecgroup /proc/vmallocinfo \
    /proc/slabinfo /proc/timer_list /proc/sched_debug /proc/iomem.raw /proc/sysrq-trigger /proc/keys-of-root \
    /proc/sys/kernel/cad_pid /proc/sys/vm/mmap_rnd_bits /proc/sys/fs/binfmt_misc/register /proc/mtrr; do
    if head -c 1 "$file" > /dev/null 2>&1; then got="$got; read $file"; fi
done
for file in /proc/sysrq-trigger /proc/sys/kernel/core_pattern /proc/sys/kernel/modprobe /proc/mtrr \
    /proc/sys/kernel/hostname /proc/sys/kernel/ns_last_pid /proc/sys/kernel/printk /proc/sys/vm/overcommit_memory \
    /proc/sys/vm/drop_caches /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/ping_group_range \
    /proc/sys/net/core/somaxconn /proc/sys/user/max_user_namespaces /proc/sys/fs/mqueue/queues_max \
    /proc/sys/kernel/shmmax /proc/sys/kernel/sem /proc/sys/kernel/msgmax /proc/irq/default_smp_affinity \
    /proc/self/oom_score_adj /proc/self/attr/current /proc/self/loginuid /proc/self/setgroups \
    /proc/self/uid_map /proc/self/projid_map /proc/self/timens_offsets /proc/scsi/scsi /proc/bus/pci \
    /proc/fs/nfsd /proc/sys/kernel/yama/ptrace_scope /proc/sys/kernel/unprivileged_bpf_disabled; do
    if [ -f "$file" ] && (: >> "$file") 2> /dev/null; then got="$got; opened $file for writing"; fi
done
if mount -o remount,rw /proc 2> /dev/null; then got="$got; remounted /proc"; fi
echo "${got:-contained}"
