//| what = "Timers that fire without a pause"
//| covers = ["timers"]
//| verdict = ["time_limit_exceeded"]
//| limits = { cpu_time_s = 0.5, wall_time_s = 4.0 }
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

static void again(int number) { (void)number; }

int main(void)
{
    struct itimerval often = {{0, 1}, {0, 1}};
    signal(SIGALRM, again);
    signal(SIGPROF, again);
    signal(SIGVTALRM, again);
    setitimer(ITIMER_REAL, &often, NULL);
    setitimer(ITIMER_PROF, &often, NULL);
    setitimer(ITIMER_VIRTUAL, &often, NULL);
    for (;;)
        pause();
}
