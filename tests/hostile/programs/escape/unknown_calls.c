//| what = "Calls numbers that the sandbox does not know, among them those of other tables"
//| covers = ["io_uring", "BPF"]
//| verdict = ["accepted"]
#include "attack.h"

int main(void) {
    attack_begin();
    for (long number = 470; number < 1200; number++)
        refused("a new call", syscall(number, -1, -1, -1, -1, -1, -1));
    for (long number = 512; number < 548; number++)
        refused("a call of x32", syscall(number, 1, 1, 1, 1, 1, 1));
    long forbidden[] = {101, 165, 175, 246, 248, 250, 272, 298, 304, 308, 310, 321, 323, 425, 438};
    for (unsigned i = 0; i < sizeof forbidden / sizeof *forbidden; i++)
        refused("a call as of x32", syscall(0x40000000 | forbidden[i], 1, 1, 1, 1, 1, 1));
    refused("a number out of range", syscall(0x7FFFFFFF, 0));
    return attack_end();
}
