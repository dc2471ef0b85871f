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
#include <string.h>
#include <unistd.h>

enum { LOOK_MS = 2000, AGAIN_MAX_S = 60, PIECE = 64 * 1024, WAITING_MAX = 1000 };

static void begin(pickup *p, peer *cleanup)
{
    cleanup_begin m = { .expected_bytes = p->parcel.message.head.checked_bytes };
    p->parcel.cleanup = cleanup;
    p->parcel.ref++;
    daemon_session_opened(p->process); /* one that leaves waits for the answer, or the message is brought twice */
    channel_put(&cleanup->channel, CLEANUP_BEGIN, p->parcel.ref, cleanup_begin, &m);
}

static void strange_name(pickup *p, const char *name)
{
    if (!strstr(name, ".refused") && !parcel_is_strange(p, name))
        log_event(LOG_WARNING, "drop-skipped", LOG_C("name", name), LOG_C("reason", "not a name of ours"));
}

/* It is in the queue. A file that cannot be removed now would come again, and again: its name is kept, and tried at each look. */
static void take_away(pickup *p, const char *name)
{
    if (unlinkat(p->drop_fd, name, 0) == 0 || errno == ENOENT) {
        map_remove(&p->brought_names, str_c(name));
        p->brought++;
    } else if (map_put(&p->brought_names, str_c(name), p) == NULL) {
        log_event(LOG_ERROR, "drop-not-removed", LOG_C("name", name), LOG_C("reason", strerror(errno)));
    }
}

static bool find_one(pickup *p, DIR *d)
{
    struct dirent *e;
    while ((e = readdir(d)) != NULL) {
        if (e->d_name[0] == '.')
            continue;
        if (!drop_name_is_valid(e->d_name))
            strange_name(p, e->d_name);
        else if (map_get(&p->brought_names, str_c(e->d_name)))
            take_away(p, e->d_name);
        else if (map_get(&p->waiting, str_c(e->d_name)) == NULL && parcel_open(p, e->d_name, &p->parcel))
            return true;
    }
    return false;
}

static void parcel_over(pickup *p)
{
    parcel_close(&p->parcel);
    daemon_session_closed(p->process);
}

/* Until what could not be brought is tried again. */
static uint64_t again_ms(const pickup *p)
{
    uint64_t least = daemon_config(p->process)->minimal_backoff_time;
    return (least < AGAIN_MAX_S ? least : AGAIN_MAX_S) * 1000;
}

/* One that cannot be brought now does not keep the others. */
static void wait_again(pickup *p)
{
    map_put(&p->waiting, str_c(p->parcel.name), p);
    parcel_over(p);
    timer_set(&p->look, p->waiting.n < WAITING_MAX ? 0 : again_ms(p));
}

/* Whatever waits has its next turn after a while. */
static void nothing_found(pickup *p)
{
    if (p->waiting.n == 0)
        return;
    map_free(&p->waiting);
    timer_set(&p->look, again_ms(p));
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
    bool is_found = p->waiting.n < WAITING_MAX && find_one(p, d);
    p->parcel.ref = ref;
    if (is_found)
        begin(p, cleanup);
    else
        nothing_found(p);
    closedir(d);
}

static fault content_copy(const parcel *k, int to, uint32_t *sum)
{
    static char bytes[PIECE];
    uint64_t left = k->message.head.checked_bytes, at = queue_content_start(&k->message.head);
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
    envelope e = { .reverse_path = from->reverse_path,
                   .session = STR("pickup"),
                   .protocol = STR("local"),
                   .login = str_c(login),
                   .envelope_id = from->envelope_id,
                   .returns = from->returns,
                   .verp = from->verp,
                   .flags = (from->flags & (ENVELOPE_8BIT | ENVELOPE_UTF8)) | ENVELOPE_SUBMITTED };
    channel_put(c, CLEANUP_ENVELOPE, k->ref, envelope, &e);
    for (uint32_t i = 0; i < k->message.head.recipient_count; i++) {
        const envelope_recipient *r = &k->message.recipients[i];
        envelope_recipient to = {
            .address = r->address, .original = r->original, .orcpt = r->orcpt, .notify = r->notify
        };
        channel_put(c, CLEANUP_RECIPIENT, k->ref, envelope_recipient, &to);
    }
    cleanup_commit m = { .content_bytes = k->message.head.checked_bytes,
                         .content_checksum = sum,
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
    wait_again(p);
    return true;
}

static bool on_done(void *context, channel *ch, received *r)
{
    peer *from = context;
    pickup *p = from->daemon->state;
    cleanup_done m;
    char reason[200];
    (void)ch;
    if (cleanup_done_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    if (p->parcel.cleanup != from || r->ref != p->parcel.ref)
        return true;
    if (m.outcome != FAULT_NONE && m.outcome != FAULT_REFUSED) {
        wait_again(p);
        return true;
    }
    snprintf(reason, sizeof reason, "%.*s", STR_ARG(m.reason));
    if (m.outcome == FAULT_REFUSED)
        parcel_set_aside(p, p->parcel.name, p->parcel.uid, reason);
    else
        take_away(p, p->parcel.name);
    parcel_over(p);
    timer_set(&p->look, 0);
    return true;
}

static const talk_row rows[] = { { CLEANUP_READY, 1, 1, on_ready }, { CLEANUP_DONE, 0, 0, on_done } };
const talk cleanup_talk = { "pickup-cleanup", rows, COUNT_OF(rows), NULL };

/* Not known whether it was committed: it is brought again, which may make two of it, never none; behind the others, as it may be
 * what cleanup cannot bear. */
void bring_lost(peer *peer_lost)
{
    pickup *p = peer_lost->daemon->state;
    if (p->parcel.cleanup != peer_lost)
        return;
    wait_again(p);
}
