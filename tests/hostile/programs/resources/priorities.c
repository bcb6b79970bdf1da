//| what = "Asks for every kind of precedence over others"
//| covers = ["nice"]
//| verdict = ["accepted"]
//| limits = { cpu_time_s = 1.0, wall_time_s = 3.0 }
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
    struct rlimit any = {RLIM_INFINITY, RLIM_INFINITY};
    struct sched_param first = {99};
    struct {
        unsigned size, policy;
        unsigned long flags;
        int nice;
        unsigned priority;
        unsigned long runtime, deadline, period;
    } deadline = {48, 6, 0, 0, 0, 1000000, 1000000, 1000000};
    int before = getpriority(PRIO_PROCESS, 0);
    setrlimit(RLIMIT_NICE, &any);
    setrlimit(RLIMIT_RTPRIO, &any);
    setpriority(PRIO_PROCESS, 0, -20);
    setpriority(PRIO_USER, 0, -20);
    if (getpriority(PRIO_PROCESS, 0) < before)
        puts("a better niceness");
    if (sched_setscheduler(0, SCHED_FIFO, &first) == 0)
        puts("SCHED_FIFO");
    if (sched_setscheduler(0, SCHED_RR, &first) == 0)
        puts("SCHED_RR");
    if (syscall(SYS_sched_setattr, 0, &deadline, 0) == 0)
        puts("SCHED_DEADLINE");
    if (syscall(SYS_ioprio_set, 1, 0, 1 << 13) == 0)
        puts("real-time input and output");
    puts("contained");
    return 0;
}
