//| what = "Debugs pid 1, its parent and the daemon: ptrace, process_vm_readv, pidfd_getfd and their kin"
//| covers = ["ptrace", "process_vm_readv", "pidfd_getfd", "/proc/1"]
//| verdict = ["accepted"]
#include "attack.h"
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

int main(void) {
    attack_begin();
    pid_t targets[] = {1, getppid(), told_number("daemon_pid"), told_number("slot_pid")};
    char buffer[64];
    struct iovec here = {buffer, sizeof buffer}, there = {&got_count, sizeof buffer};
    for (int i = 0; i < 4; i++) {
        pid_t pid = targets[i];
        refused("PTRACE_ATTACH", syscall(SYS_ptrace, PTRACE_ATTACH, pid, 0, 0));
        refused("PTRACE_SEIZE", syscall(SYS_ptrace, PTRACE_SEIZE, pid, 0, 0));
        refused("process_vm_readv", syscall(SYS_process_vm_readv, pid, &here, 1, &there, 1, 0));
        refused("process_vm_writev", syscall(SYS_process_vm_writev, pid, &here, 1, &there, 1, 0));
        refused("kcmp", syscall(SYS_kcmp, getpid(), pid, 0, 0, 0));
        refused("migrate_pages", syscall(SYS_migrate_pages, pid, 0, 0, 0));
        refused("move_pages", syscall(SYS_move_pages, pid, 0, 0, 0, 0, 0));
        int fd = syscall(434, pid, 0);  // pidfd_open: who may see a process may hold it
        for (int wanted = 0; wanted < 80; wanted++)
            refused("pidfd_getfd", syscall(438, fd, wanted, 0));
        refused("process_madvise", syscall(440, fd, &there, 1, 21, 0));
        refused("process_mrelease", syscall(448, fd, 0));
        refused("setns", syscall(SYS_setns, fd, 0x7E020000));
        void *list = 0;
        size_t length = 0;
        if (syscall(SYS_get_robust_list, pid, &list, &length) == 0)
            got("get_robust_list", pid);
    }
    refused("PTRACE_TRACEME", syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0));
    // A child of one's own, as a way to calls that the filter of the tracer forbids.
    pid_t child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    refused("tracing a child", syscall(SYS_ptrace, PTRACE_SEIZE, child, 0, 0));
    kill(child, SIGKILL);
    return attack_end();
}
