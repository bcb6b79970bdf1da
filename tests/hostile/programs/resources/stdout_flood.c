//| what = "Writes to standard output as fast as it can"
//| covers = ["stdout flood"]
//| verdict = ["output_limit_exceeded"]
//| limits = { cpu_time_s = 1.0, wall_time_s = 3.0, output_bytes = 1048576, file_bytes = 4194304 }
#include <string.h>
#include <unistd.h>

int main(void)
{
    static char block[1 << 16];
    memset(block, 'x', sizeof block);
    for (;;)
        write(1, block, sizeof block);
}
