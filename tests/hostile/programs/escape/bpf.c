//| what = "Loads BPF programs and maps: by bpf(2), and as classic filters of sockets in other families"
//| covers = ["BPF"]
//| verdict = ["accepted"]
#include "attack.h"

int main(void) {
    attack_begin();
    char attributes[128] = {0};
    for (int command = 0; command < 40; command++)
        refused("bpf", syscall(SYS_bpf, command, attributes, sizeof attributes));
    refused("bpf without arguments", syscall(SYS_bpf, 0, 0, 0));
    return attack_end();
}
