//| what = "Leaves a daemon that holds locks and leases on shared files, for the next run to wait at"
//| covers = ["file locks", "leftover files"]
//| verdict = ["accepted"]
//| stages = ["first", "second"]
#include "attack.h"
#include <fcntl.h>
#include <sys/file.h>

static const char *files[] = {"/bin/sh", "/usr/bin/env", "/usr/bin/gcc", "/dev/null", "/dev/zero",
                              "/etc/passwd", "/etc/ld.so.cache", "/", "/proc/self/exe", "/dev/stdin"};

static void lock(int second) {
    for (int i = 0; i < 10; i++) {
        int fd = open(files[i], O_RDONLY);
        if (fd < 0)
            continue;
        struct flock whole = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
        if (flock(fd, LOCK_EX | LOCK_NB) != 0 && second && errno == EWOULDBLOCK)
            got(files[i], 1);
        if (fcntl(fd, F_SETLK, &whole) != 0 && second && (errno == EAGAIN || errno == EACCES))
            got(files[i], 2);
        if (fcntl(fd, F_OFD_SETLK, &whole) != 0 && second && (errno == EAGAIN || errno == EACCES))
            got(files[i], 3);
        fcntl(fd, F_SETLEASE, F_RDLCK);
    }
}

int main(void) {
    attack_begin();
    int second = strcmp(told_text("stage"), "second") == 0;
    int ready[2];
    if (pipe(ready) != 0)
        return 4;
    if (!second && fork() == 0) {
        setsid();
        if (fork() == 0) {
            lock(0);
            if (write(ready[1], "!", 1) != 1)
                _exit(1);
            pause();
        }
        _exit(0);
    }
    char byte;
    if (!second && read(ready[0], &byte, 1) != 1)
        got("no daemon", 0);
    if (second)
        lock(1);
    return attack_end();
}
