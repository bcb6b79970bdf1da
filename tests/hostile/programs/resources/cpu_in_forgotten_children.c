//| what = "Does its work in short-lived children that nobody is told of, and ends well: a second of it, half a second allowed"
//| covers = ["CPU in children"]
//| verdict = ["time_limit_exceeded"]
//| limits = { cpu_time_s = 0.5, wall_time_s = 8.0 }
//| [at.rlimit]
//| verdict = ["accepted"]
//| stopped = false
//| why = "without a cgroup the kernel drops the CPU time of a child whose end its parent ignores; the wall limit holds"
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void burn(long ns)
{
    struct timespec used;
    do
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    while (used.tv_nsec + used.tv_sec * 1000000000L < ns);
}

int main(void)
{
    signal(SIGCHLD, SIG_IGN);
    for (int i = 0; i < 100; i++) {
        if (fork() == 0) {
            burn(10000000);
            _exit(0);
        }
        wait(NULL); /* returns when none is left, and has nothing to say of them */
    }
    puts("contained");
    return 0;
}
