//| what = "Sends sockets through sockets, each inside the next, and closes them: only the kernel's collector finds them"
//| covers = ["descriptors", "socket buffers"]
//| verdict = ["accepted"]
//| limits = { cpu_time_s = 1.0, wall_time_s = 3.0, memory_bytes = 67108864 }
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int send_one(int through, int what)
{
    char room[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec part = {"x", 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = room,
                             .msg_controllen = sizeof room};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(head), &what, sizeof(int));
    return sendmsg(through, &message, MSG_DONTWAIT);
}

int main(void)
{
    for (int turn = 0; turn < 20000; turn++) {
        int pair[2];
        if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) < 0)
            break;
        /* Each holds the other: no process does any more. */
        send_one(pair[0], pair[1]);
        send_one(pair[1], pair[0]);
        close(pair[0]);
        close(pair[1]);
    }
    puts("contained");
    return 0;
}
