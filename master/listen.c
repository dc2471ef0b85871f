/* Sockets: master binds all of them, others only accept. Runs in: master. */
#include "base/log.h"
#include "base/memory.h"
#include "master/master.h"
#include "master/socket_file.h"
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 1024, QUEUE_DIRECTORY_MAX = 92 };

#define LISTENER_PATH "unix:" /* in front of the address of one in the file system */

/* A pass over the services of a configuration: the first marks what is there already, the second binds what is missing. */
typedef struct pass {
    master *master;
    const parsed *parsed;
    const service *service;
    bool binds;
} pass;

static net_listener *listener_find(master *m, str key, const char *address)
{
    for (net_listener *l = m->listeners; l; l = l->next)
        if (str_equal(key, str_c(l->key)) && strcmp(l->address, address) == 0)
            return l;
    return NULL;
}

static int bind_one(const struct addrinfo *ai, bool shares_port)
{
    int on = 1;
    int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    /* Nagle off here is inherited by every connection: replies are batched already (PIPELINE 7). */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (shares_port)
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (ai->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

/* A listener of ours that goes when this reload has gone well may stand in the way (127.0.0.1:25 of 0.0.0.0:25): until then
 * they share the port. */
static bool leaving_share(const master *m, const char *port)
{
    int on = 1;
    bool is_shared = false;
    for (const net_listener *l = m->listeners; l; l = l->next)
        if (!l->is_kept && strcmp(strrchr(l->address, ':') + 1, port) == 0)
            is_shared = setsockopt(l->fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0;
    return is_shared;
}

static void listener_add(const pass *p, const char *address, int fd)
{
    net_listener *l = memory_get(sizeof *l);
    char *key = memory_get(p->service->key.n + 1);
    memcpy(key, p->service->key.p, p->service->key.n);
    *l = (net_listener){ .key = key,
                         .address = strdup(address),
                         .role = p->service->role,
                         .next_role = p->service->role,
                         .fd = fd,
                         .is_kept = true,
                         .is_fresh = true,
                         .next = p->master->listeners };
    p->master->listeners = l;
}

static fault address_listen(const pass *p, const struct addrinfo *ai)
{
    char host[64], port[8], address[80];
    getnameinfo(ai->ai_addr, ai->ai_addrlen, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(address, sizeof address, ai->ai_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
    net_listener *l = listener_find(p->master, p->service->key, address);
    if (l) {
        l->is_kept = true;
        l->next_role = p->service->role;
    }
    if (l || !p->binds)
        return NO_FAULT;
    int fd = bind_one(ai, false);
    if (fd < 0 && errno == EADDRINUSE && leaving_share(p->master, port))
        fd = bind_one(ai, true);
    if (fd < 0 && errno == EAFNOSUPPORT)
        return NO_FAULT;
    if (fd < 0)
        return fault_errno("%.*s:%u: service %.*s cannot listen on %s", STR_ARG(p->parsed->master_file),
                           p->service->line, STR_ARG(p->service->name), address);
    listener_add(p, address, fd);
    return NO_FAULT;
}

static int family_wanted(const config *c)
{
    return c->inet_protocols == IP_V4 ? AF_INET : c->inet_protocols == IP_V6 ? AF_INET6 : AF_UNSPEC;
}

static fault host_listen(const pass *p, str host)
{
    struct addrinfo hints = { .ai_family = family_wanted(&p->parsed->base.config),
                              .ai_socktype = SOCK_STREAM,
                              .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
    struct addrinfo *list = NULL;
    char port[8];
    arena a = arena_new(0);
    snprintf(port, sizeof port, "%u", p->service->port);
    int bad = getaddrinfo(host.n ? arena_c(&a, host) : NULL, port, &hints, &list);
    arena_free(&a);
    if (bad)
        return fault_make(FAULT_REFUSED, "3.5", "%.*s:%u: %.*s: %s", STR_ARG(p->parsed->master_file), p->service->line,
                          STR_ARG(host), gai_strerror(bad));
    fault f = NO_FAULT;
    for (struct addrinfo *ai = list; ai && !is_fault(f); ai = ai->ai_next)
        f = address_listen(p, ai);
    freeaddrinfo(list);
    return f;
}

static fault service_listen(const pass *p)
{
    str interfaces = p->parsed->base.config.inet_interfaces, host;
    if (p->service->host.n)
        return host_listen(p, p->service->host);
    fault f = NO_FAULT;
    while (!is_fault(f) && str_word(&interfaces, " ,\t\r\n", &host)) {
        if (str_equal_nocase(host, STR("all")))
            f = host_listen(p, STR_NONE);
        else if (str_equal_nocase(host, STR("loopback-only")))
            f = host_listen(p, STR("localhost"));
        else
            f = host_listen(p, host);
    }
    return f;
}

/* Names of the suite's own sockets are not for services. */
static bool is_reserved(str name)
{
    bool is_ours = str_equal(name, STR("ctl"));
    for (size_t i = 0; i < role_count; i++)
        is_ours = is_ours || (roles[i].local_socket && str_equal(name, str_c(roles[i].local_socket)));
    return is_ours;
}

static fault path_listen(const pass *p, const char *path, bool is_ours)
{
    char address[120];
    int fd;
    snprintf(address, sizeof address, LISTENER_PATH "%s", path);
    net_listener *l = listener_find(p->master, p->service->key, address);
    if (l) {
        l->is_kept = true;
        l->next_role = p->service->role;
    }
    if (l || !p->binds)
        return NO_FAULT;
    fault f = socket_file_listen(path, SOCK_STREAM, is_ours, &fd);
    if (is_fault(f))
        return fault_make(f.kind, f.status, "%.*s:%u: service %.*s cannot %s", STR_ARG(p->parsed->master_file),
                          p->service->line, STR_ARG(p->service->name), f.text);
    listener_add(p, address, fd);
    return NO_FAULT;
}

static fault unix_listen(const pass *p)
{
    str name = p->service->name;
    bool is_path = name.p[0] == '/';
    if (is_reserved(name))
        return fault_make(FAULT_REFUSED, "3.5", "%.*s:%u: the suite has a socket of the name %.*s itself",
                          STR_ARG(p->parsed->master_file), p->service->line, STR_ARG(name));
    arena a = arena_new(0);
    str folder = p->parsed->base.config.queue_directory;
    const char *path = is_path ? arena_c(&a, name)
                               : arena_printf(&a, "%.*s/public/%.*s", STR_ARG(folder), STR_ARG(name)).p;
    fault f = path_listen(p, path, !is_path);
    arena_free(&a);
    return f;
}

static fault services_listen(master *m, const parsed *of, bool binds)
{
    fault f = NO_FAULT;
    for (size_t i = 0; i < of->services.rows.n && !is_fault(f); i++) {
        pass p = { m, of, &of->services.rows.p[i], binds };
        if (p.service->type == SERVICE_INET)
            f = service_listen(&p);
        else if (service_listens(p.service))
            f = unix_listen(&p);
    }
    return f;
}

static void listener_free(net_listener *l)
{
    close(l->fd);
    if (strncmp(l->address, LISTENER_PATH, strlen(LISTENER_PATH)) == 0)
        socket_file_remove(l->address + strlen(LISTENER_PATH));
    free((char *)(uintptr_t)l->key);
    free((char *)(uintptr_t)l->address);
    free(l);
}

fault listeners_bind(master *m, const parsed *p)
{
    for (net_listener *l = m->listeners; l; l = l->next)
        l->is_kept = l->is_fresh = false;
    fault f = services_listen(m, p, false);
    if (!is_fault(f))
        f = services_listen(m, p, true);
    for (net_listener **at = &m->listeners; *at;) {
        net_listener *l = *at;
        if (is_fault(f) ? !l->is_fresh : l->is_kept) {
            l->role = is_fault(f) ? l->role : l->next_role;
            at = &l->next;
            continue;
        }
        *at = l->next;
        listener_free(l);
    }
    return f;
}

static fault local_bind(master *m, const char *name, int *out)
{
    str folder = m->parsed->base.config.queue_directory;
    if (folder.n > QUEUE_DIRECTORY_MAX)
        return fault_make(FAULT_REFUSED, "3.5", "queue_directory is too long for sockets in it: at most %d octets",
                          QUEUE_DIRECTORY_MAX);
    arena a = arena_new(0);
    fault f = socket_file_listen(arena_printf(&a, "%.*s/public/%s", STR_ARG(folder), name).p, SOCK_SEQPACKET, true, out);
    arena_free(&a);
    return f;
}

fault local_sockets_bind(master *m)
{
    fault f = local_bind(m, "ctl", &m->ctl_fd);
    for (size_t i = 0; i < role_count && !is_fault(f); i++) {
        if (roles[i].local_socket == NULL)
            continue;
        local_socket *s = memory_get(sizeof *s);
        *s = (local_socket){ .name = roles[i].local_socket, .fd = -1, .next = m->sockets };
        m->sockets = s;
        f = local_bind(m, s->name, &s->fd);
    }
    return f;
}

/* /dev/log for an empty maillog_file; then lines are datagrams. */
fault log_target_open(const parsed *p, int *out_fd)
{
    str file = p->base.config.maillog_file;
    if (file.n) {
        arena a = arena_new(0);
        const char *path = arena_c(&a, file);
        *out_fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
        fault f = *out_fd >= 0 ? NO_FAULT : fault_errno("open maillog_file %s", path);
        arena_free(&a);
        return f;
    }
    struct sockaddr_un to = { .sun_family = AF_UNIX, .sun_path = "/dev/log" };
    *out_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (*out_fd >= 0 && connect(*out_fd, (struct sockaddr *)&to, sizeof to) == 0)
        return NO_FAULT;
    if (*out_fd >= 0)
        close(*out_fd);
    *out_fd = fcntl(2, F_DUPFD_CLOEXEC, 0); /* no syslog daemon: better on the terminal than nowhere */
    return *out_fd >= 0 ? NO_FAULT : fault_errno("open the log");
}
