#include "os/fd.h"
#include "os/file.h"
#include "store/internal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct twin { /* a message and what becomes of it */
    uint32_t uid, flags, keywords;
    uint32_t stored_bytes, wire_bytes;
    bool is_made, is_published;
    char base[MAILDIR_NAME_MAX + 8]; /* in tmp/ */
    char final[MAILDIR_NAME_MAX + 8];
} twin;

typedef struct copying {
    mailbox *m;
    box target;
    VEC(twin) twins;
    uint32_t keyword_map[KEYWORDS_MAX]; /* bit here to bits there */
    uint32_t first;
} copying;

/* Where a link is not to be had: another file system, too many links, somebody else's file. */
static int content_copy(int from, int dirfd, const char *path)
{
    char piece[8 * 1024];
    struct stat st;
    off_t offset = 0;
    size_t n = 1;
    int to = file_open_beneath(dirfd, path, O_WRONLY | O_CREAT | O_EXCL, MAIL_FILE_MODE);
    bool done = to >= 0 && fstat(from, &st) == 0;

    while (done && n) {
        done = file_pread_all(from, piece, sizeof piece, offset, &n) && file_write_all(to, (str){ piece, n });
        offset += (off_t)n;
    }
    const struct timespec times[2] = { { .tv_nsec = UTIME_NOW }, done ? st.st_mtim : (struct timespec){ 0 } };
    done = done && futimens(to, times) == 0 && fsync(to) == 0;
    int number = done ? 0 : errno;
    fd_close(&to);
    return number;
}

typedef struct twin_use_context {
    copying *c;
    twin *t;
} twin_use_context;

static int twin_use(box *b, const char *path, void *context)
{
    twin_use_context *u = context;
    char to[MAILDIR_NAME_MAX + 16];

    snprintf(to, sizeof to, "tmp/%s", u->t->base);
    if (linkat(b->dirfd, path, u->c->target.dirfd, to, 0) == 0)
        return 0;
    if (errno != EXDEV && errno != EMLINK && errno != EPERM)
        return errno;
    int from = file_open_beneath(b->dirfd, path, O_RDONLY | O_NONBLOCK, 0);
    int number = from < 0 ? errno : content_copy(from, u->c->target.dirfd, to);
    fd_close(&from);
    return number;
}

/* The target's bits for the names that are in use. */
static fault keywords_map(copying *c, uint32_t used)
{
    fault f = NO_FAULT;
    for (unsigned i = 0; i < KEYWORDS_MAX && !is_fault(f); i++) {
        str name = mailbox_keyword(c->m, i);
        if (used & 1u << i && name.n)
            f = keywords_bits(&c->target, &name, 1, true, &c->keyword_map[i]);
        if (f.kind == FAULT_REFUSED) /* the target has 26 others: the copy goes without */
            f = NO_FAULT;
    }
    return f;
}

static uint32_t keywords_mapped(const copying *c, uint32_t bits)
{
    uint32_t there = 0;
    for (unsigned i = 0; i < KEYWORDS_MAX; i++)
        there |= bits & 1u << i ? c->keyword_map[i] : 0;
    return there;
}

static fault twins_plan(copying *c, const uid_set *uids)
{
    message_info info[CHUNK];
    size_t n = 0;
    uint32_t used = 0;
    fault f = NO_FAULT;

    for (uint32_t from = 1; from; from = info[n - 1].uid + 1) {
        f = mailbox_read(c->m, uids, from, info, CHUNK, &n);
        if (is_fault(f) || n == 0)
            break;
        for (size_t i = 0; i < n; i++) {
            if (info[i].is_expunged)
                return fault_make(FAULT_REFUSED, "2.0", "a message was deleted");
            used |= info[i].keywords;
            *vec_add(&c->twins) = (twin){ .uid = info[i].uid,
                                          .flags = info[i].flags,
                                          .keywords = info[i].keywords,
                                          .stored_bytes = info[i].stored_bytes,
                                          .wire_bytes = info[i].wire_bytes };
        }
    }
    if (!is_fault(f))
        f = keywords_map(c, used);
    for (size_t i = 0; i < c->twins.n; i++)
        c->twins.p[i].keywords = keywords_mapped(c, c->twins.p[i].keywords);
    return f;
}

static fault twins_link(copying *c)
{
    fault f = NO_FAULT;
    for (size_t i = 0; i < c->twins.n && !is_fault(f); i++) {
        twin *t = &c->twins.p[i];
        buf base = buf_new(MAILDIR_NAME_MAX - 40), name = buf_new(MAILDIR_NAME_MAX);
        store_file_name(c->m->box.s, &base);
        base.max = MAILDIR_NAME_MAX;
        if (t->stored_bytes != SIZE_UNKNOWN && t->wire_bytes != SIZE_UNKNOWN)
            maildir_name_sizes(&base, t->stored_bytes, t->wire_bytes);
        maildir_name_write(buf_str(&base), STR_NONE, t->flags, t->keywords, &name);
        snprintf(t->base, sizeof t->base, "%s", buf_c(&base));
        snprintf(t->final, sizeof t->final, "cur/%s", buf_c(&name));
        buf_free(&base);
        buf_free(&name);
        f = message_at(&c->m->box, t->uid, twin_use, &(twin_use_context){ c, t });
        t->is_made = !is_fault(f);
    }
    return f;
}

static fault twin_publish(copying *c, box_writer *w, twin *t)
{
    char path[MAILDIR_NAME_MAX + 16];
    snprintf(path, sizeof path, "tmp/%s", t->base);
    if (!t->is_published && renameat(c->target.dirfd, path, c->target.dirfd, t->final) != 0)
        return disk_fault("copy a message");
    t->is_published = true;
    if (w->box.uidnext == UINT32_MAX)
        return fault_make(FAULT_REFUSED, "2.0", "the mailbox has no UIDs left");
    uint32_t uid = w->box.uidnext++;
    record r = { .keywords = t->keywords,
                 .stored_bytes = t->stored_bytes,
                 .wire_bytes = t->wire_bytes,
                 .flags = (uint16_t)t->flags };
    box_writer_put(w, uid, &r, true);
    box_writer_name(w, uid, str_from(str_c(t->final), 4));
    return NO_FAULT;
}

static fault twins_write(MDB_txn *t, void *context)
{
    copying *c = context;
    box_writer w;
    fault f = NO_FAULT;

    if (!box_writer_open(&w, t, c->target.id))
        f = box_is_gone();
    c->first = w.box.uidnext;
    for (size_t i = 0; i < c->twins.n && !is_fault(f); i++)
        f = twin_publish(c, &w, &c->twins.p[i]);
    if (!is_fault(f) && !folder_sync(c->target.dirfd, "cur"))
        f = disk_fault("sync the copies");
    int result = box_writer_finish(&w);
    return is_fault(f) ? f : env_fault(&c->m->box.s->index, result, "write");
}

static void twins_discard(copying *c)
{
    char path[MAILDIR_NAME_MAX + 16];
    for (size_t i = 0; i < c->twins.n; i++) {
        const twin *t = &c->twins.p[i];
        snprintf(path, sizeof path, "tmp/%s", t->base);
        if (t->is_made)
            unlinkat(c->target.dirfd, t->is_published ? t->final : path, 0);
    }
}

static fault copy_run(copying *c, const uid_set *uids)
{
    fault f = twins_plan(c, uids);
    if (is_fault(f) || c->twins.n == 0)
        return f;
    f = folder_make(c->target.dirfd, "tmp");
    if (!is_fault(f))
        f = twins_link(c);
    if (!is_fault(f))
        f = env_write(&c->m->box.s->index, twins_write, c);
    if (!is_fault(f))
        f = env_sync(&c->m->box.s->index);
    if (is_fault(f))
        twins_discard(c);
    return f;
}

fault mailbox_copy(mailbox *m, const uid_set *uids, str target, copy_result *out)
{
    copying c = { .m = m };
    *out = (copy_result){ 0 };
    fault f = box_open(m->box.s, target, &c.target);

    if (is_fault(f))
        return f;
    f = copy_run(&c, uids);
    if (!is_fault(f)) {
        out->uidvalidity = c.target.uidvalidity;
        for (size_t i = 0; i < c.twins.n; i++)
            uid_set_add(&out->from, c.twins.p[i].uid, c.twins.p[i].uid);
        if (c.twins.n)
            uid_set_add(&out->to, c.first, c.first + (uint32_t)c.twins.n - 1);
    }
    vec_free(&c.twins);
    box_close(&c.target);
    return f;
}

void copy_result_free(copy_result *r)
{
    uid_set_free(&r->from);
    uid_set_free(&r->to);
}
