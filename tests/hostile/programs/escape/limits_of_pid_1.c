//| what = "Changes the limits, priority, scheduling and cores of pid 1, which all later runs inherit"
//| covers = ["prlimit of pid 1"]
//| verdict = ["accepted"]
//| stages = ["first", "second"]
#include "attack.h"
#include <sched.h>
#include <sys/resource.h>

int main(void) {
    attack_begin();
    pid_t targets[] = {1, getppid(), told_number("daemon_pid"), told_number("slot_pid")};
    struct rlimit limit = {1, 1};
    struct { unsigned size, policy; unsigned long long flags; int nice; unsigned priority;
             unsigned long long more[3]; } attributes = {48, 5, 0, 0, 0, {0}};
    struct sched_param none = {0};
    unsigned long mask = 1;
    for (int i = 0; i < 4; i++) {
        pid_t pid = targets[i];
        for (int which = 0; which < 16; which++) {
            refused("prlimit", syscall(SYS_prlimit64, pid, which, &limit, 0));
            refused("prlimit read", syscall(SYS_prlimit64, pid, which, 0, &limit));
        }
        refused("setpriority", syscall(SYS_setpriority, PRIO_PROCESS, pid, 19));
        refused("setpriority of a group", syscall(SYS_setpriority, PRIO_PGRP, pid, 19));
        refused("ioprio_set", syscall(SYS_ioprio_set, 1, pid, 3 << 13));
        refused("sched_setscheduler", syscall(SYS_sched_setscheduler, pid, SCHED_IDLE, &none));
        refused("sched_setparam", syscall(SYS_sched_setparam, pid, &none));
        refused("sched_setattr", syscall(SYS_sched_setattr, pid, &attributes, 0));
        refused("sched_setaffinity", syscall(SYS_sched_setaffinity, pid, sizeof mask, &mask));
    }
    refused("setpriority of all", syscall(SYS_setpriority, PRIO_USER, 0, 19));
    refused("setpriority of the user", syscall(SYS_setpriority, PRIO_USER, getuid(), 19));
    refused("ioprio_set of all", syscall(SYS_ioprio_set, 3, getuid(), 3 << 13));
    refused("sched_setaffinity", syscall(SYS_sched_setaffinity, 0, sizeof mask, &mask));
    // One's own priority may be lowered.
    if (syscall(SYS_setpriority, PRIO_PROCESS, 0, 19) != 0)
        got("setpriority of itself", errno);
    return attack_end();
}
