/* What a process gets before it confines itself: ids, its root directory, descriptors, listeners, conversations. Runs in: master. */
#include "base/log.h"
#include "base/num.h"
#include "ipc/talk/control.h"
#include "master/master.h"
#include "os/fd.h"
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <unistd.h>

static str folder_of(str path)
{
    return str_upto(path, str_find_last(path, '/'));
}

static str root_of(const child *c, arena *a)
{
    const config *conf = &c->master->parsed->base.config;
    switch (c->role->root) {
    case ROOT_IS_EMPTY: return arena_printf(a, "%.*s/empty", STR_ARG(conf->queue_directory));
    case ROOT_IS_QUEUE: return arena_printf(a, "%.*s/queue", STR_ARG(conf->queue_directory));
    case ROOT_IS_DROP: return arena_printf(a, "%.*s/drop", STR_ARG(conf->queue_directory));
    case ROOT_IS_USERS: return arena_copy(a, folder_of(conf->user_file));
    case ROOT_IS_HOST: break;
    }
    return STR_NONE;
}

fault start_account(const master *m, const role *r, uid_t *uid, gid_t *gid)
{
    str users = m->parsed->base.config.process_users;
    uint64_t first;
    *uid = geteuid();
    *gid = getegid();
    if (!m->is_privileged)
        return NO_FAULT;
    if (num_parse(users, 1, UINT32_MAX - 1000, &first)) {
        *uid = (uid_t)(first + r->account);
        *gid = (gid_t)(first + r->account);
        return NO_FAULT;
    }
    arena a = arena_new(0);
    str name = arena_printf(&a, "%.*s%s", STR_ARG(users), r->name);
    const struct passwd *p = getpwnam(name.p);
    fault f = NO_FAULT;
    if (p == NULL)
        f = fault_make(FAULT_REFUSED, "3.5", "there is no account %s: make it, or set process_users", name.p);
    else if (p->pw_uid == 0)
        f = fault_make(FAULT_REFUSED, "3.5", "the account %s is root", name.p);
    else
        *uid = p->pw_uid, *gid = p->pw_gid;
    arena_free(&a);
    return f;
}

static int copy(int fd)
{
    return fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

static bool give(child *c, uint16_t type, str name, int fd)
{
    int given = copy(fd);
    if (given < 0)
        return false;
    control_name m = { .name = name, .instance = 0 };
    return channel_put_fds(&c->control, type, 0, control_name, &m, &given, 1);
}

static bool give_worker(child *c)
{
    if (!(c->role->flags & ROLE_HAS_WORKER))
        return true;
    arena a = arena_new(0);
    str path =
        arena_printf(&a, "%.*s/%s-worker", STR_ARG(c->master->parsed->base.config.daemon_directory), c->role->name);
    int fd = open(path.p, O_PATH | O_CLOEXEC);
    bool is_given = fd >= 0 && give(c, CONTROL_FILE, STR("worker"), fd);
    if (!is_given)
        log_fault(LOG_ERROR, "no-worker", fault_errno("open %s", path.p));
    if (fd >= 0)
        close(fd);
    arena_free(&a);
    return is_given;
}

static bool give_keys(child *c)
{
    const master *m = c->master;
    bool is_login = strcmp(c->role->name, "login") == 0;
    int cert = is_login ? m->login_cert_fd : m->cert_fd, key = is_login ? m->login_key_fd : m->key_fd;
    int tickets = is_login ? m->login_tickets_fd : m->tickets_fd;
    if (!(c->role->flags & ROLE_HAS_KEYS) || cert < 0 || key < 0)
        return true;
    return give(c, CONTROL_FILE, STR("tls-cert"), cert) && give(c, CONTROL_FILE, STR("tls-key"), key) &&
           give(c, CONTROL_FILE, STR("tls-tickets"), tickets);
}

static bool give_listeners(child *c)
{
    bool is_given = true;
    for (net_listener *l = c->master->listeners; l && is_given; l = l->next)
        if ((c->role->flags & ROLE_HAS_SERVICES) && strcmp(role_name(l->role), c->role->name) == 0)
            is_given = give(c, CONTROL_LISTENER, str_c(l->key), l->fd);
    for (local_socket *s = c->master->sockets; s && is_given; s = s->next)
        if (c->role->local_socket && strcmp(s->name, c->role->local_socket) == 0)
            is_given = give(c, CONTROL_LISTENER, str_c(s->name), s->fd);
    return is_given;
}

static bool give_start(child *c)
{
    master *m = c->master;
    arena a = arena_new(0);
    uid_t uid;
    gid_t gid;
    fault f = start_account(m, c->role, &uid, &gid);
    if (is_fault(f))
        log_fault(LOG_ERROR, "not-started", f);
    control_start start = { .instance = c->instance,
                            .generation = (uint32_t)m->generation,
                            .uid = uid,
                            .gid = gid,
                            .is_privileged = m->is_privileged,
                            .requires_sandbox = m->requires_sandbox,
                            .root = root_of(c, &a) };
    int fds[2] = { copy(m->log_fd), copy(m->snapshot_fd) };
    bool is_given = !is_fault(f) && fds[0] >= 0 && fds[1] >= 0;
    if (is_given)
        is_given = channel_put_fds(&c->control, CONTROL_START, 0, control_start, &start, fds, 2);
    else
        fd_close(&fds[0]), fd_close(&fds[1]);
    arena_free(&a);
    return is_given;
}

bool start_send(child *c)
{
    control_none none = { 0 };
    if (!give_start(c) || !give_worker(c) || !give_keys(c) || !give_listeners(c))
        return false;
    links_make(c);
    return channel_put(&c->control, CONTROL_GO, 0, control_none, &none);
}

static bool give_snapshot(child *c)
{
    int fd = copy(c->master->snapshot_fd);
    control_reload m = { .generation = (uint32_t)c->master->generation };
    return fd >= 0 && channel_put_fds(&c->control, CONTROL_RELOAD, 0, control_reload, &m, &fd, 1);
}

/* Where it does not get through, its listeners may be half of what they should be: better a new process. */
void start_reload(child *c)
{
    if (give_keys(c) && give_listeners(c) && give_snapshot(c))
        return;
    log_event(LOG_ERROR, "not-reloaded", LOG_C("process", c->role->name), LOG_NUM("pid", c->pid));
    pidfd_send_signal(c->pidfd, SIGKILL, NULL, 0);
}
