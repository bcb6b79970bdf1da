//| what = "Makes its standard output a gigantic hole"
//| covers = ["sparse file", "stdout flood"]
//| verdict = ["output_limit_exceeded"]
//| limits = { cpu_time_s = 1.0, wall_time_s = 3.0, output_bytes = 1048576 }
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

int main(void)
{
    signal(SIGXFSZ, SIG_IGN);
    for (off_t size = 1L << 40; size > 2 << 20; size /= 2)
        if (ftruncate(1, size) == 0)
            break;
    lseek(1, 0, SEEK_END);
    write(1, "x", 1);
    return 0;
}
