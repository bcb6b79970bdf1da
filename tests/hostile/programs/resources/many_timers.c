//| what = "As many timers as it gets, all of them armed"
//| covers = ["timers"]
//| verdict = ["accepted"]
//| limits = { cpu_time_s = 2.0, wall_time_s = 5.0 }
#include <signal.h>
#include <stdio.h>
#include <time.h>

int main(void)
{
    struct sigevent quiet = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
    struct itimerspec later = {{0, 1000000}, {0, 1000000}};
    timer_t timer;
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    for (int i = 0; i < 20000 && timer_create(CLOCK_MONOTONIC, &quiet, &timer) == 0; i++)
        if (i % 20 == 0)
            timer_settime(timer, 0, &later, NULL);
    puts("contained");
    return 0;
}
