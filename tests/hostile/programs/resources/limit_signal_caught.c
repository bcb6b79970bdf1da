//| what = "Catches the signal of the CPU limit, puts the limit off again and goes on"
//| covers = ["spin", "SIGTERM ignored"]
//| verdict = ["time_limit_exceeded"]
//| limits = { cpu_time_s = 1.5, wall_time_s = 5.0 }
#include <signal.h>
#include <sys/resource.h>

static void go_on(int number)
{
    struct rlimit limit;
    getrlimit(RLIMIT_CPU, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_CPU, &limit);
    signal(number, go_on);
}

int main(void)
{
    struct rlimit limit;
    signal(SIGXCPU, go_on);
    getrlimit(RLIMIT_CPU, &limit);
    limit.rlim_cur = 1;
    setrlimit(RLIMIT_CPU, &limit);
    limit.rlim_cur = limit.rlim_max = RLIM_INFINITY;
    setrlimit(RLIMIT_CPU, &limit);
    for (volatile unsigned long turn = 0;; turn++)
        ;
}
