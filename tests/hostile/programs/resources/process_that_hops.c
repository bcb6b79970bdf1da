//| what = "A chain of processes, each of which forks the next and ends at once, each in a session of its own: by the time one is seen it is gone"
//| covers = ["orphan", "fork bomb"]
//| verdict = ["accepted"]
//| limits = { processes = 32 }
#include <stdio.h>
#include <unistd.h>

static void hop(void)
{
    for (;;) {
        pid_t next = fork();
        if (next > 0)
            _exit(0);
        if (next == 0)
            setsid();
    }
}

int main(void)
{
    for (int chain = 0; chain < 3; chain++)
        if (fork() == 0)
            hop();
    puts("contained");
    return 0;
}
