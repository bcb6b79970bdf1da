//| what = "Stops itself, and a child stops it again whenever it goes on"
//| covers = ["SIGSTOP"]
//| verdict = ["time_limit_exceeded"]
//| limits = { cpu_time_s = 2.0, wall_time_s = 1.0 }
#include <signal.h>
#include <unistd.h>

int main(void)
{
    pid_t parent = getpid();
    if (fork() == 0)
        for (;;) {
            kill(parent, SIGSTOP);
            usleep(10000);
        }
    raise(SIGSTOP);
    for (;;)
        pause();
}
