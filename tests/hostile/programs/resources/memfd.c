//| what = "Files in memory that have no name and belong to no file system of ours"
//| covers = ["shared memory", "descriptors"]
//| verdict = ["memory_limit_exceeded"]
//| limits = { cpu_time_s = 1.0, wall_time_s = 3.0, memory_bytes = 67108864, file_bytes = 16777216 }
//| [at.rlimit]
//| verdict = ["wrong_answer"]
//| stopped = false
//| why = "without a cgroup only memory that a process maps is seen; each file is bounded, and how many there may be"
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int main(void)
{
    static char block[1 << 20];
    long held = 0;
    for (int i = 0; i < 16; i++) {
        int file = memfd_create("bomb", 0);
        for (int part = 0; part < 8 && file >= 0; part++)
            held += write(file, block, sizeof block);
    }
    printf("%ld bytes are held\n", held);
    return 0;
}
