//| what = "A child asks for a core file, and crashes with its memory full"
//| covers = ["core dump"]
//| verdict = ["accepted"]
//| limits = { cpu_time_s = 1.0, wall_time_s = 4.0, memory_bytes = 134217728 }
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    int status, found = 0;
    pid_t child = fork();
    if (child == 0) {
        struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
        setrlimit(RLIMIT_CORE, &limit);
        getrlimit(RLIMIT_CORE, &limit);
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_CORE, &limit);
        prctl(PR_SET_DUMPABLE, 1);
        memset(malloc(8 << 20), 1, 8 << 20);
        abort();
    }
    waitpid(child, &status, 0);
    DIR *here = opendir(".");
    for (struct dirent *entry; (entry = readdir(here)) != NULL;)
        found |= strncmp(entry->d_name, "core", 4) == 0;
    puts(found || WCOREDUMP(status) ? "memory was dumped" : "contained");
    return 0;
}
