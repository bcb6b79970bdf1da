//| what = "Takes memory and writes to all of it until it is stopped"
//| covers = ["memory touched"]
//| verdict = ["memory_limit_exceeded"]
//| limits = { cpu_time_s = 2.0, wall_time_s = 5.0, memory_bytes = 67108864 }
#include <stdlib.h>
#include <string.h>

int main(void)
{
    for (;;) {
        char *block = malloc(1 << 20);
        if (block != NULL)
            memset(block, 1, 1 << 20);
    }
}
