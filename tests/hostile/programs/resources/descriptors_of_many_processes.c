//| what = "Every process there may be opens every descriptor it may have"
//| covers = ["descriptors", "fork bomb"]
//| verdict = ["accepted"]
//| limits = { cpu_time_s = 1.5, wall_time_s = 4.0, processes = 64, open_files = 256 }
//| [at."minimal+rlimit"]
//| verdict = ["runtime_error"]
//| why = "ended for it: RLIMIT_NPROC counts other programs of the same user, and is wide there"
#include <stdio.h>
#include <unistd.h>

int main(void)
{
    for (int i = 0; i < 1000; i++) {
        pid_t child = fork();
        if (child < 0)
            break;
        if (child == 0) {
            int ends[2];
            while (pipe(ends) == 0)
                ;
            for (;;)
                pause();
        }
    }
    usleep(300000);
    puts("contained");
    return 0;
}
