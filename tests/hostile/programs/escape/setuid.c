//| what = "Becomes root: ids, groups, capabilities, file capabilities, set-user-ID programs and copies"
//| covers = ["setuid"]
//| verdict = ["accepted"]
#include "attack.h"
#include <fcntl.h>
#include <grp.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>

static int powers(void) {
    unsigned header[2] = {0x20080522, 0}, sets[6] = {0};
    syscall(SYS_capget, header, sets);
    return sets[0] | sets[1] | sets[2] | sets[3] | sets[4] | sets[5];
}

int main(int count, char **arguments) {
    if (count > 1) {  // executed as a set-user-ID copy
        int before = atoi(arguments[1]);
        return powers() || (int)geteuid() != before || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1;
    }
    attack_begin();
    uid_t uid = getuid();
    if (powers())
        got("capabilities", powers());
    if (uid != 0) {
        uid_t wanted[] = {0, 1, 1000, 61184, 61185, 65534};
        for (int i = 0; i < 6; i++)
            if (wanted[i] != uid && (setuid(wanted[i]) == 0 || setresuid(-1, wanted[i], -1) == 0 ||
                                     setreuid(wanted[i], wanted[i]) == 0))
                got("setuid", wanted[i]);
        setfsuid(0);
        if (setfsuid(-1) == 0)
            got("setfsuid", 0);
        if (getgid() != 0 && (setgid(0) == 0 || setresgid(0, 0, 0) == 0))
            got("setgid", 0);
    }
    gid_t root = 0;
    if (setgroups(1, &root) == 0 || setgroups(0, 0) == 0)
        got("setgroups", 0);
    unsigned header[2] = {0x20080522, 0}, sets[6] = {-1u, -1u, -1u, -1u, -1u, -1u};
    if (syscall(SYS_capset, header, sets) == 0 && powers())
        got("capset", powers());
    prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
    for (int cap = 0; cap < 41; cap++)
        if (prctl(47, 2, cap, 0, 0) == 0)  // ambient
            got("ambient", cap);
    if (prctl(PR_SET_SECUREBITS, 0, 0, 0, 0) == 0)
        got("securebits", 0);
    char buffer[65536], number[16];
    int self = open("/proc/self/exe", O_RDONLY), copy = open("copy", O_CREAT | O_WRONLY, 0755);
    for (ssize_t size; (size = read(self, buffer, sizeof buffer)) > 0;)
        if (write(copy, buffer, size) != size)
            return 5;
    close(copy);
    chmod("copy", 06777);
    char all[20] = {1, 0, 0, 2, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
    if (setxattr("copy", "security.capability", all, 20, 0) == 0)
        got("file capabilities", 0);
    snprintf(number, sizeof number, "%d", (int)geteuid());
    int status = 0;
    pid_t child = self < 0 ? -1 : fork();
    if (child == 0) {
        execl("./copy", "copy", number, (char *)0);
        _exit(0);
    }
    if (child > 0 && waitpid(child, &status, 0) == child && status)
        got("a copy gained something", status);
    const char *programs[] = {"/bin/su", "/usr/bin/sudo", "/bin/mount"};
    for (int i = 0; uid != 0 && i < 3; i++) {
        child = fork();
        if (child == 0) {
            if (!freopen("/dev/null", "r", stdin) || !freopen("/dev/null", "w", stderr))
                _exit(0);
            dup2(2, 1);
            if (i < 2)
                execl(programs[i], programs[i], i ? "-n" : "-c", "true", (char *)0);
            else
                execl(programs[i], programs[i], "-t", "tmpfs", "none", ".", (char *)0);
            _exit(1);
        }
        if (child > 0 && waitpid(child, &status, 0) == child && status == 0)
            got(programs[i], i);
    }
    return attack_end();
}
