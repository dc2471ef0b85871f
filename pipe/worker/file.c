/* "/file": appends to it as local does to a mailbox that is one file, or, when the name ends in a slash, delivers to the Maildir.
 * What is no plain file of this user's own is refused, looked at by its descriptor. Runs in: pipe-worker. */
#include "base/log.h"
#include "pipe/worker/actor.h"
#include "store/mbox.h"
#include "store/store.h"
#include "worker/content.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static fault mbox_sink(void *to, str bytes)
{
    return mbox_write(to, bytes);
}

static fault mbox_append(mbox *m, const letter_job *j)
{
    content_sink to = { mbox_sink, m };
    fault f = mbox_begin(m, j->request.reverse_path);
    if (!is_fault(f))
        f = front_write(&j->request, to, true);
    if (!is_fault(f))
        f = content_write(&j->request, j->fd, to);
    if (!is_fault(f))
        f = mbox_end(m);
    if (!is_fault(f))
        return mbox_sync(m);
    mbox_cancel(m);
    return f;
}

/* The dotlock may fail where the user may make no file; what is locked by another program may not. */
static fault locks_take(const actor *a, mbox *m)
{
    if ((a->rules.flags & PROGRAM_LOCKS_FCNTL) && !mbox_lock(m))
        return fault_make(FAULT_TRY_LATER, "2.0", "the file is locked by another program");
    fault f = a->rules.flags & PROGRAM_LOCKS_DOT ? mbox_dot(m, a->rules.stale_lock_s) : NO_FAULT;
    return f.kind == FAULT_BROKEN ? NO_FAULT : f;
}

/* *out_is_locked: another program has it now; it is worth another try. */
static fault mbox_deliver(const actor *a, const letter_job *j, bool *out_is_locked)
{
    const char *path = j->request.member.p;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    mbox *m = NULL;
    if (fd >= 0)
        close(fd);
    else if (errno != EEXIST)
        return fault_errno("make %s", path);
    fault f = mbox_open(path, a->rules.mailbox_bytes, &m);
    if (is_fault(f)) {
        f.kind = FAULT_TRY_LATER; /* also a file that went meanwhile */
        return f;
    }
    f = locks_take(a, m);
    *out_is_locked = is_fault(f) || !mbox_is_current(m);
    if (!is_fault(f) && !*out_is_locked)
        f = mbox_append(m, j);
    mbox_undot(m);
    mbox_close(m);
    return f;
}

static fault store_sink(void *to, str bytes)
{
    return delivery_write(to, bytes);
}

static fault maildir_write(delivery *d, const letter_job *j)
{
    content_sink to = { store_sink, d };
    fault result = NO_FAULT, f = delivery_begin(d, STR("INBOX"), NULL);
    if (!is_fault(f))
        f = front_write(&j->request, to, true);
    if (!is_fault(f))
        f = content_write(&j->request, j->fd, to);
    if (!is_fault(f))
        f = delivery_end(d);
    if (is_fault(f)) {
        delivery_cancel(d);
        return f;
    }
    delivery_commit(d, &result);
    return result;
}

/* Only its name may be missing. One that somebody else made in a folder that others may write to is not filled. */
static fault folder_open(const char *path, int *out)
{
    struct stat st;
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return fault_errno("make %s", path);
    *out = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*out < 0 || fstat(*out, &st) != 0)
        return fault_errno("open %s", path);
    if (st.st_uid != geteuid())
        return fault_make(FAULT_TRY_LATER, "2.0", "%s is not the user's own", path);
    return NO_FAULT;
}

static fault maildir_deliver(const actor *a, const letter_job *j)
{
    store *s = NULL;
    int fd = -1;
    fault f = folder_open(j->request.member.p, &fd);
    if (!is_fault(f))
        f = store_open(fd, &(store_options){ .host = a->worker->host }, &s);
    if (!is_fault(f)) {
        delivery *d = delivery_new(s);
        f = maildir_write(d, j);
        delivery_free(d);
        store_close(s);
    }
    if (fd >= 0)
        close(fd);
    return f;
}

static fault discard(const letter_job *j)
{
    return letter_check(&j->request, j->fd);
}

static void first_end(actor *a, fault outcome, const char *done)
{
    letter_job *j = a->files;
    a->files = j->next;
    if (a->files == NULL)
        a->files_last = &a->files;
    a->attempts = 0;
    letter_job_end(a, j, outcome, done);
}

static void serve(void *context)
{
    actor *a = context;
    while (a->files) {
        letter_job *j = a->files;
        str path = j->request.member;
        bool is_locked = false, is_folder = path.p[path.n - 1] == '/', is_null = str_equal(path, STR("/dev/null"));
        fault f = is_null ? discard(j) : is_folder ? maildir_deliver(a, j) : mbox_deliver(a, j, &is_locked);
        if (is_locked && ++a->attempts < a->rules.lock_attempts && !a->worker->is_leaving) {
            timer_set(&a->again, (uint64_t)a->rules.lock_delay_s * 1000);
            return;
        }
        if (is_locked && !is_fault(f))
            f = fault_make(FAULT_TRY_LATER, "2.0", "the file was replaced meanwhile");
        j->is_of_file = is_locked;
        first_end(a, f, is_null ? "discarded" : is_folder ? "delivered to maildir" : "delivered to file");
    }
}

void files_start(actor *a)
{
    a->files_last = &a->files;
    timer_open(&a->again, a->worker->loop, serve, a);
}

void file_put(actor *a, uint32_t ref, const deliver_request *m, int fd)
{
    letter_job *j = letter_job_new(ref, m, fd);
    bool is_first = a->files == NULL;
    *a->files_last = j;
    a->files_last = &j->next;
    if (is_first)
        task_put(a->worker->loop, &a->serve, serve, a);
}

void files_leave(actor *a)
{
    if (a->files && a->attempts > 0)
        serve(a);
}
