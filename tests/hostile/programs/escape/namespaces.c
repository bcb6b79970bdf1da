//| what = "Makes namespaces of every kind with unshare, clone and clone3, and enters existing ones"
//| covers = ["user namespace", "mount"]
//| verdict = ["accepted"]
#include "attack.h"
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

static const unsigned long kinds[] = {0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000,
                                      0x40000000, 0x80};

int main(void) {
    attack_begin();
    for (int i = 0; i < 8; i++) {
        refused("unshare", syscall(SYS_unshare, kinds[i]));
        refused("unshare with a user's", syscall(SYS_unshare, kinds[i] | CLONE_NEWUSER));
        struct { unsigned long long flags, more[10]; } arguments = {kinds[i] | CLONE_NEWUSER, {0}};
        arguments.more[3] = SIGCHLD;
        long child = syscall(435, &arguments, 64);
        if (child == 0)
            _exit(0);
        refused("clone3", child);
        if (kinds[i] == 0x80)
            continue;  // means a signal to clone
#if defined(__x86_64__)
        child = syscall(SYS_clone, kinds[i] | CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
        if (child == 0)
            _exit(0);
        refused("clone", child);
        child = syscall(SYS_clone, kinds[i] | SIGCHLD, 0, 0, 0, 0);
        if (child == 0)
            _exit(0);
        refused("clone without a user's", child);
#endif
    }
    const char *names[] = {"user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time"};
    const char *owners[] = {"self", "1", "thread-self"};
    for (int i = 0; i < 24; i++) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%s/ns/%s", owners[i % 3], names[i / 3]);
        int fd = open(path, O_RDONLY);
        refused("setns", syscall(SYS_setns, fd, 0));
        close(fd);
    }
    return attack_end();
}
