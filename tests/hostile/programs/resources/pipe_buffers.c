//| what = "Fills pipes, made as large as they can be, that nobody reads: without a cgroup the kernel's own bound for a user holds"
//| covers = ["pipe buffers"]
//| verdict = ["memory_limit_exceeded"]
//| limits = { cpu_time_s = 1.0, wall_time_s = 3.0, memory_bytes = 33554432 }
//| [at.rlimit]
//| verdict = ["accepted"]
//| # All slots share one user there, and so the kernel's bound: beside another such program it comes first.
//| [at."minimal+root"]
//| verdict = ["memory_limit_exceeded", "accepted"]
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int main(void)
{
    static char block[1 << 16];
    long held = 0;
    int ends[2];
    while (pipe2(ends, O_NONBLOCK) == 0) {
        fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
        for (ssize_t size; (size = write(ends[1], block, sizeof block)) > 0;)
            held += size;
    }
    fprintf(stderr, "%ld bytes are held, and the next pipe is refused with %d\n", held, errno);
    puts(held <= 72 << 20 ? "contained" : "more than the kernel lets one user have");
    return 0;
}
