//| what = "Writes success to every descriptor and to those of every process that it can open"
//| covers = ["inherited channel", "forged result"]
//| verdict = ["wrong_answer"]
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char record[] =
    "{\"i\":0,\"v\":true}\n{\"nonce\":\"\",\"state\":\"passed\",\"message\":\"\"}\n";

static void write_below(const char *folder) {
    DIR *listing = opendir(folder);
    struct dirent *entry;
    char path[600];
    while (listing && (entry = readdir(listing))) {
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        int fd = open(path, O_WRONLY | O_NONBLOCK);
        if (fd < 0) continue;
        (void)!write(fd, record, sizeof record - 1);
        close(fd);
    }
    if (listing) closedir(listing);
}

int main(void) {
    for (int fd = 3; fd < 1024; fd++) (void)!write(fd, record, sizeof record - 1);
    DIR *processes = opendir("/proc");
    struct dirent *entry;
    char folder[300];
    while (processes && (entry = readdir(processes))) {
        if (!strchr("0123456789", entry->d_name[0])) continue;
        snprintf(folder, sizeof folder, "/proc/%s/fd", entry->d_name);
        write_below(folder);
    }
    return 0;
}
