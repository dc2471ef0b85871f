/* One message after the other: begin, copy the content, envelope, commit; removed when it is durable in the queue. Runs in:
 * pickup. */
#include "base/checksum.h"
#include "base/log.h"
#include "ipc/talk/cleanup.h"
#include "os/file.h"
#include "pickup/pickup.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { LOOK_MS = 2000, AGAIN_MS = 60000, PIECE = 64 * 1024 };

static bool is_refused(const char *name)
{
    return strstr(name, ".refused") != NULL;
}

static void begin(pickup *p, peer *cleanup)
{
    cleanup_begin m = { .expected_bytes = p->parcel.message.head.checked_bytes };
    p->parcel.cleanup = cleanup;
    p->parcel.ref++;
    channel_put(&cleanup->channel, CLEANUP_BEGIN, p->parcel.ref, cleanup_begin, &m);
}

static bool find_one(pickup *p, DIR *d)
{
    struct dirent *e;
    while ((e = readdir(d)) != NULL) {
        if (e->d_name[0] == '.' || is_refused(e->d_name))
            continue;
        if (!drop_name_is_valid(e->d_name))
            log_event(LOG_WARNING, "drop-skipped", LOG_C("name", e->d_name), LOG_C("reason", "not a name of ours"));
        else if (parcel_open(p, e->d_name, &p->parcel))
            return true;
    }
    return false;
}

void bring_next(void *context)
{
    pickup *p = context;
    peer *cleanup = daemon_peer(p->process, "cleanup");
    timer_set(&p->look, LOOK_MS);
    if (p->parcel.cleanup || cleanup == NULL || p->process->is_draining)
        return;
    int fd = openat(p->drop_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (d == NULL) {
        log_fault(LOG_ERROR, "drop-unreadable", fault_errno("read the drop folder"));
        return;
    }
    uint32_t ref = p->parcel.ref;
    if (find_one(p, d)) {
        p->parcel.ref = ref;
        begin(p, cleanup);
    }
    closedir(d);
}

static fault content_copy(const parcel *k, int to, uint32_t *sum)
{
    static char bytes[PIECE];
    uint64_t left = k->message.head.checked_bytes, at = QUEUE_CONTENT_START;
    *sum = 0;
    while (left > 0) {
        ssize_t n = pread(k->fd, bytes, left < PIECE ? (size_t)left : PIECE, (off_t)at);
        if (n <= 0)
            return fault_errno("read the dropped message");
        if (!file_write_all(to, (str){ bytes, (size_t)n }))
            return fault_errno("copy the dropped message");
        *sum = checksum(*sum, (str){ bytes, (size_t)n });
        at += (uint64_t)n;
        left -= (uint64_t)n;
    }
    return NO_FAULT;
}

/* What the file says of itself is believed as far as sendmail's user may choose it: the addresses and the DSN wishes. */
static void envelope_put(const parcel *k, channel *c, uint32_t sum)
{
    char login[24];
    const envelope *from = &k->message.envelope;
    snprintf(login, sizeof login, "uid:%u", (unsigned)k->uid);
    envelope e = { .reverse_path = from->reverse_path, .session = STR("pickup"), .protocol = STR("local"),
                   .login = str_c(login), .envelope_id = from->envelope_id, .returns = from->returns,
                   .flags = (from->flags & (ENVELOPE_8BIT | ENVELOPE_UTF8)) | ENVELOPE_SUBMITTED };
    channel_put(c, CLEANUP_ENVELOPE, k->ref, envelope, &e);
    for (uint32_t i = 0; i < k->message.head.recipient_count; i++) {
        const envelope_recipient *r = &k->message.recipients[i];
        envelope_recipient to = { .address = r->address, .original = r->original, .orcpt = r->orcpt, .notify = r->notify };
        channel_put(c, CLEANUP_RECIPIENT, k->ref, envelope_recipient, &to);
    }
    cleanup_commit m = { .content_bytes = k->message.head.checked_bytes, .content_checksum = sum,
                         .recipient_count = k->message.head.recipient_count };
    channel_put(c, CLEANUP_COMMIT, k->ref, cleanup_commit, &m);
}

static bool on_ready(void *context, channel *ch, received *r)
{
    peer *from = context;
    pickup *p = from->daemon->state;
    cleanup_ready m;
    uint32_t sum;
    if (cleanup_ready_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    if (p->parcel.cleanup != from || r->ref != p->parcel.ref)
        return true;
    fault f = content_copy(&p->parcel, r->fds[0], &sum);
    if (!is_fault(f)) {
        envelope_put(&p->parcel, ch, sum);
        return true;
    }
    cleanup_begin none = { 0 };
    log_fault(LOG_ERROR, "drop-waits", f);
    channel_put(ch, CLEANUP_ABORT, p->parcel.ref, cleanup_begin, &none);
    parcel_close(&p->parcel);
    timer_set(&p->look, AGAIN_MS);
    return true;
}

/* Kept under another name, never thrown away: its user was told that it is on its way. */
static void set_aside(const pickup *p, const char *reason)
{
    char name[DROP_NAME_CHARS + 16];
    snprintf(name, sizeof name, "%s.refused", p->parcel.name);
    log_event(LOG_ERROR, "drop-refused", LOG_C("name", p->parcel.name), LOG_NUM("uid", p->parcel.uid),
              LOG_C("reason", reason));
    renameat(p->drop_fd, p->parcel.name, p->drop_fd, name);
}

static bool on_done(void *context, channel *ch, received *r)
{
    peer *from = context;
    pickup *p = from->daemon->state;
    cleanup_done m;
    uint64_t again = 0;
    (void)ch;
    if (cleanup_done_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    if (p->parcel.cleanup != from || r->ref != p->parcel.ref)
        return true;
    if (m.outcome == FAULT_NONE) {
        p->brought++;
        unlinkat(p->drop_fd, p->parcel.name, 0);
    } else if (m.outcome == FAULT_REFUSED) {
        char reason[200];
        snprintf(reason, sizeof reason, "%.*s", STR_ARG(m.reason));
        p->refused++;
        set_aside(p, reason);
    } else {
        again = AGAIN_MS;
    }
    parcel_close(&p->parcel);
    timer_set(&p->look, again);
    return true;
}

static const talk_row rows[] = { { CLEANUP_READY, 1, 1, on_ready }, { CLEANUP_DONE, 0, 0, on_done } };
const talk cleanup_talk = { "pickup-cleanup", rows, COUNT_OF(rows), NULL };

/* Not known whether it was committed: it is brought again, which may make two of it, never none. */
void bring_lost(peer *peer_lost)
{
    pickup *p = peer_lost->daemon->state;
    if (p->parcel.cleanup != peer_lost)
        return;
    parcel_close(&p->parcel);
    timer_set(&p->look, 100);
}
