//| what = "Opens files of the host by handle, past every path"
//| covers = ["mount", "configuration"]
//| verdict = ["accepted"]
#include "attack.h"
#include <fcntl.h>

int main(void) {
    attack_begin();
    struct { unsigned bytes; int type; unsigned char data[128]; } handle = {8, 1, {2}};
    int mount = 0, root = open("/", O_RDONLY), input = dup(0);
    int places[] = {root, input, AT_FDCWD, 0, 1, 2};
    for (int i = 0; i < 6; i++)
        for (int type = 0; type < 4; type++) {
            handle.type = type;
            refused("open_by_handle_at", syscall(SYS_open_by_handle_at, places[i], &handle, O_RDONLY));
        }
    handle.bytes = 128;
    refused("name_to_handle_at", syscall(SYS_name_to_handle_at, root, "", &handle, &mount, AT_EMPTY_PATH));
    return attack_end();
}
