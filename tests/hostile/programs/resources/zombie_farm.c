//| what = "Children that end and that nobody waits for, until there is no room for another"
//| covers = ["fork bomb"]
//| verdict = ["accepted"]
//| limits = { cpu_time_s = 1.0, wall_time_s = 3.0, processes = 64 }
//| [at."minimal+rlimit"]
//| verdict = ["runtime_error"]
//| why = "ended for it: RLIMIT_NPROC counts other programs of the same user, and is wide there"
#include <stdio.h>
#include <unistd.h>

int main(void)
{
    int dead = 0;
    for (pid_t pid; (pid = fork()) >= 0 && dead < 1000; dead++)
        if (pid == 0)
            _exit(0);
    usleep(300000);
    puts(dead <= 64 + 16 ? "contained" : "more zombies than processes allowed");
    return 0;
}
