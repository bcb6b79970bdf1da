//| what = "An orphan closes every descriptor, leaves its group and burns on"
//| covers = ["orphan", "spin"]
//| verdict = ["accepted"]
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

int main(void)
{
    int ready[2];
    char one;
    pipe(ready);
    if (fork() == 0) {
        sigset_t all;
        sigfillset(&all);
        sigprocmask(SIG_BLOCK, &all, NULL);
        setsid();
        write(ready[1], "x", 1);
        for (int fd = 0; fd < 1024; fd++)
            close(fd);
        for (volatile unsigned long turn = 0;; turn++)
            ;
    }
    read(ready[0], &one, 1); /* it is on its way when this process ends */
    puts("contained");
    return 0;
}
