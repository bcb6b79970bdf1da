//| what = "Counts and samples with perf: itself, pid 1, the cores, the kernel's tracepoints"
//| covers = ["perf_event_open"]
//| verdict = ["accepted"]
#include "attack.h"

int main(void) {
    attack_begin();
    struct { unsigned type, size; unsigned long long more[14]; } event = {0, 120, {0}};
    int pids[] = {0, 1, -1, getppid(), told_number("daemon_pid")};
    for (event.type = 0; event.type < 6; event.type++)
        for (int i = 0; i < 5; i++)
            refused("perf_event_open", syscall(SYS_perf_event_open, &event, pids[i], pids[i] < 0 ? 0 : -1, -1, 0));
    return attack_end();
}
