/* Attempts at the network and at other processes' sockets. */
#include "fault/tries/tries.h"
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

enum { PROTOCOL_MPTCP = 262 };

static bool has_socket(int family, int type, int protocol)
{
    long fd = syscall(SYS_socket, family, type, protocol);

    if (fd >= 0)
        close((int)fd);
    return fd >= 0;
}

static bool open_tcp(const page *p)
{
    (void)p;
    return has_socket(AF_INET, SOCK_STREAM, 0) || has_socket(AF_INET6, SOCK_STREAM, 0);
}

static bool open_udp(const page *p)
{
    (void)p;
    return has_socket(AF_INET, SOCK_DGRAM, 0) || has_socket(AF_INET6, SOCK_DGRAM, 0);
}

static bool open_mptcp(const page *p)
{
    (void)p;
    return has_socket(AF_INET, SOCK_STREAM, PROTOCOL_MPTCP);
}

static bool open_raw(const page *p)
{
    (void)p;
    return has_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) || has_socket(AF_PACKET, SOCK_RAW, 0);
}

static bool open_netlink(const page *p)
{
    (void)p;
    return has_socket(AF_NETLINK, SOCK_RAW, 0);
}

static bool open_other(const page *p)
{
    (void)p;
    return has_socket(AF_ALG, SOCK_SEQPACKET, 0) || has_socket(AF_VSOCK, SOCK_STREAM, 0) || has_socket(AF_PACKET, SOCK_DGRAM, 0);
}

static bool connect_to_a_sibling(const page *p)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    long fd = syscall(SYS_socket, AF_UNIX, SOCK_SEQPACKET, 0);

    memcpy(to.sun_path, p->socket, sizeof to.sun_path - 1);
    return fd >= 0 && syscall(SYS_connect, fd, &to, sizeof to) == 0;
}

/* EBADF is the kernel's own answer: it got that far. */
static bool connect_at_all(const page *p)
{
    (void)p;
    return was_let_in(syscall(SYS_connect, -1, NULL, 0));
}

static bool bind_at_all(const page *p)
{
    (void)p;
    return was_let_in(syscall(SYS_bind, -1, NULL, 0));
}

static bool listen_at_all(const page *p)
{
    (void)p;
    return was_let_in(syscall(SYS_listen, -1, 1));
}

static bool pair_of_another_family(const page *p)
{
    int pair[2];
    (void)p;
    return was_let_in(syscall(SYS_socketpair, AF_INET, SOCK_STREAM, 0, pair));
}

static bool send_fast_open(const page *p)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    (void)p;
    return was_let_in(syscall(SYS_sendto, -1, "", 1, MSG_FASTOPEN, &to, sizeof to));
}

static bool send_message_fast_open(const page *p)
{
    struct msghdr m = { 0 };
    (void)p;
    return was_let_in(syscall(SYS_sendmsg, -1, &m, MSG_FASTOPEN));
}

static bool send_messages_fast_open(const page *p)
{
    struct mmsghdr m = { 0 };
    (void)p;
    return was_let_in(syscall(SYS_sendmmsg, -1, &m, 1, MSG_FASTOPEN));
}

static bool set_fast_open(const page *p)
{
    int on = 1;
    (void)p;
    return was_let_in(syscall(SYS_setsockopt, -1, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof on));
}

static bool set_kernel_tls(const page *p)
{
    (void)p;
    return was_let_in(syscall(SYS_setsockopt, -1, IPPROTO_TCP, TCP_ULP, "tls", 3));
}

static bool attach_a_filter(const page *p)
{
    struct sock_filter code = { BPF_RET | BPF_K, 0, 0, 0 };
    struct sock_fprog program = { 1, &code };
    (void)p;
    return was_let_in(syscall(SYS_setsockopt, -1, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program));
}

const attempt net_attempts[] = {
    { "open a TCP socket", MASTER | PROGRAMS, open_tcp },
    { "open a UDP socket", MASTER | PROGRAMS, open_udp },
    { "open an MPTCP socket", MASTER | PROGRAMS, open_mptcp },
    { "open a raw socket", 0, open_raw },
    { "open a netlink socket", MASTER | PROGRAMS, open_netlink },
    { "open a socket of another family", 0, open_other },
    { "connect to the socket of a sibling", SYSTEM | MASTER | PROGRAMS, connect_to_a_sibling },
    { "connect", SYSTEM | MASTER | PROGRAMS, connect_at_all },
    { "bind", SYSTEM | MASTER | PROGRAMS, bind_at_all },
    { "listen", SYSTEM | MASTER | PROGRAMS, listen_at_all },
    { "make a pair of internet sockets", MASTER | PROGRAMS, pair_of_another_family },
    { "sendto with MSG_FASTOPEN", MASTER | PROGRAMS, send_fast_open },
    { "sendmsg with MSG_FASTOPEN", MASTER | PROGRAMS, send_message_fast_open },
    { "sendmmsg with MSG_FASTOPEN", MASTER | PROGRAMS, send_messages_fast_open },
    { "set TCP_FASTOPEN_CONNECT", MASTER | PROGRAMS, set_fast_open },
    { "set TCP_ULP", MASTER | PROGRAMS, set_kernel_tls },
    { "attach a filter to a socket", MASTER | PROGRAMS, attach_a_filter },
};
const size_t net_attempt_count = sizeof net_attempts / sizeof *net_attempts;
