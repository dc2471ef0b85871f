/* Where the attempts come in: become() or worker_confine() opens the page while that is possible, and the loop makes the attempts
 * once the process is at work. Linked with --wrap in place of nothing: the daemon itself is whole. */
#include "fault/tries/place.h"
#include "fault/tries/tries.h"
#include "loop/loop.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ASK_MS = 5 };

static const struct {
    const char *role;
    unsigned may;
} roles[] = {
    { "smtpd", 0 },
    { "cleanup", 0 },
    { "qmgr", WRITES | QUEUE },
    { "policy", 0 },
    { "local", SPAWNS },
    { "auth", USERS },
    { "auth-worker", 0 },
    { "pam", SYSTEM },
    { "login", 0 },
    { "imapd", SPAWNS },
    { "pop3d", SPAWNS },
    { "meter", 0 },
    { "pickup", WRITES },
    { "bounce", 0 },
    { "pipe", SPAWNS | PROGRAMS },
    { "master", MASTER },
    { "local-worker", WRITES | WORKER },
    { "imapd-worker", WRITES | WORKER },
    { "pop3d-worker", WRITES | WORKER },
    { "pipe-worker", PROGRAMS | WORKER },
};

static struct {
    page *page;
    unsigned may;
    timer ask;
} place;

void place_take(page *p, const char *role)
{
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        if (strcmp(roles[i].role, role) == 0) {
            place.page = p;
            place.may = roles[i].may;
        }
}

page *place_page(const char *role)
{
    char folder[200], path[300];
    ssize_t n = readlink("/proc/self/exe", folder, sizeof folder - 1);

    folder[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(folder, '/');
    if (slash)
        *slash = '\0';
    snprintf(path, sizeof path, "%s/progress/%s", folder, role);
    return page_open(AT_FDCWD, path);
}

static void on_ask(void *context)
{
    (void)context;
    if (place.page->go)
        tries_run(place.page, place.may);
    if (!place.page->is_done)
        timer_set(&place.ask, ASK_MS);
}

void __real_loop_run(loop *l);
void __wrap_loop_run(loop *l);

/* The start conversation runs the loop as well: before the walls, so there is no page yet. */
void __wrap_loop_run(loop *l)
{
    if (place.page && !place.ask.is_open && !place.page->is_done) {
        timer_open(&place.ask, l, on_ask, NULL);
        timer_set(&place.ask, ASK_MS);
    }
    __real_loop_run(l);
}
