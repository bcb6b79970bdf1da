//| what = "A daemon under another name, deaf to all signals, that keeps forking itself away"
//| covers = ["double fork daemon", "SIGTERM ignored"]
//| verdict = ["accepted"]
//| limits = { processes = 32 }
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    pid_t first = fork();
    if (first == 0) {
        setsid();
        if (fork())
            _exit(0);
        prctl(PR_SET_NAME, "kworker/0:1");
        prctl(PR_SET_PDEATHSIG, 0);
        for (int signal_ = 1; signal_ < 65; signal_++)
            signal(signal_, SIG_IGN);
        for (int fd = 0; fd < 64; fd++)
            close(fd);
        chdir("/");
        for (;;) {
            usleep(2000);
            if (fork() > 0)
                _exit(0);
            setsid();
        }
    }
    waitpid(first, NULL, 0);
    puts("contained");
    return 0;
}
