//| what = "Starts threads that start threads, none of which ends"
//| covers = ["thread bomb", "CPU in threads"]
//| verdict = ["time_limit_exceeded"]
//| limits = { cpu_time_s = 0.5, wall_time_s = 3.0, processes = 64 }
//| [at."minimal+rlimit"]
//| verdict = ["runtime_error", "time_limit_exceeded"]
//| why = "ended for it: RLIMIT_NPROC counts other programs of the same user, and is wide there"
#include <pthread.h>
#include <stddef.h>

static void *bomb(void *nothing)
{
    pthread_t thread;
    for (;;)
        pthread_create(&thread, NULL, bomb, nothing);
    return NULL;
}

int main(void)
{
    bomb(NULL);
}
