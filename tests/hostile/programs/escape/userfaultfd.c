//| what = "Asks for userfaultfd, the kernel exploit's stopwatch, by call and by device"
//| covers = ["userfaultfd"]
//| verdict = ["accepted"]
#include "attack.h"
#include <fcntl.h>

int main(void) {
    attack_begin();
    for (int flags = 0; flags < 2; flags++)
        refused("userfaultfd", syscall(SYS_userfaultfd, flags));
    if (open("/dev/userfaultfd", O_RDWR) >= 0)
        got("/dev/userfaultfd", 0);
    return attack_end();
}
