//| what = "Configures the network by netlink and ioctl: interfaces, addresses, routes, promiscuous mode"
//| covers = ["host network"]
//| verdict = ["accepted"]
#include "attack.h"
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static void request(int fd, int kind) {
    struct { struct nlmsghdr head; char body[64]; } message = {
        {sizeof message, kind, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE, 1, 0}, {0}};
    char answer[4096];
    message.body[0] = AF_INET;
    if (send(fd, &message, sizeof message, 0) < 0)
        return;
    ssize_t size = recv(fd, answer, sizeof answer, 0);
    struct nlmsghdr *head = (struct nlmsghdr *)answer;
    if (size < (ssize_t)sizeof *head || head->nlmsg_type != NLMSG_ERROR)
        return;
    int error = ((struct nlmsgerr *)NLMSG_DATA(head))->error;
    if (error != -EPERM && error != -EOPNOTSUPP && error != -EACCES)
        got("netlink", kind * 1000 - error);
}

int main(void) {
    attack_begin();
    int fd = socket(AF_NETLINK, SOCK_RAW, 0);
    int kinds[] = {RTM_NEWLINK, RTM_DELLINK, RTM_NEWADDR, RTM_NEWROUTE, RTM_DELROUTE, RTM_NEWNEIGH,
                   RTM_NEWRULE, RTM_NEWQDISC, RTM_NEWTFILTER, RTM_NEWNSID};
    for (int i = 0; fd >= 0 && i < 10; i++)
        request(fd, kinds[i]);
    int plain = socket(AF_INET, SOCK_DGRAM, 0);
    struct ifreq interface = {0};
    strcpy(interface.ifr_name, "lo");
    interface.ifr_flags = 0;
    int controls[] = {0x8914, 0x8916, 0x891C, 0x8924, 0x8922, 0x8943, 0x89A0, 0x89A2, 0x890B};
    for (int i = 0; plain >= 0 && i < 9; i++)
        if (ioctl(plain, controls[i], &interface) == 0)
            got("ioctl", controls[i]);
    return attack_end();
}
