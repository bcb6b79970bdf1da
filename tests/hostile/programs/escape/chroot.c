//| what = "Changes its root and climbs out: chroot, descriptors of folders kept, .. without end"
//| covers = ["chroot"]
//| verdict = ["accepted"]
#include "attack.h"
#include <fcntl.h>
#include <sys/stat.h>

int main(void) {
    attack_begin();
    mkdir("jail", 0755);
    int outside = open(".", O_RDONLY | O_DIRECTORY);
    refused("chroot", chroot("jail"));
    refused("chroot to the root", chroot("/"));
    if (fchdir(outside) != 0)
        got("fchdir", errno);
    char secret[1024], path[1400];
    snprintf(secret, sizeof secret, "%s", told_text("secret_file"));
    for (int depth = 0; depth < 40; depth++)
        if (chdir("..") != 0)
            break;
    const char *starts[] = {"", "/", "/proc/self/root", "/proc/self/cwd/../../../..", "/proc/1/root",
                            "/proc/self/fd/0/../../..", "/dev/../..", "/proc/thread-self/root/.."};
    for (int i = 0; i < 8; i++) {
        const char *files[] = {secret, "/etc/shadow", "/etc/gshadow", "/proc/1/environ"};
        for (int j = 0; j < 4; j++) {
            snprintf(path, sizeof path, "%s%s", starts[i], files[j] + (i == 0));
            int fd = open(path, O_RDONLY);
            if (fd >= 0)
                got(files[j], i);
        }
    }
    return attack_end();
}
