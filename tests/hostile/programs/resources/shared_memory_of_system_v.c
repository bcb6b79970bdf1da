//| what = "Segments of System V shared memory, which outlive all processes"
//| covers = ["shared memory"]
//| verdict = ["accepted"]
//| limits = { cpu_time_s = 1.0, wall_time_s = 3.0, memory_bytes = 67108864 }
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>

int main(void)
{
    int made = 0;
    for (int i = 0; i < 32; i++) {
        int segment = shmget(IPC_PRIVATE, 4 << 20, IPC_CREAT | 0666);
        if (segment < 0)
            continue;
        made++;
        char *block = shmat(segment, NULL, 0);
        if (block != (char *)-1) {
            memset(block, 1, 4 << 20);
            shmdt(block);
        }
    }
    puts(made ? "segments were made" : "contained");
    return 0;
}
