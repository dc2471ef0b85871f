/* One message on its way into the queue, up to its end mark. Runs in: cleanup. */
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "cleanup/cleanup.h"
#include "os/fd.h"
#include "queue/file.h"
#include "queue/id.h"
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { INTAKE_BYTES_MAX = 16 * 1024 * 1024 }; /* of recipients without a route */

intake *intake_new(bringer *b, uint32_t ref, intake_state state)
{
    intake *i = memory_get(sizeof *i);
    *i = (intake){ .bringer = b,
                   .ref = ref,
                   .state = state,
                   .file = { .read_write = -1, .write_only = -1 },
                   .memory = -1,
                   .records = buf_new(QUEUE_ENVELOPE_MAX),
                   .arena = arena_new(INTAKE_BYTES_MAX),
                   .next = b->cleanup->intakes };
    b->cleanup->intakes = i;
    b->cleanup->intake_count++;
    b->open++;
    daemon_session_opened(b->cleanup->process);
    return i;
}

intake *intake_find(bringer *b, uint32_t ref)
{
    for (intake *i = b->cleanup->intakes; i; i = i->next)
        if (i->bringer == b && i->ref == ref)
            return i;
    return NULL;
}

intake *intake_by_id(cleanup *c, uint64_t id)
{
    for (intake *i = c->intakes; i; i = i->next)
        if (i->file.id == id && i->state != INTAKE_WAITING)
            return i;
    return NULL;
}

intake *intake_of_qmgr(const peer *from, uint64_t id)
{
    intake *i = intake_by_id(from->daemon->state, id);
    return i && i->file.qmgr == from ? i : NULL;
}

bool intake_read(const peer *from, const received *r, intake **out)
{
    queue_file m;
    if (queue_file_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    *out = intake_of_qmgr(from, m.queue_id);
    return true;
}

static void intake_free(intake *i)
{
    cleanup *c = i->bringer->cleanup;
    intake **at = &c->intakes;
    while (*at != i)
        at = &(*at)->next;
    *at = i->next;
    c->intake_count--;
    i->bringer->open--;
    resolve_forget(i);
    offer_end(i);
    blank_close(&i->file);
    fd_close(&i->memory);
    buf_free(&i->records);
    buf_free(&i->header);
    buf_free(&i->trace);
    map_free(&i->seen);
    map_free(&i->line_of);
    vec_free(&i->brought);
    vec_free(&i->originals);
    vec_free(&i->lines);
    vec_free(&i->bcc);
    vec_free(&i->numbers);
    vec_free(&i->places);
    arena_free(&i->arena);
    free(i);
    daemon_session_closed(c->process);
}

/* What was refused is not delivered, even if qmgr ends before it hears of it and another one finds the file in the queue. */
void intake_drop(intake *i)
{
    bool has_file = i->file.read_write >= 0 && !i->file.is_in_memory;
    if (has_file && i->state == INTAKE_COMMITTING && ftruncate(i->file.read_write, 0) != 0)
        log_fault(LOG_ERROR, "not-emptied", fault_errno("empty the queue file"));
    blank_tell(&i->file, QUEUE_DROP);
    intake_free(i);
}

void intake_end(intake *i, fault outcome)
{
    cleanup_done m = {
        .queue_id = i->file.id,
        .outcome = outcome.kind,
        .status = str_c(outcome.status),
        .reason = str_c(outcome.text),
    };
    channel_put(i->bringer->channel, CLEANUP_DONE, i->ref, cleanup_done, &m);
    if (is_fault(outcome)) {
        log_event(LOG_WARNING, "not-queued", LOG_C("id", queue_id_text(i->file.id).text),
                  LOG_STR("session", i->envelope.session), LOG_C("reason", outcome.text));
        intake_drop(i);
    } else {
        intake_free(i);
    }
}

void intake_discard(intake *i)
{
    cleanup_done m = { .queue_id = i->file.id, .outcome = FAULT_NONE };
    channel_put(i->bringer->channel, CLEANUP_DONE, i->ref, cleanup_done, &m);
    log_event(LOG_INFO, "discarded", LOG_C("id", queue_id_text(i->file.id).text),
              LOG_STR("session", i->envelope.session), LOG_STR("from", i->envelope.reverse_path),
              LOG_C("reason", "a content check said DISCARD"));
    intake_drop(i);
}

static void intake_ready(intake *i)
{
    cleanup_ready m = { .queue_id = i->file.id };
    i->state = INTAKE_OPEN;
    channel_put_fds(i->bringer->channel, CLEANUP_READY, i->ref, cleanup_ready, &m, &i->file.write_only, 1);
    i->file.write_only = -1;
}

static void enclosed_start(intake *i)
{
    if (i->file.read_write < 0)
        i->problem = fault_errno("make a file in memory");
    rewrite_start(i);
}

void intake_serve(cleanup *c, fault full)
{
    for (intake *i = c->intakes, *next; i; i = next) {
        next = i->next;
        if (i->state != INTAKE_WAITING)
            continue;
        if (stock_take(c, !i->is_enclosed, &i->file))
            (i->is_enclosed ? enclosed_start : intake_ready)(i);
        else if (is_fault(full))
            intake_end(i, full);
        else if (daemon_peer(c->process, "qmgr") == NULL)
            intake_end(i, fault_make(FAULT_TRY_LATER, "3.0", "Queue manager is not there"));
    }
    if (!is_fault(full))
        stock_refill(c);
}

void intake_start(intake *i)
{
    i->state = INTAKE_WAITING;
    intake_serve(i->bringer->cleanup, NO_FAULT);
}

/* The same address in another case is the same recipient. */
static bool fold_append(buf *out, str s)
{
    bool fits = true;
    for (size_t i = 0; i < s.n && fits; i++)
        fits = buf_append_char(out, s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] - 'A' + 'a') : s.p[i]);
    return fits;
}

/* What a user forwards reaches each mailbox once, by whatever names he listed it; his own with a backslash or without. */
static bool key_append(const intake *i, const envelope_recipient *r, buf *out)
{
    str nexthop = r->nexthop, address = r->address, forwarders = i->envelope.forwarders;
    if (forwarders.n && str_equal(r->transport, STR("local"))) {
        str name = str_from(nexthop, nexthop.p[0] == '\\');
        nexthop = envelope_has_forwarder(forwarders, name) ? name : nexthop;
        address = str_upto(address, str_find_last(address, '@'));
    }
    return buf_append(out, r->transport) && buf_append_char(out, '\0') && buf_append(out, nexthop) &&
           buf_append_char(out, '\0') && fold_append(out, address);
}

uint32_t intake_add_recipient(intake *i, const envelope_recipient *r)
{
    buf key = buf_new(4096);
    bool fits = key_append(i, r, &key);
    uintptr_t number = (uintptr_t)map_get(&i->seen, buf_str(&key));
    bool is_new = fits && number == 0;
    if (is_new) {
        number = ++i->recipient_count;
        map_put(&i->seen, buf_str(&key), (void *)number);
    }
    buf_free(&key);
    if (i->first_recipient.p == NULL)
        i->first_recipient = arena_copy(&i->arena, r->address);
    i->goes_elsewhere = i->goes_elsewhere || !str_equal(r->transport, STR("local"));
    if (!fits || (is_new && !queue_records_recipient(&i->records, r)))
        i->problem = fault_make(FAULT_REFUSED, "5.3", "Too many recipients");
    return (uint32_t)number - 1;
}

void recipients_clear(intake *i)
{
    buf_clear(&i->records);
    map_free(&i->seen);
    i->seen = (map){ 0 };
    i->recipient_count = 0;
    i->goes_elsewhere = false;
    i->brought.n = i->numbers.n = i->places.n = 0;
}

/* A bringer that died or lies is noticed here. */
fault intake_content_check(const intake *i)
{
    struct stat st;
    const config *c = daemon_config(i->bringer->cleanup->process);
    if (i->is_enclosed)
        return NO_FAULT;
    if (fstat(i->file.read_write, &st) != 0)
        return fault_errno("stat the queue file");
    uint64_t there = st.st_size > QUEUE_CONTENT_START ? (uint64_t)st.st_size - QUEUE_CONTENT_START : 0;
    if (there != i->commit.content_bytes)
        return fault_make(FAULT_TRY_LATER, "3.0", "content is not whole");
    if (!i->bringer->has_checked_size && c->message_size_limit && i->commit.content_bytes > c->message_size_limit)
        return fault_make(FAULT_REFUSED, "3.4", "Message exceeds the size limit");
    return NO_FAULT;
}

static fault file_finish(intake *i)
{
    buf added = buf_new(QUEUE_ADDED_MAX), records = buf_new(QUEUE_ENVELOPE_MAX);
    fault f = fields_make(i, &added);
    if (!is_fault(f) && !(queue_records_envelope(&records, &i->envelope) && buf_append(&records, buf_str(&i->records))))
        f = fault_make(FAULT_REFUSED, "5.3", "Too many recipients");
    if (!is_fault(f)) {
        queue_finish_args args = { .id = i->file.id,
                                   .arrived_us = clock_us(),
                                   .content_start = i->content_start,
                                   .content_bytes = i->content_bytes,
                                   .content_checksum = i->content_checksum,
                                   .content = i->content,
                                   .recipient_count = i->recipient_count,
                                   .prepared_bytes = i->file.prepared_bytes,
                                   .added = buf_str(&added),
                                   .records = buf_str(&records) };
        i->file_bytes = queue_finished_bytes(&args);
        f = queue_finish(i->file.read_write, &args);
    }
    buf_free(&added);
    buf_free(&records);
    return f;
}

void intake_log_queued(const intake *i)
{
    const envelope *e = &i->envelope;
    log_event(LOG_INFO, "queued", LOG_C("id", queue_id_text(i->file.id).text), LOG_STR("session", e->session),
              LOG_STR("from", e->reverse_path), LOG_STR("client", e->client_address), LOG_STR("login", e->login),
              LOG_NUM("bytes", i->commit.content_bytes), LOG_NUM("recipients", i->recipient_count));
}

void intake_finish(intake *i)
{
    direct_decide(i);
    i->state = INTAKE_COMMITTING;
    fault f = is_fault(i->problem) ? i->problem
              : i->file.qmgr       ? file_finish(i)
                                   : fault_make(FAULT_TRY_LATER, "3.0", "Queue manager restarted");
    if (is_fault(f))
        intake_end(i, f);
    else if (is_direct(i))
        direct_start(i);
    else
        (offer_is_worth(i) ? offer_start : commit_put)(i);
}
