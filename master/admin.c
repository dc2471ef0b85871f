/* What `postrider status|reload|stop` ask over public/ctl. Runs in: master. Root and master's own uid may ask for anything,
 * others for status alone. */
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "ipc/talk/admin.h"
#include "master/master.h"
#include "os/sandbox.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct admin_client {
    master *master;
    channel channel;
    uid_t uid;
    bool waits_for_reports, wants_sandbox;
    struct admin_client *next;
} admin_client;

static void client_free(void *context, channel *ch)
{
    admin_client *c = context;
    admin_client **at = &c->master->clients;
    (void)ch;
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    channel_close(&c->channel);
    free(c);
}

static void end(admin_client *c, fault f, uint32_t count)
{
    admin_end m = { .outcome = f.kind, .count = count, .reason = str_c(f.text) };
    channel_put(&c->channel, ADMIN_END, 0, admin_end, &m);
}

static void row_put(admin_client *c, str row)
{
    admin_row m = { .row = row };
    channel_put(&c->channel, ADMIN_ROW, 0, admin_row, &m);
}

static const char *state_text(const child *c)
{
    static const char *const names[CHILD_STATES] = { "down", "starting", "up", "draining" };
    return names[c->state];
}

static void sandbox_row(const child *c, buf *out)
{
    sandbox_view v;
    char caps[200];
    if (c->pid == 0 || is_fault(sandbox_read(c->pid, &v)))
        return;
    buf_printf(out, " uid=%u gid=%u groups=%zu caps=%s bounding=%s no_new_privs=%d seccomp=%u filters=%u root=%s",
               v.uids[0], v.gids[0], v.group_count, sandbox_caps_text(v.caps_effective, caps, sizeof caps),
               v.caps_bounding == 0 ? "none" : "some", v.has_no_new_privs, v.seccomp_mode, v.seccomp_filters,
               v.root[0] ? v.root : "?");
    if (c->sandbox.n)
        buf_printf(out, " %.*s", STR_ARG(buf_str(&c->sandbox)));
}

static void child_row(admin_client *to, const child *c)
{
    buf row = buf_new(4096);
    buf_printf(&row, "process=%s instance=%u pid=%d state=%s restarts=%u sessions=%u generation=%u", c->role->name,
               c->instance, (int)c->pid, state_text(c), c->restarts, c->sessions, c->generation);
    if (c->state == CHILD_UP)
        buf_printf(&row, " up_s=%llu", (unsigned long long)(clock_s() - c->up_since_s));
    if (to->wants_sandbox)
        sandbox_row(c, &row);
    else if (c->detail.n)
        buf_printf(&row, " %.*s", STR_ARG(buf_str(&c->detail)));
    row_put(to, buf_str(&row));
    buf_free(&row);
}

static void status_answer(admin_client *to)
{
    uint32_t n = 0;
    to->waits_for_reports = false;
    for (size_t r = 0; r < role_count; r++) /* in the order of the table, whatever was started when */
        for (const child *c = to->master->children; c; c = c->next)
            if (c->role == &roles[r]) {
                child_row(to, c);
                n++;
            }
    end(to, NO_FAULT, n);
}

static void answer_if_whole(master *m)
{
    for (const child *c = m->children; c; c = c->next)
        if (c->state == CHILD_UP && !c->has_reported)
            return;
    for (admin_client *to = m->clients; to; to = to->next)
        if (to->waits_for_reports)
            status_answer(to);
}

void admin_reported(child *c)
{
    answer_if_whole(c->master);
}

static void on_status(admin_client *c, str argument)
{
    c->wants_sandbox = str_equal(argument, STR("sandbox"));
    c->waits_for_reports = true;
    children_report(c->master);
    answer_if_whole(c->master);
}

static void on_reload(admin_client *c, str argument)
{
    buf words = buf_new(40 * 1024);
    (void)argument;
    fault f = master_reload(c->master, &words);
    if (words.n)
        row_put(c, buf_str(&words));
    buf_free(&words);
    end(c, f, 0);
}

/* No answer: the end of the connection says that it is done. */
static void on_stop(admin_client *c, str argument)
{
    (void)argument;
    master_stop(c->master);
}

typedef struct verb {
    const char *name;
    bool is_open; /* to everybody */
    void (*handle)(admin_client *c, str argument);
} verb;

static const verb verbs[] = { { "status", true, on_status }, { "reload", false, on_reload }, { "stop", false, on_stop } };

static bool on_ask(void *context, channel *ch, received *r)
{
    admin_client *c = context;
    admin_ask m;
    (void)ch;
    if (admin_ask_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    for (size_t i = 0; i < COUNT_OF(verbs); i++) {
        if (!str_equal(m.verb, str_c(verbs[i].name)))
            continue;
        if (verbs[i].is_open || c->uid == 0 || c->uid == geteuid())
            verbs[i].handle(c, m.argument);
        else
            end(c, fault_make(FAULT_REFUSED, "7.1", "only root may do that"), 0);
        return true;
    }
    end(c, fault_make(FAULT_REFUSED, "5.1", "no such request: %.*s", STR_ARG(m.verb)), 0);
    return true;
}

static const talk_row rows[] = { { ADMIN_ASK, 0, 0, on_ask } };
static const talk admin_talk = { "ctl", rows, COUNT_OF(rows), client_free };

static void on_connection(void *context, unsigned ready)
{
    master *m = context;
    struct ucred who;
    socklen_t n = sizeof who;
    (void)ready;
    int fd = accept4(m->ctl_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) != 0) {
        close(fd);
        return;
    }
    admin_client *c = memory_get(sizeof *c);
    *c = (admin_client){ .master = m, .uid = who.uid, .next = m->clients };
    m->clients = c;
    channel_open(&c->channel, m->loop, fd, &admin_talk, c);
}

void admin_open(master *m)
{
    watch_open(&m->ctl, m->loop, m->ctl_fd, on_connection, m);
    watch_want(&m->ctl, WATCH_READ);
}
