//| what = "Reads one page of each two megabytes: no memory is written, the page tables are the bomb"
//| covers = ["memory not touched"]
//| verdict = ["memory_limit_exceeded"]
//| limits = { cpu_time_s = 2.0, wall_time_s = 5.0, memory_bytes = 67108864 }
#include <stdio.h>
#include <sys/mman.h>

int main(void)
{
    const unsigned long step = 2UL << 20, count = 48 * 1024;
    volatile char *place = mmap(NULL, step * count, PROT_READ,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (place == MAP_FAILED)
        return 1;
    madvise((void *)place, step * count, MADV_NOHUGEPAGE);
    for (unsigned long i = 0; i < count; i++)
        (void)place[i * step];
    for (;;) /* 192 MiB of tables are held */
        ;
}
