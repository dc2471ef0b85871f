#include "base/log.h"
#include "os/fd.h"
#include "os/file.h"
#include "os/file_sync.h"
#include "store/internal.h"
#include "store/wire.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* A large message is written in blocks that begin where its own size divides the offset: a file system keeps such a block in one
 * piece, which costs less than its pages one by one. */
enum { BLOCK_BYTES = 256 * 1024, PIECE_BYTES = 16 * 1024, NAME_BYTES = MAILDIR_NAME_MAX + 1 };

typedef struct item { /* a message of the batch */
    size_t target;
    int fd;
    unsigned flags;
    uint32_t keywords; /* delivery_append: bits in the target */
    uint32_t stored_bytes, wire_bytes;
    bool is_published;          /* stands under its final name */
    char base[NAME_BYTES];      /* without sizes: its name in tmp/ */
    char final[NAME_BYTES + 8]; /* "new/…" or "cur/…" */
} item;

typedef struct target {
    str name; /* as the caller gave it; owned */
    int dirfd;
} target;

struct delivery {
    store *s;
    VEC(item) items;
    VEC(target) targets;
    bool is_open; /* the last item is being written */
    int64_t date_s;
    wire lines;
    buf out;
};

delivery *delivery_new(store *s)
{
    delivery *d = memory_get(sizeof *d);
    d->s = s;
    d->out = buf_new(BLOCK_BYTES + 2 * PIECE_BYTES);
    return d;
}

size_t delivery_count(const delivery *d)
{
    return d->items.n - d->is_open;
}

static str own(str s)
{
    char *p = memory_get(s.n + 1);
    if (s.n)
        memcpy(p, s.p, s.n);
    return (str){ p, s.n };
}

static fault target_find(delivery *d, str name, size_t *out)
{
    for (*out = 0; *out < d->targets.n; ++*out)
        if (str_equal(d->targets.p[*out].name, name))
            return NO_FAULT;
    int dirfd;
    fault f = folder_open(d->s, name, &dirfd);
    if (!is_fault(f))
        *vec_add(&d->targets) = (target){ own(name), dirfd };
    return f;
}

static int item_dir(const delivery *d, const item *i)
{
    return d->targets.p[i->target].dirfd;
}

static int item_create(delivery *d, item *i)
{
    char path[NAME_BYTES + 8];
    buf base = buf_new(MAILDIR_NAME_MAX - 40); /* leaves room for sizes and flags */

    store_file_name(d->s, &base);
    snprintf(i->base, sizeof i->base, "%s", buf_c(&base));
    buf_free(&base);
    snprintf(path, sizeof path, "tmp/%s", i->base);
    return file_open_beneath(item_dir(d, i), path, O_WRONLY | O_CREAT | O_EXCL, MAIL_FILE_MODE);
}

static fault keywords_set(delivery *d, item *i, const message_options *o)
{
    box b;
    fault f = box_open(d->s, d->targets.p[i->target].name, &b);
    if (is_fault(f))
        return f;
    f = keywords_bits(&b, o->keywords, o->n_keywords, true, &i->keywords);
    box_close(&b);
    return f;
}

fault delivery_begin(delivery *d, str mailbox_name, const message_options *options)
{
    item i = { .fd = -1 };
    fault f = target_find(d, mailbox_name, &i.target);

    d->date_s = options ? options->date_s : 0;
    i.flags = options ? options->flags & MESSAGE_FLAGS_ALL : 0;
    if (!is_fault(f) && options && options->n_keywords)
        f = keywords_set(d, &i, options);
    if (is_fault(f))
        return f;
    i.fd = item_create(d, &i);
    if (i.fd < 0 && errno == ENOENT && !is_fault(folder_make(item_dir(d, &i), "tmp")))
        i.fd = item_create(d, &i);
    if (i.fd < 0)
        return disk_fault("create a message");
    *vec_add(&d->items) = i;
    d->is_open = true;
    d->lines = (wire){ 0 };
    buf_clear(&d->out);
    return NO_FAULT;
}

static item *current(delivery *d)
{
    return &d->items.p[d->items.n - 1];
}

static fault out_flush(delivery *d, size_t n)
{
    if (!file_write_all(current(d)->fd, str_upto(buf_str(&d->out), n))) {
        fault f = disk_fault("write a message");
        delivery_cancel(d);
        return f;
    }
    current(d)->stored_bytes += (uint32_t)n;
    buf_consume(&d->out, n);
    return NO_FAULT;
}

/* Its disk begins with each block at once. */
static fault block_flush(delivery *d)
{
    size_t from = current(d)->stored_bytes;
    fault f = out_flush(d, BLOCK_BYTES);
    if (!is_fault(f))
        file_sync_begin(current(d)->fd, from, BLOCK_BYTES);
    return f;
}

fault delivery_write(delivery *d, str bytes)
{
    fault f = NO_FAULT;
    while (bytes.n && !is_fault(f)) {
        str piece = str_upto(bytes, PIECE_BYTES);
        bytes = str_from(bytes, piece.n);
        if (d->lines.wire_bytes > INT32_MAX) {
            delivery_cancel(d);
            return fault_make(FAULT_REFUSED, "3.4", "the message is too large");
        }
        (void)wire_to_stored(&d->lines, piece, &d->out);
        if (d->out.n >= BLOCK_BYTES)
            f = block_flush(d);
    }
    return f;
}

fault delivery_copy(delivery *d, int fd, uint64_t offset, uint64_t bytes)
{
    char piece[8 * 1024];
    fault f = NO_FAULT;

    while (bytes && !is_fault(f)) {
        size_t wanted = bytes < sizeof piece ? (size_t)bytes : sizeof piece, n;
        if (!file_pread_all(fd, piece, wanted, (off_t)offset, &n))
            f = fault_errno("cannot read a message");
        else if (n != wanted)
            f = fault_make(FAULT_TRY_LATER, "3.0", "a message is cut off");
        if (is_fault(f))
            delivery_cancel(d);
        else
            f = delivery_write(d, (str){ piece, n });
        offset += n;
        bytes -= n;
    }
    return f;
}

/* With flags it goes to cur/: new/ has no place for them. Appended messages do too. */
static void name_final(item *i, bool is_append)
{
    buf base = buf_new(MAILDIR_NAME_MAX), name = buf_new(MAILDIR_NAME_MAX);

    buf_append(&base, str_c(i->base));
    maildir_name_sizes(&base, i->stored_bytes, i->wire_bytes);
    if (is_append || i->flags) {
        maildir_name_write(buf_str(&base), STR_NONE, i->flags, i->keywords, &name);
        snprintf(i->final, sizeof i->final, "cur/%s", buf_c(&name));
    } else {
        snprintf(i->final, sizeof i->final, "new/%s", buf_c(&base));
    }
    buf_free(&base);
    buf_free(&name);
}

fault delivery_end(delivery *d)
{
    (void)wire_to_stored_end(&d->lines, &d->out);
    fault f = out_flush(d, d->out.n);
    if (is_fault(f))
        return f;
    item *i = current(d);
    i->wire_bytes = (uint32_t)d->lines.wire_bytes;
    const struct timespec times[2] = { { .tv_nsec = UTIME_NOW }, { .tv_sec = (time_t)d->date_s } };
    if (d->date_s && futimens(i->fd, times) != 0) {
        f = fault_errno("cannot set the date of a message");
        delivery_cancel(d);
        return f;
    }
    d->is_open = false;
    return NO_FAULT;
}

/* Gone from the disk, wherever it stands. */
static void item_discard(delivery *d, item *i)
{
    char path[NAME_BYTES + 8];
    snprintf(path, sizeof path, "tmp/%s", i->base);
    unlinkat(item_dir(d, i), i->is_published ? i->final : path, 0);
    fd_close(&i->fd);
}

void delivery_cancel(delivery *d)
{
    if (!d->is_open)
        return;
    item_discard(d, current(d));
    d->items.n--;
    d->is_open = false;
}

static fault item_publish(delivery *d, item *i, bool is_append)
{
    char path[NAME_BYTES + 8];

    if (i->is_published)
        return NO_FAULT;
    name_final(i, is_append);
    snprintf(path, sizeof path, "tmp/%s", i->base);
    if (renameat(item_dir(d, i), path, item_dir(d, i), i->final) != 0)
        return disk_fault("store a message");
    i->is_published = true;
    return NO_FAULT;
}

static void batch_clear(delivery *d)
{
    d->items.n = 0;
    d->is_open = false;
}

void delivery_commit(delivery *d, fault *results)
{
    delivery_cancel(d);
    for (size_t n = 0; n < d->items.n; n++)
        results[n] = item_publish(d, &d->items.p[n], false);
    file_sync *syncs = memory_get((d->items.n + 1) * sizeof *syncs);
    for (size_t n = 0; n < d->items.n; n++)
        syncs[n].fd = is_fault(results[n]) ? -1 : d->items.p[n].fd;
    file_sync_all(syncs, d->items.n); /* the renames are durable with it (HOSTILE.md, power cut) */
    for (size_t n = 0; n < d->items.n; n++) {
        item *i = &d->items.p[n];
        if (!is_fault(results[n]) && (errno = syncs[n].error) != 0)
            results[n] = disk_fault("sync a message");
        if (is_fault(results[n]))
            item_discard(d, i);
        fd_close(&i->fd);
    }
    free(syncs);
    batch_clear(d);
}

typedef struct append {
    delivery *d;
    box b;
    uint32_t first;
} append;

static fault append_item(append *a, box_writer *w, item *i)
{
    fault f = item_publish(a->d, i, true);
    if (is_fault(f))
        return f;
    if (fsync(i->fd) != 0)
        return disk_fault("sync a message");
    if (w->box.uidnext == UINT32_MAX)
        return fault_make(FAULT_REFUSED, "2.0", "the mailbox has no UIDs left");
    uint32_t uid = w->box.uidnext++;
    record r = {
        .keywords = i->keywords,
        .date_s = 0,
        .stored_bytes = i->stored_bytes,
        .wire_bytes = i->wire_bytes,
        .flags = (uint16_t)i->flags,
    };
    box_writer_put(w, uid, &r, true);
    box_writer_name(w, uid, str_from(str_c(i->final), 4));
    return NO_FAULT;
}

/* Renames and UIDs in one transaction: no other process meets the files without their UIDs. */
static fault append_write(MDB_txn *t, void *context)
{
    append *a = context;
    box_writer w;
    fault f = NO_FAULT;

    if (!box_writer_open(&w, t, a->b.id))
        f = box_is_gone();
    a->first = w.box.uidnext;
    for (size_t n = 0; n < a->d->items.n && !is_fault(f); n++)
        f = append_item(a, &w, &a->d->items.p[n]);
    int result = box_writer_finish(&w);
    return is_fault(f) ? f : env_fault(&a->b.s->index, result, "write");
}

fault delivery_append(delivery *d, uint32_t *uidvalidity_out, uint32_t *first_out)
{
    append a = { .d = d };

    delivery_cancel(d);
    if (d->items.n == 0)
        return fault_make(FAULT_BUG, "3.0", "an empty batch was appended");
    fault f = box_open(d->s, d->targets.p[d->items.p[0].target].name, &a.b);
    if (!is_fault(f))
        f = env_write(&d->s->index, append_write, &a);
    if (!is_fault(f))
        f = env_sync(&d->s->index);
    for (size_t n = 0; n < d->items.n; n++) {
        if (is_fault(f))
            item_discard(d, &d->items.p[n]);
        fd_close(&d->items.p[n].fd);
    }
    batch_clear(d);
    *uidvalidity_out = a.b.uidvalidity;
    *first_out = a.first;
    box_close(&a.b);
    return f;
}

void delivery_free(delivery *d)
{
    if (d == NULL)
        return;
    delivery_cancel(d);
    for (size_t n = 0; n < d->items.n; n++)
        item_discard(d, &d->items.p[n]);
    for (size_t n = 0; n < d->targets.n; n++) {
        fd_close(&d->targets.p[n].dirfd);
        free((char *)(uintptr_t)d->targets.p[n].name.p);
    }
    vec_free(&d->items);
    vec_free(&d->targets);
    buf_free(&d->out);
    free(d);
}
