//| what = "Waits in vfork, where only the child's end could wake it, and the child sleeps"
//| covers = ["sleep", "SIGTERM ignored"]
//| verdict = ["time_limit_exceeded"]
//| limits = { cpu_time_s = 1.0, wall_time_s = 1.0 }
#include <signal.h>
#include <unistd.h>

int main(void)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    if (vfork() == 0)
        for (;;)
            pause();
    return 0;
}
