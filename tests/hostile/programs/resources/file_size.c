//| what = "One file without an end; that a signal is ignored makes no difference"
//| covers = ["file size"]
//| verdict = ["accepted"]
//| limits = { cpu_time_s = 1.0, wall_time_s = 3.0, file_bytes = 16777216 }
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

int main(void)
{
    static char block[1 << 16];
    struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};
    long written = 0;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &none);
    int file = open("bomb", O_WRONLY | O_CREAT, 0600);
    for (ssize_t size; written < 64 << 20 && (size = write(file, block, sizeof block)) > 0;)
        written += size;
    puts(written <= 17 << 20 ? "contained" : "a larger file than allowed");
    return 0;
}
