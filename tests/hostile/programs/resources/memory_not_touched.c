//| what = "Reserves a terabyte and touches none of it: address space is not memory"
//| covers = ["memory not touched", "mmap"]
//| verdict = ["accepted"]
//| limits = { cpu_time_s = 1.0, wall_time_s = 3.0, memory_bytes = 67108864 }
#include <stdio.h>
#include <sys/mman.h>

int main(void)
{
    for (int i = 0; i < 256; i++)
        mmap(NULL, 4UL << 30, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    puts("contained");
    return 0;
}
