#include "base/clock.h"
#include "os/fd.h"
#include "os/file.h"
#include "store/internal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TMP_AGE_S = 36 * 3600, CLEAN_EVERY_S = 24 * 3600 };

typedef struct job { /* one rename */
    uint32_t uid, flags, keywords;
    char from[MAILDIR_NAME_MAX + 8], to[MAILDIR_NAME_MAX + 8]; /* with the folder */
    bool is_done;
} job;

typedef struct work {
    box b;
    VEC(job) jobs;
    uid_set settled; /* nothing is to do for them (any more) */
    bool has_lost;   /* a file was not where the index says */
} work;

static void job_plan(work *w, MDB_txn *t, uint32_t uid)
{
    record r;
    str name;
    maildir_name parts;
    job j = { .uid = uid };
    buf to = buf_new(MAILDIR_NAME_MAX);

    if (!index_record_get(t, w->b.id, uid, &r) || !index_name_get(t, w->b.id, uid, &name) ||
        !maildir_name_read(name, &parts)) {
        uid_set_add(&w->settled, uid, uid);
        return;
    }
    j.flags = r.flags;
    j.keywords = r.keywords;
    maildir_name_write(parts.base, parts.letters, r.flags, r.keywords, &to);
    bool is_in_place = !(r.state & RECORD_IN_NEW) && parts.flags == r.flags && parts.keywords == r.keywords;
    if (is_in_place || to.overflow) { /* a base name without room for flags keeps them in the index only */
        uid_set_add(&w->settled, uid, uid);
    } else {
        snprintf(j.from, sizeof j.from, "%s%.*s", r.state & RECORD_IN_NEW ? "new/" : "cur/", STR_ARG(name));
        snprintf(j.to, sizeof j.to, "cur/%s", buf_c(&to));
        *vec_add(&w->jobs) = j;
    }
    buf_free(&to);
}

/* The next mailbox with something to do, and up to `max` of its messages. False: nothing is to do. */
static fault work_plan(store *s, unsigned max, buf *name, work *w, bool *has_work)
{
    MDB_txn *t;
    box_state state;
    str stored;
    uid_set pending = { 0 };
    fault f = env_read(&s->index, &t);

    if (is_fault(f))
        return f;
    *has_work = index_pending_next(t, 0, &w->b.id);
    if (*has_work) {
        if (index_box_get(t, w->b.id, &state, &stored))
            buf_append(name, stored);
        index_pending_get(t, w->b.id, &pending);
        for (uint32_t uid = 1; w->jobs.n < max && (uid = uid_set_next(&pending, uid)) != 0; uid++)
            job_plan(w, t, uid);
        uid_set_free(&pending);
    }
    env_read_end(&s->index);
    return NO_FAULT;
}

static fault jobs_run(work *w)
{
    for (size_t i = 0; i < w->jobs.n; i++) {
        job *j = &w->jobs.p[i];
        if (renameat(w->b.dirfd, j->from, w->b.dirfd, j->to) == 0)
            j->is_done = true;
        else if (errno == ENOENT)
            w->has_lost = true;
        else
            return disk_fault("rename a message");
    }
    return NO_FAULT;
}

static void job_settle(box_writer *w, const job *j, uid_set *settled)
{
    const record *now = box_writer_get(w, j->uid);
    if (!j->is_done || now == NULL)
        return;
    record r = *now;
    r.state = RECORD_PRESENT;
    box_writer_put(w, j->uid, &r, false);
    box_writer_name(w, j->uid, str_from(str_c(j->to), 4));
    if (r.flags == j->flags && r.keywords == j->keywords) /* else it changed meanwhile: once more */
        uid_set_add(settled, j->uid, j->uid);
}

static fault settle_write(MDB_txn *t, void *context)
{
    work *w = context;
    box_writer writer;
    uid_set settled = { 0 };

    (void)box_writer_open(&writer, t, w->b.id);
    uid_set_copy(&w->settled, &settled);
    for (size_t i = 0; i < w->jobs.n; i++)
        job_settle(&writer, &w->jobs.p[i], &settled);
    box_writer_settled(&writer, &settled);
    uid_set_free(&settled);
    return env_fault(&w->b.s->index, box_writer_finish(&writer), "write");
}

/* A mailbox whose folder is gone has nothing left to rename. */
static void work_drop(store *s, work *w)
{
    uid_set_add(&w->settled, 1, UINT32_MAX);
    w->jobs.n = 0;
    w->b.s = s;
}

static fault renames_do(store *s, unsigned max, bool *has_work)
{
    work w = { .b = { .s = s, .dirfd = -1 } };
    buf name = buf_new(2048);
    uint32_t id;
    fault f = work_plan(s, max, &name, &w, has_work);

    if (!is_fault(f) && *has_work) {
        id = w.b.id;
        f = box_open(s, buf_str(&name), &w.b);
        if (f.kind == FAULT_REFUSED || (!is_fault(f) && w.b.id != id)) {
            box_close(&w.b);
            w.b.id = id;
            work_drop(s, &w);
            f = NO_FAULT;
        }
        if (!is_fault(f))
            f = jobs_run(&w);
        fault written = env_write(&s->index, settle_write, &w);
        f = is_fault(f) ? f : written;
        if (!is_fault(f) && w.has_lost && w.b.dirfd >= 0)
            f = box_sync(&w.b, NULL, true);
        box_close(&w.b);
    }
    buf_free(&name);
    vec_free(&w.jobs);
    uid_set_free(&w.settled);
    return f;
}

typedef struct cleaning {
    int dirfd;
    uint64_t before_s;
    VEC(char *) doomed;
} cleaning;

static void old_file(void *context, str name)
{
    cleaning *c = context;
    struct stat st;
    char path[MAILDIR_NAME_MAX + 8];

    snprintf(path, sizeof path, "tmp/%.*s", STR_ARG(name));
    if (fstatat(c->dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && (uint64_t)st.st_mtim.tv_sec < c->before_s &&
        (uint64_t)st.st_ctim.tv_sec < c->before_s)
        *vec_add(&c->doomed) = strdup(path);
}

static void doomed_unlink(cleaning *c)
{
    for (size_t i = 0; i < c->doomed.n; i++) {
        if (c->doomed.p[i])
            unlinkat(c->dirfd, c->doomed.p[i], 0);
        free(c->doomed.p[i]);
    }
    vec_free(&c->doomed);
}

static void folder_clean_tmp(int dirfd)
{
    cleaning c = { .dirfd = dirfd, .before_s = clock_s() - TMP_AGE_S };
    (void)folder_list(dirfd, "tmp", LIST_FILES, old_file, &c);
    doomed_unlink(&c);
}

fault store_idle_work(store *s, unsigned max, bool *more_out)
{
    bool has_work = false;
    int dead;
    fault f = store_index(s);

    *more_out = false;
    if (is_fault(f))
        return f;
    learned_flush(s);
    f = renames_do(s, max, &has_work);
    if (is_fault(f))
        return f;
    *more_out = has_work || trash_empty(s, max);
    if (*more_out)
        return NO_FAULT;
    if (s->index.env)
        mdb_reader_check(s->index.env, &dead);
    if (clock_s() - s->cleaned_s > CLEAN_EVERY_S) {
        s->cleaned_s = clock_s();
        folder_clean_tmp(s->dirfd);
        for (mailbox *m = s->mailboxes; m; m = m->next)
            folder_clean_tmp(m->box.dirfd);
    }
    return NO_FAULT;
}
