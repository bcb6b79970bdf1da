//| what = "Changes its own compiled program, which the next case executes: mode, content, lease, lock"
//| covers = ["writable inputs", "harness files"]
//| verdict = ["accepted"]
//| stages = ["first", "second"]
#include "attack.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

int main(int count, char **arguments) {
    if (count > 1) {  // executed afresh from a copy: the program itself is not busy any more
        snprintf(told_line, sizeof told_line, "%s", arguments[2]);
        int held = atoi(arguments[1]);
        char path[64];
        snprintf(path, sizeof path, "/proc/self/fd/%d", held);
        fchmod(held, 0777);
        int modes[] = {O_RDWR, O_WRONLY, O_WRONLY | O_APPEND};
        for (int i = 0; i < 3; i++) {
            int fd = open(path, modes[i]);
            if (fd >= 0 && pwrite(fd, "broken", 6, 0) > 0)
                got("written", i);
            if (fd >= 0 && ftruncate(fd, 10) == 0)
                got("truncated", i);
        }
        fchmod(held, 0);
        return attack_end();
    }
    attack_begin();
    int self = open("/proc/self/exe", O_RDONLY), copy = open("copy", O_CREAT | O_WRONLY, 0755);
    if (self < 0)
        return attack_end();  // its own program is not to be opened
    char buffer[65536], number[16];
    for (ssize_t size; (size = read(self, buffer, sizeof buffer)) > 0;)
        if (write(copy, buffer, size) != size)
            return 5;
    close(copy);
    chmod("/proc/self/exe", 0);
    fchmod(self, 0);
    snprintf(number, sizeof number, "%d", self);
    execl("./copy", "copy", number, told_line, (char *)0);
    return 6;
}
