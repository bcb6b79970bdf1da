//| what = "Mounts, unmounts, moves and pivots, with the old and the new calls"
//| covers = ["mount"]
//| verdict = ["accepted"]
#include "attack.h"
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

int main(void) {
    attack_begin();
    mkdir("m", 0755);
    refused("tmpfs", mount("none", "m", "tmpfs", 0, 0));
    refused("proc", mount("none", "m", "proc", 0, 0));
    refused("sysfs", mount("none", "m", "sysfs", 0, 0));
    refused("cgroup", mount("none", "m", "cgroup2", 0, 0));
    refused("bind", mount("/", "m", 0, MS_BIND | MS_REC, 0));
    refused("remount", mount("none", "/", 0, MS_REMOUNT | MS_BIND, 0));
    refused("remount of proc", mount("none", "/proc", 0, MS_REMOUNT | MS_BIND, 0));
    refused("private", mount("none", "/", 0, MS_PRIVATE | MS_REC, 0));
    const char *places[] = {"/", "/proc", "/usr", "/dev/null", "/scratch", "."};
    for (int i = 0; i < 6; i++)
        if (access(places[i], F_OK) == 0)
            refused("umount", umount2(places[i], MNT_DETACH));
    refused("pivot_root", syscall(SYS_pivot_root, "m", "m"));
    refused("fsopen", syscall(430, "tmpfs", 0));
    refused("fsconfig", syscall(431, 0, 6, 0, 0, 0));
    refused("fsmount", syscall(432, 0, 0, 0));
    refused("fspick", syscall(433, AT_FDCWD, "/", 0));
    refused("open_tree", syscall(428, AT_FDCWD, "/", 1));
    refused("open_tree_attr", syscall(467, AT_FDCWD, "/", 1, 0, 0));
    refused("move_mount", syscall(429, AT_FDCWD, "m", AT_FDCWD, "/usr", 0));
    char attributes[32] = {0};
    refused("mount_setattr", syscall(442, AT_FDCWD, "/", 0, attributes, 32));
    refused("swapon", syscall(SYS_swapon, "m", 0));
    return attack_end();
}
