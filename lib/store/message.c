#include "base/clock.h"
#include "os/fd.h"
#include "os/file.h"
#include "store/internal.h"
#include "store/wire.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 32 * 1024 };

typedef struct window { /* the chunk at hand */
    MDB_txn *txn;
    uint32_t id, number;
    bool is_set, is_end;
    record chunk[CHUNK];
} window;

static const record *window_get(window *w, uint32_t uid)
{
    static const record none;
    if (!w->is_end && (!w->is_set || w->number < uid / CHUNK)) {
        w->is_end = !index_chunk_next(w->txn, w->id, uid / CHUNK, &w->number, w->chunk);
        w->is_set = true;
    }
    return !w->is_end && w->number == uid / CHUNK ? &w->chunk[uid % CHUNK] : &none;
}

static void info_fill(const mailbox *m, uint32_t uid, const record *r, message_info *out)
{
    *out = (message_info){
        .uid = uid,
        .sequence = mailbox_sequence(m, uid),
        .flags = r->flags,
        .keywords = r->keywords,
        .modseq = r->modseq,
        .wire_bytes = r->wire_bytes,
        .stored_bytes = r->stored_bytes,
        .is_recent = uid_set_has(&m->recent, uid),
        .is_expunged = !(r->state & RECORD_PRESENT),
    };
    if (out->is_expunged)
        out->wire_bytes = out->stored_bytes = SIZE_UNKNOWN;
}

/* By leaps, so that "1:4294967295" costs no more than the messages that there are. */
static uint32_t next_of_both(const uid_set *a, const uid_set *b, uint32_t from)
{
    for (;;) {
        uint32_t uid = uid_set_next(a, from);
        from = uid_set_next(b, uid);
        if (uid == 0 || from == 0 || from == uid)
            return uid && from ? uid : 0;
    }
}

fault mailbox_read(mailbox *m, const uid_set *uids, uint32_t from, message_info *out, size_t max, size_t *n_out)
{
    window w = { .id = m->box.id };
    fault f = store_index(m->box.s);

    *n_out = 0;
    if (!is_fault(f))
        f = env_read(&m->box.s->index, &w.txn);
    if (is_fault(f))
        return f;
    for (uint32_t uid = from ? from : 1; *n_out < max && (uid = next_of_both(uids, &m->uids, uid)) != 0; uid++)
        info_fill(m, uid, window_get(&w, uid), &out[(*n_out)++]);
    env_read_end(&m->box.s->index);
    return NO_FAULT;
}

fault mailbox_first_unseen(mailbox *m, uint32_t *sequence_out)
{
    window w = { .id = m->box.id };
    box_state state;
    fault f = store_index(m->box.s);

    *sequence_out = 0;
    if (!is_fault(f))
        f = env_read(&m->box.s->index, &w.txn);
    if (is_fault(f))
        return f;
    bool has_unseen = index_box_get(w.txn, m->box.id, &state, NULL) && state.unseen;
    for (uint32_t uid = 1; has_unseen && (uid = uid_set_next(&m->uids, uid)) != 0; uid++) {
        const record *r = window_get(&w, uid);
        if ((r->state & RECORD_PRESENT) && !(r->flags & MESSAGE_SEEN)) {
            *sequence_out = mailbox_sequence(m, uid);
            break;
        }
    }
    env_read_end(&m->box.s->index);
    return NO_FAULT;
}

/* Its path as the index has it. */
static fault path_read(box *b, uint32_t uid, char path[MAILDIR_NAME_MAX + 8])
{
    MDB_txn *t;
    record r;
    str name;
    fault f = store_index(b->s);

    if (!is_fault(f))
        f = env_read(&b->s->index, &t);
    if (is_fault(f))
        return f;
    bool is_there = index_record_get(t, b->id, uid, &r) && index_name_get(t, b->id, uid, &name);
    if (is_there)
        snprintf(path, MAILDIR_NAME_MAX + 8, "%s%.*s", r.state & RECORD_IN_NEW ? "new/" : "cur/", STR_ARG(name));
    env_read_end(&b->s->index);
    return is_there ? NO_FAULT : fault_make(FAULT_REFUSED, "2.0", "the message was deleted");
}

fault message_at(box *b, uint32_t uid, int (*use)(box *b, const char *path, void *context), void *context)
{
    char path[MAILDIR_NAME_MAX + 8];

    for (unsigned tries = 0; tries < 3; tries++) {
        fault f = path_read(b, uid, path);
        if (is_fault(f))
            return f;
        int number = use(b, path, context);
        if (number == 0)
            return NO_FAULT;
        if (number != ENOENT) {
            errno = number;
            return disk_fault("use a message");
        }
        f = box_sync(b, NULL, true); /* somebody renamed or removed it */
        if (is_fault(f))
            return f;
    }
    return fault_make(FAULT_TRY_LATER, "2.0", "the message is being moved");
}

static int file_use(box *b, const char *path, void *context)
{
    message_file *out = context;
    struct stat st;

    out->fd = file_open_beneath(b->dirfd, path, O_RDONLY | O_NONBLOCK, 0);
    if (out->fd < 0)
        return errno;
    if (fstat(out->fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        fd_close(&out->fd);
        return EINVAL;
    }
    if (torn_set_aside(b->dirfd, path, out->fd, &st)) {
        fd_close(&out->fd);
        return ENOENT;
    }
    out->stored_bytes = (uint64_t)st.st_size;
    return 0;
}

fault mailbox_open_message(mailbox *m, uint32_t uid, message_file *out)
{
    *out = (message_file){ .fd = -1 };
    return message_at(&m->box, uid, file_use, out);
}

void message_close(message_file *f)
{
    fd_close(&f->fd);
}

static fault piece_read(message_file *f, char *piece, size_t *n)
{
    if (!file_pread_all(f->fd, piece, PIECE, (off_t)f->offset, n))
        return fault_errno("cannot read a message");
    f->offset += *n;
    return NO_FAULT;
}

fault message_next(message_file *f, buf *out, bool *is_end_out)
{
    char *piece = memory_resize(NULL, PIECE, 1); /* an idle worker's stack stays small */
    size_t n = 0;
    wire w = { .crs = f->ends_in_cr };
    fault bad = piece_read(f, piece, &n);

    *is_end_out = n < PIECE;
    if (!is_fault(bad) && !wire_to_wire(&w, (str){ piece, n }, out))
        bad = fault_make(FAULT_REFUSED, "3.4", "the message is too large");
    f->ends_in_cr = w.crs;
    free(piece);
    return bad;
}

fault mailbox_load(mailbox *m, uint32_t uid, buf *out)
{
    message_file file;
    bool is_end = false;
    fault f = mailbox_open_message(m, uid, &file);

    if (is_fault(f))
        return f;
    if (file.stored_bytes < out->max)
        (void)buf_reserve(out, (size_t)file.stored_bytes + (size_t)file.stored_bytes / 32);
    out->overflow = false; /* the estimate may have been above the maximum; the content decides */
    while (!is_end && !is_fault(f))
        f = message_next(&file, out, &is_end);
    message_close(&file);
    return f;
}

static fault wire_bytes_count(message_file *file, uint32_t *out)
{
    char *piece = memory_resize(NULL, PIECE, 1);
    wire w = { 0 };
    size_t n = PIECE;
    fault f = NO_FAULT;

    while (!is_fault(f) && n == PIECE) {
        f = piece_read(file, piece, &n);
        if (!is_fault(f))
            wire_count(&w, (str){ piece, n });
    }
    free(piece);
    *out = w.wire_bytes < SIZE_UNKNOWN ? (uint32_t)w.wire_bytes : SIZE_UNKNOWN - 1;
    return f;
}

fault mailbox_size(mailbox *m, uint32_t uid, uint32_t *wire_bytes_out)
{
    message_info info = { .wire_bytes = SIZE_UNKNOWN };
    message_file file;
    learned known;
    size_t n;
    uid_range one = { uid, uid };
    fault f = mailbox_read(m, &(uid_set){ &one, 1, 1 }, uid, &info, 1, &n);

    if (is_fault(f))
        return f;
    if (info.wire_bytes == SIZE_UNKNOWN && learned_find(m->box.s, m->box.id, uid, &known))
        info.wire_bytes = known.wire_bytes;
    *wire_bytes_out = info.wire_bytes;
    if (info.wire_bytes != SIZE_UNKNOWN)
        return NO_FAULT;
    f = mailbox_open_message(m, uid, &file);
    if (is_fault(f))
        return f;
    f = wire_bytes_count(&file, wire_bytes_out);
    message_close(&file);
    if (!is_fault(f))
        learned_add(m->box.s, (learned){ m->box.id, uid, 0, (uint32_t)file.offset, *wire_bytes_out });
    return f;
}

static int date_use(box *b, const char *path, void *context)
{
    int64_t *out = context;
    struct stat st;
    if (fstatat(b->dirfd, path, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return errno;
    *out = st.st_mtim.tv_sec;
    return 0;
}

fault mailbox_date(mailbox *m, uint32_t uid, int64_t *date_s_out)
{
    MDB_txn *t;
    record r = { 0 };
    learned known;
    fault f = store_index(m->box.s);

    if (!is_fault(f))
        f = env_read(&m->box.s->index, &t);
    if (is_fault(f))
        return f;
    bool is_there = index_record_get(t, m->box.id, uid, &r);
    env_read_end(&m->box.s->index);
    if (is_there && r.date_s) {
        *date_s_out = r.date_s;
        return NO_FAULT;
    }
    if (learned_find(m->box.s, m->box.id, uid, &known) && known.date_s) {
        *date_s_out = known.date_s;
        return NO_FAULT;
    }
    f = message_at(&m->box, uid, date_use, date_s_out);
    if (!is_fault(f) && *date_s_out > 0 && *date_s_out < UINT32_MAX)
        learned_add(m->box.s, (learned){ m->box.id, uid, (uint32_t)*date_s_out, SIZE_UNKNOWN, SIZE_UNKNOWN });
    return f;
}

void mailbox_uidl(const mailbox *m, uint32_t uid, char out[17])
{
    snprintf(out, 17, "%08x%08x", uid, m->box.uidvalidity);
}

static int ahead_use(box *b, const char *path, void *context)
{
    int fd = file_open_beneath(b->dirfd, path, O_RDONLY | O_NONBLOCK, 0);
    (void)context;
    if (fd >= 0)
        posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED);
    fd_close(&fd);
    return 0;
}

void mailbox_read_ahead(mailbox *m, const uid_set *uids, uint32_t from, unsigned count)
{
    for (uint32_t uid = from ? from : 1; count-- && (uid = uid_set_next(uids, uid)) != 0; uid++)
        (void)message_at(&m->box, uid, ahead_use, NULL);
}
