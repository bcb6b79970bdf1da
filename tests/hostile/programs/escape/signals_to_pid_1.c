//| what = "Signals pid 1 with every number on every way, also through descriptors that own it"
//| covers = ["signals to pid 1"]
//| verdict = ["accepted"]
//| stages = ["first", "second"]
#include "attack.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static void own(pid_t pid, int number) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
        return;
    struct f_owner_ex owner = {F_OWNER_PID, pid};
    fcntl(ends[0], F_SETOWN, pid);
    fcntl(ends[0], F_SETOWN_EX, &owner);
    ioctl(ends[0], FIOSETOWN, &pid);
    fcntl(ends[0], F_SETSIG, number);
    fcntl(ends[0], F_SETFL, O_ASYNC | O_NONBLOCK);
    if (write(ends[1], "!", 1) != 1)
        got("write", errno);
    close(ends[0]);
    close(ends[1]);
}

int main(void) {
    attack_begin();
    pid_t parent = getppid();
    // Where there is no pid namespace nothing may reach it at all.
    if (parent != 1 && parent != 0 && kill(parent, 0) == 0)
        got("kill(parent, 0)", parent);
    for (int number = 1; number < 65 && !got_count; number++) {
        if (number == 32 || number == 33)
            continue;
        siginfo_t info = {0};
        info.si_code = SI_QUEUE;
        pid_t targets[] = {1, parent};
        for (int i = 0; i < 2; i++) {
            pid_t pid = targets[i];
            kill(pid, number);
            syscall(SYS_tgkill, pid, pid, number);
            syscall(SYS_tkill, pid, number);
            syscall(SYS_rt_sigqueueinfo, pid, number, &info);
            syscall(SYS_rt_tgsigqueueinfo, pid, pid, number, &info);
            int fd = syscall(434, pid, 0);
            syscall(424, fd, number, 0, 0);
            close(fd);
            own(pid, number);
        }
    }
    own(parent, 0);
    if (getppid() != parent)
        got("the parent is gone", parent);
    return attack_end();
}
