//| what = "A static array far over the limit, and all of it used"
//| covers = ["huge static array"]
//| verdict = ["memory_limit_exceeded"]
//| limits = { cpu_time_s = 2.0, wall_time_s = 5.0, memory_bytes = 67108864 }
#include <stdio.h>

static volatile char array[1 << 30];

int main(void)
{
    for (unsigned long i = 0; i < sizeof array; i += 4096)
        array[i] = 1;
    puts("all of it was there");
    return 0;
}
