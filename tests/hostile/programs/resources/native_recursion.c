//| what = "A recursion without an end"
//| covers = ["deep recursion"]
//| verdict = ["runtime_error", "memory_limit_exceeded"]
//| limits = { cpu_time_s = 1.0, wall_time_s = 3.0, memory_bytes = 67108864 }
#include <stdlib.h>

static int down(volatile int *above)
{
    volatile int here[256] = {*above};
    return down(here) + here[255];
}

int main(void)
{
    volatile int start = rand();
    return down(&start);
}
