/* local-worker: delivers to one user's mail, as that user: forwards it (.forward), appends it to an mbox, or puts it into a Maildir. */
#include "local/worker/worker.h"
#include <fcntl.h>
#include <unistd.h>

/* What lies outside of the walls: the mailbox's file, and where its dotlock is made when it stands in the home. */
static void open_mailbox(worker *w)
{
    local_worker *l = w->state;
    l->worker = w;
    if (w->mbox.n == 0)
        return;
    spool_open(l);
    arena a = arena_new(0);
    int folder = open(arena_c(&a, str_upto(w->mbox, str_find_last(w->mbox, '/') + 1)), O_PATH | O_DIRECTORY | O_CLOEXEC);
    arena_free(&a);
    if (folder >= 0)
        w->rules[w->rule_count++] = (landlock_rule){ folder, ACCESS_LOCK };
}

static bool start(worker *w)
{
    local_worker *l = w->state;
    l->worker = w;
    return w->mbox.n || maildir_start(l);
}

static void on_leave(worker *w)
{
    local_worker *l = w->state;
    maildir_commit(l);
    spool_leave(l);
}

int main(void)
{
    static local_worker l;
    static worker_program program = {
        .role = "local-worker",
        .calls = CALLS_LOOP | CALLS_RECEIVE | CALLS_CONTENT | CALLS_READ_FILES | CALLS_FILES | CALLS_LMDB |
                 CALLS_TOGETHER,
        .open = open_mailbox, .start = start, .on_leave = on_leave,
    };
    program.rows = letter_rows;
    program.row_count = letter_row_count;
    return worker_run(&program, &l);
}
