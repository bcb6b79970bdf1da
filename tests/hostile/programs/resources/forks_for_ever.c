//| what = "Forks for ever in every process, whatever the kernel answers"
//| covers = ["fork bomb"]
//| verdict = ["time_limit_exceeded"]
//| limits = { cpu_time_s = 0.5, wall_time_s = 3.0, processes = 64 }
//| [at."minimal+rlimit"]
//| verdict = ["runtime_error", "time_limit_exceeded"]
//| why = "ended for it: RLIMIT_NPROC counts other programs of the same user, and is wide there"
#include <unistd.h>

int main(void)
{
    for (;;)
        fork();
}
