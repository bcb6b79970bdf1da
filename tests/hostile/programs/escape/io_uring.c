//| what = "Sets up io_uring, whose work no filter sees, and asynchronous I/O of the older kind"
//| covers = ["io_uring"]
//| verdict = ["accepted"]
#include "attack.h"

int main(void) {
    attack_begin();
    char parameters[256] = {0};
    refused("io_uring_setup", syscall(425, 8, parameters));
    for (int fd = 0; fd < 64; fd++) {
        refused("io_uring_enter", syscall(426, fd, 1, 0, 0, 0, 0));
        refused("io_uring_register", syscall(427, fd, 0, 0, 0));
    }
    unsigned long context = 0;
    refused("io_setup", syscall(SYS_io_setup, 128, &context));
    return attack_end();
}
