//| what = "Makes siblings (CLONE_PARENT) and a reaper of its own, to be taken for the program or outlive it"
//| covers = ["leftover files", "signals to pid 1"]
//| verdict = ["accepted"]
//| stages = ["first", "second"]
#include "attack.h"
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>

int main(void) {
    attack_begin();
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    for (int i = 0; i < 8; i++) {
        long pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
        if (pid == 0) {
            if (i % 2)
                _exit(9);  // not the program's status
            setsid();
            prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
            signal(SIGTERM, SIG_IGN);
            for (;;)
                pause();
        }
    }
    return attack_end();
}
