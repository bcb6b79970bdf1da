//| what = "Fills its output and cuts it off again, many times: never more is held than is allowed"
//| covers = ["stdout flood"]
//| verdict = ["accepted"]
//| limits = { cpu_time_s = 1.0, wall_time_s = 3.0, output_bytes = 1048576, memory_bytes = 67108864 }
#include <unistd.h>

int main(void)
{
    static char block[1 << 20];
    for (int turn = 0; turn < 64; turn++) {
        write(1, block, sizeof block);
        ftruncate(1, 0);
        lseek(1, 0, SEEK_SET);
    }
    write(1, "contained\n", 10);
    return 0;
}
