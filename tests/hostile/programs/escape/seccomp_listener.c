//| what = "Answers its own system calls by seccomp's listener, and loosens filters with others"
//| covers = ["ptrace", "setuid"]
//| verdict = ["accepted"]
//| stages = ["first", "second"]
#include "attack.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

int main(void) {
    attack_begin();
    struct sock_filter all[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    struct sock_filter tell[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bpf, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    struct sock_fprog loose = {1, all}, notifying = {4, tell};
    // A filter of one's own may be added; what was denied stays so.
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &loose);
    refused("bpf under a looser filter", syscall(SYS_bpf, 0, 0, 0));
    refused("unshare under a looser filter", syscall(SYS_unshare, 0x10000000));
    if (prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
        got("no_new_privs", 0);
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, 0) == 0)
        got("strict mode", 0);
    long listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &notifying);
    if (listener >= 0) {
        pid_t child = fork();
        if (child == 0) {
            // With a listener above: its "continue" must not lift the denial below.
            _exit(syscall(SYS_bpf, 0, 0, 0) == -1 && errno == EPERM ? 0 : 1);
        }
        int status = 0;
        waitpid(child, &status, 0);
        if (status)
            got("the listener was asked", status);
    }
    return attack_end();
}
