//| what = "Types into terminals (TIOCSTI), takes one over, and opens new ones"
//| covers = ["/proc of others", "inherited descriptors"]
//| verdict = ["accepted"]
#include "attack.h"
#include <fcntl.h>
#include <sys/ioctl.h>

int main(void) {
    attack_begin();
    const char *names[] = {"/dev/tty", "/dev/console", "/dev/tty0", "/dev/tty1", "/dev/ttyS0", "/dev/ptmx",
                           "/dev/pts/ptmx", "/dev/pts/0", "/dev/pts/1", "/dev/vcs", "/dev/vcsa1", "/dev/hvc0"};
    char letter = 'x';
    for (int i = 0; i < 12; i++) {
        int modes[] = {O_RDONLY, O_WRONLY | O_NOCTTY, O_RDWR | O_NOCTTY | O_NONBLOCK};
        for (int j = 0; j < 3; j++) {
            int fd = open(names[i], modes[j] | O_NONBLOCK);
            if (fd < 0)
                continue;
            got(names[i], modes[j]);
            if (ioctl(fd, TIOCSTI, &letter) == 0)
                got("typed", i);
        }
    }
    for (int fd = 0; fd < 16; fd++)
        if (ioctl(fd, TIOCSTI, &letter) == 0 || ioctl(fd, TIOCSCTTY, 1) == 0 || ioctl(fd, TIOCNOTTY) == 0)
            got("a terminal", fd);
    return attack_end();
}
