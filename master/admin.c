/* What `postrider status|reload|stop` ask over public/ctl. Runs in: master. Root and master's own uid may ask for anything,
 * others for status alone. */
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "master/master.h"
#include "os/sandbox.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_MS = 2000 };

typedef struct survey { /* a client that waits for the reports of all processes */
    bool wants_sandbox;
} survey;

static void survey_end(admin_client *c)
{
    free(c->context);
    c->context = NULL;
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
    const survey *asked = to->context;
    buf row = buf_new(4096);
    buf_printf(&row, "process=%s instance=%u pid=%d state=%s restarts=%u sessions=%u generation=%u", c->role->name,
               c->instance, (int)c->pid, state_text(c), c->restarts, c->sessions, c->generation);
    if (c->state == CHILD_UP)
        buf_printf(&row, " up_s=%llu", (unsigned long long)(clock_s() - c->up_since_s));
    if (c->state == CHILD_UP && !c->has_reported)
        buf_append(&row, STR(" answers=no"));
    if (asked->wants_sandbox)
        sandbox_row(c, &row);
    else if (c->detail.n)
        buf_printf(&row, " %.*s", STR_ARG(buf_str(&c->detail)));
    admin_row_put(to, buf_str(&row));
    buf_free(&row);
}

static void status_answer(admin_client *to)
{
    const master *m = to->desk->owner;
    uint32_t n = 0;
    for (size_t r = 0; r < role_count; r++) /* in the order of the table, whatever was started when */
        for (const child *c = m->children; c; c = c->next)
            if (c->role == &roles[r]) {
                child_row(to, c);
                n++;
            }
    survey_end(to);
    admin_end_put(to, NO_FAULT, n);
}

static bool is_asked(const master *m)
{
    for (const admin_client *c = m->desk.clients; c; c = c->next)
        if (c->context)
            return true;
    return false;
}

static void answer_all(void *context)
{
    master *m = context;
    timer_stop(&m->patience);
    for (admin_client *to = m->desk.clients; to; to = to->next)
        if (to->context)
            status_answer(to);
}

void ctl_reported(master *m)
{
    if (!is_asked(m))
        return;
    for (const child *c = m->children; c; c = c->next)
        if (c->state == CHILD_UP && !c->has_reported)
            return;
    answer_all(m);
}

/* Whoever asks while others wait gets what they get: the processes are asked once. */
static void on_status(admin_client *c, str argument)
{
    master *m = c->desk->owner;
    bool is_first = !is_asked(m);
    survey *s = c->context ? c->context : memory_get(sizeof *s);
    s->wants_sandbox = str_equal(argument, STR("sandbox"));
    c->context = s;
    if (!is_first)
        return;
    children_report(m);
    timer_set(&m->patience, PATIENCE_MS); /* a process that hangs is shown as one */
    ctl_reported(m);
}

static void on_reload(admin_client *c, str argument)
{
    buf words = buf_new(40 * 1024);
    (void)argument;
    fault f = master_reload(c->desk->owner, &words);
    if (words.n)
        admin_row_put(c, buf_str(&words));
    buf_free(&words);
    admin_end_put(c, f, 0);
}

/* No answer: the end of the connection says that it is done. */
static void on_stop(admin_client *c, str argument)
{
    (void)argument;
    master_stop(c->desk->owner);
}

static const admin_verb verbs[] = { { "status", true, on_status },
                                    { "reload", false, on_reload },
                                    { "stop", false, on_stop } };

static void on_rested(void *context)
{
    master *m = context;
    watch_want(&m->ctl, WATCH_READ);
}

/* A full descriptor table must not make the loop spin. */
static void on_connection(void *context, unsigned ready)
{
    master *m = context;
    struct ucred who;
    socklen_t n = sizeof who;
    (void)ready;
    int fd = accept4(m->ctl_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
        watch_want(&m->ctl, 0);
        timer_set(&m->ctl_rest, 1000);
    }
    if (fd < 0)
        return;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0)
        admin_admit(&m->desk, fd, who.uid);
    else
        close(fd);
}

void ctl_open(master *m)
{
    m->desk = (admin_desk){
        .loop = m->loop, .owner = m, .name = "ctl", .verbs = verbs, .verb_count = COUNT_OF(verbs), .on_gone = survey_end
    };
    admin_open(&m->desk);
    timer_open(&m->patience, m->loop, answer_all, m);
    timer_open(&m->ctl_rest, m->loop, on_rested, m);
    watch_open(&m->ctl, m->loop, m->ctl_fd, on_connection, m);
    watch_want(&m->ctl, WATCH_READ);
}
