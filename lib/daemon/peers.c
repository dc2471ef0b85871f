#include "daemon/peers.h"
#include "base/log.h"
#include "base/memory.h"
#include "daemon/control.h"
#include "daemon/relief.h"
#include "ipc/talk/control.h"
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ACCEPT_PER_ROUND = 16, SAME_PEERS_MAX = 3 };

static const peer_row *row_find(const process *d, str role)
{
    for (size_t i = 0; i < d->program->peer_count; i++)
        if (str_equal(role, str_c(d->program->peers[i].role)))
            return &d->program->peers[i];
    return str_equal(role, str_c(d->program->contract->role)) ? &relief_row : NULL;
}

static void peer_unlink(peer *p)
{
    peer **at = &p->daemon->peers;
    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
}

/* master makes a new conversation of it, unless there is one already. */
static void peer_closed(void *context, channel *c)
{
    peer *p = context;
    process *d = p->daemon;
    const peer_row *row = row_find(d, str_c(p->role));
    (void)c;
    peer_unlink(p);
    if (row->on_lost)
        row->on_lost(p);
    if (!d->is_draining && daemon_peer_instance(d, p->role, p->instance) == NULL) {
        control_name lost = { .name = str_c(p->role), .instance = p->instance };
        channel_put(&d->control, CONTROL_PEER_LOST, 0, control_name, &lost);
    }
    free(p);
}

static void peer_open(peer *p, const peer_row *row, int fd)
{
    p->talk = row->talk;
    p->talk.on_closed = peer_closed;
    channel_open(&p->channel, p->daemon->loop, fd, &p->talk, p);
    if (row->on_open)
        row->on_open(p);
}

/* Of a process that was restarted the last conversation may still be there, with words in it that are worth reading. More of one
 * process are made by one that has lost its mind. */
static void peers_limit(process *d, const char *role, uint32_t instance)
{
    peer *oldest = NULL;
    size_t n = 0;
    for (peer *p = d->peers; p; p = p->next)
        if (strcmp(p->role, role) == 0 && p->instance == instance) {
            oldest = p;
            n++;
        }
    if (n < SAME_PEERS_MAX)
        return;
    channel_close(&oldest->channel);
    peer_closed(oldest, &oldest->channel);
}

void daemon_peer_add(process *d, str role, uint32_t instance, int fd)
{
    const peer_row *row = row_find(d, role);
    if (row == NULL) {
        log_event(LOG_ERROR, "peer-not-in-contract", LOG_STR("role", role));
        close(fd);
        return;
    }
    const char *name = row == &relief_row ? d->program->contract->role : row->role;
    if (d->control.loop)
        peers_limit(d, name, instance);
    peer *p = memory_get(sizeof *p);
    *p = (peer){ .daemon = d, .role = name, .instance = instance, .next = d->peers };
    d->peers = p;
    p->channel.fd = fd;
    if (d->control.loop) /* at work already */
        peer_open(p, row, fd);
}

void daemon_peers_open(process *d)
{
    for (peer *p = d->peers; p; p = p->next)
        peer_open(p, row_find(d, str_c(p->role)), p->channel.fd);
}

peer *daemon_peer(const process *d, const char *role)
{
    peer *best = NULL;
    for (peer *p = d->peers; p; p = p->next)
        if (strcmp(p->role, role) == 0 && channel_is_open(&p->channel) && (best == NULL || p->asked < best->asked))
            best = p;
    return best;
}

peer *daemon_peer_gathered(const process *d, const char *role, uint64_t most)
{
    for (peer *p = d->peers; p; p = p->next)
        if (strcmp(p->role, role) == 0 && channel_is_open(&p->channel) && p->asked < most)
            return p;
    return daemon_peer(d, role);
}

peer *daemon_peer_instance(const process *d, const char *role, uint32_t instance)
{
    for (peer *p = d->peers; p; p = p->next)
        if (strcmp(p->role, role) == 0 && p->instance == instance && channel_is_open(&p->channel))
            return p;
    return NULL;
}

static bool local_peer(int fd, accepted *out)
{
    struct ucred who;
    socklen_t n = sizeof who;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) != 0)
        return false;
    out->uid = who.uid;
    out->gid = who.gid;
    out->pid = who.pid;
    return true;
}

/* A full descriptor table must not make the loop spin: the listener rests until a session ends or a second is over. */
static void listener_rest(listener *l)
{
    log_event(LOG_WARNING, "accept-paused", LOG_STR("service", l->service), LOG_C("reason", strerror(errno)));
    watch_want(&l->watch, 0);
    timer_set(&l->rest, 1000);
}

static void listener_watch(listener *l)
{
    watch_want(&l->watch, relief_is_on_duty(l->daemon) ? WATCH_READ : 0);
}

static void on_rested(void *context)
{
    listener_watch(context);
}

/* Sessions that begin together go on together, and what they ask of others goes in one message: with one connection a round, a
 * message of a session costs 61 system calls instead of 51. */
static void on_connection(void *context, unsigned ready)
{
    listener *l = context;
    process *d = l->daemon;
    (void)ready;
    for (int i = 0; i < ACCEPT_PER_ROUND; i++) {
        accepted a = { .uid = (uid_t)-1 };
        socklen_t n = sizeof a.address;
        a.fd = accept4(l->fd, (struct sockaddr *)&a.address, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (a.fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM))
            listener_rest(l);
        if (a.fd < 0)
            break;
        if (a.address.ss_family == AF_UNIX && !local_peer(a.fd, &a)) {
            close(a.fd);
            continue;
        }
        d->program->on_connection(l, &a);
    }
    relief_accepted(d);
}

static void listener_open(listener *l)
{
    timer_open(&l->rest, l->daemon->loop, on_rested, l);
    watch_open(&l->watch, l->daemon->loop, l->fd, on_connection, l);
    listener_watch(l);
}

void daemon_listener_add(process *d, str key, int fd)
{
    listener *l = memory_get(sizeof *l);
    char *name = memory_get(key.n + 1);
    memcpy(name, key.p, key.n);
    *l = (listener){ .daemon = d, .service = { name, key.n }, .fd = fd, .is_new = true, .next = d->listeners };
    d->listeners = l;
    if (d->control.loop)
        listener_open(l);
}

void daemon_listeners_open(process *d)
{
    for (listener *l = d->listeners; l; l = l->next)
        listener_open(l);
}

void daemon_listeners_watch(process *d)
{
    for (listener *l = d->listeners; l; l = l->next)
        if (l->watch.is_open)
            listener_watch(l);
}

static void listener_free(listener *l)
{
    watch_close(&l->watch);
    timer_close(&l->rest);
    close(l->fd);
    free((char *)(uintptr_t)l->service.p);
    free(l);
}

void daemon_listeners_close(process *d)
{
    while (d->listeners) {
        listener *l = d->listeners;
        d->listeners = l->next;
        listener_free(l);
    }
}

void daemon_listeners_renew(process *d)
{
    for (listener **at = &d->listeners; *at;) {
        listener *l = *at;
        if (l->is_new) {
            l->is_new = false;
            at = &l->next;
            continue;
        }
        *at = l->next;
        listener_free(l);
    }
}
