//| what = "Makes sockets of every family, type and protocol: vsock, packet, raw, netlink, alg and all others"
//| covers = ["vsock", "host network", "BPF"]
//| verdict = ["accepted"]
#include "attack.h"
#include <sys/socket.h>

static int is_ordinary(int family, int type, int protocol) {
    if (family == AF_UNIX)
        return 1;
    if (family == AF_NETLINK)
        return protocol == 0;  // the interfaces of its own namespace
    if (family != AF_INET && family != AF_INET6)
        return 0;
    return (type == SOCK_STREAM && (protocol == 0 || protocol == 6)) ||
           (type == SOCK_DGRAM && (protocol == 0 || protocol == 17));
}

static int is_refused(int error) {
    return is_refusal(error) || error == EPROTONOSUPPORT || error == ESOCKTNOSUPPORT || error == EPROTOTYPE;
}

int main(void) {
    attack_begin();
    for (int family = 0; family < 50; family++)
        for (int type = 0; type < 12; type++)
            for (int protocol = 0; protocol < 270; protocol++) {
                if (is_ordinary(family, type, protocol))
                    continue;
                int fd = syscall(SYS_socket, family, type, protocol);
                if (fd >= 0 || (!is_refused(errno) && !(errno == EINVAL && (type == 0 || type > 5)))) {
                    got("socket of family", family);
                    got("type", type);
                    got("protocol", protocol);
                    got(fd < 0 ? "error" : "descriptor", errno);
                    return attack_end();
                }
                int pair[2];
                if (family != AF_UNIX && syscall(SYS_socketpair, family, type, protocol, pair) == 0)
                    got("socketpair of family", family);
            }
    return attack_end();
}
