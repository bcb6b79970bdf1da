//| what = "Shared anonymous memory, touched by one child after another"
//| covers = ["mmap", "shared memory"]
//| verdict = ["memory_limit_exceeded"]
//| limits = { cpu_time_s = 2.0, wall_time_s = 5.0, memory_bytes = 67108864 }
//| [at.rlimit]
//| verdict = ["wrong_answer"]
//| stopped = false
//| why = "without a cgroup shared memory is seen where a living process has touched it"
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    for (int i = 0; i < 16; i++) {
        char *block = mmap(NULL, 8 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        pid_t child = fork();
        if (child == 0) {
            memset(block, 1, 8 << 20);
            _exit(0); /* the memory stays: the parent maps it, without having touched it */
        }
        waitpid(child, NULL, 0);
    }
    puts("128 MiB are held");
    return 0;
}
