//| what = "Puts keys into every keyring for the next run, and looks for others' keys"
//| covers = ["keyrings", "keys"]
//| verdict = ["accepted"]
//| stages = ["first", "second"]
#include "attack.h"

int main(void) {
    attack_begin();
    char buffer[256];
    for (int ring = -8; ring < 0; ring++) {
        refused("add_key", syscall(SYS_add_key, "user", "left", "left", 4, ring));
        refused("search", syscall(SYS_keyctl, 10, ring, "user", "left", 0));
        refused("read", syscall(SYS_keyctl, 11, ring, buffer, sizeof buffer));
        refused("clear", syscall(SYS_keyctl, 7, ring));
    }
    refused("join", syscall(SYS_keyctl, 1, 0));
    refused("join by name", syscall(SYS_keyctl, 1, "_ses"));
    refused("session to parent", syscall(SYS_keyctl, 18));
    refused("persistent", syscall(SYS_keyctl, 22, -1, -3));
    refused("request_key", syscall(SYS_request_key, "user", "left", "", -3));
    return attack_end();
}
