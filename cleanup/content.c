/* The pass of a message's content through the filter. What does not change stays where it is; at the first change what was passed
 * is copied behind the old content, and the rest is written there. Memory: two pieces. Runs in: cleanup. */
#include "base/checksum.h"
#include "base/log.h"
#include "cleanup/cleanup.h"
#include "cleanup/filter.h"
#include "os/file.h"
#include "queue/file.h"
#include "queue/id.h"
#include <unistd.h>

enum { PIECE = 64 * 1024 };

typedef struct pass {
    intake *intake;
    message_filter *filter;
    bool is_trace;  /* what is put is the trace field */
    bool is_behind; /* what is put is written behind the old content */
    uint64_t start; /* of the new content */
    uint64_t bytes; /* of it that were put */
    uint32_t sum;
    size_t waiting; /* bytes in `out` */
    fault fault;
} pass;

static char piece[PIECE], out[PIECE]; /* one loop, one thread; never used across calls of the loop */

static void flush(pass *p)
{
    uint64_t at = p->start + p->bytes - p->waiting;
    if (p->waiting && !is_fault(p->fault) &&
        !file_pwrite_all(p->intake->file.read_write, (str){ out, p->waiting }, (off_t)at))
        p->fault = fault_errno("write the changed message");
    p->waiting = 0;
}

/* What was put so far is what came in. */
static void move_behind(pass *p)
{
    p->is_behind = true;
    for (uint64_t at = 0; at < p->bytes && !is_fault(p->fault);) {
        size_t n = p->bytes - at < PIECE ? (size_t)(p->bytes - at) : PIECE, got;
        if (!file_pread_all(p->intake->file.read_write, out, n, (off_t)(QUEUE_CONTENT_START + at), &got) || got != n)
            p->fault = fault_errno("read the message");
        else if (!file_pwrite_all(p->intake->file.read_write, (str){ out, n }, (off_t)(p->start + at)))
            p->fault = fault_errno("write the changed message");
        at += n;
    }
}

static void put(void *context, str bytes)
{
    pass *p = context;

    if (p->is_trace) {
        buf_append(&p->intake->trace, bytes);
        return;
    }
    if (p->filter->is_changed && !p->is_behind)
        move_behind(p);
    p->sum = checksum(p->sum, bytes);
    if (!p->is_behind) {
        p->bytes += bytes.n;
        return;
    }
    while (bytes.n) {
        size_t n = bytes.n < PIECE - p->waiting ? bytes.n : PIECE - p->waiting;
        memcpy(out + p->waiting, bytes.p, n);
        p->waiting += n;
        p->bytes += n;
        bytes = str_from(bytes, n);
        if (p->waiting == PIECE)
            flush(p);
    }
}

static void note(void *context, const filter_note *n)
{
    const pass *p = context;
    const envelope *e = &p->intake->envelope;

    log_event(LOG_INFO, "content-check", LOG_C("id", queue_id_text(p->intake->file.id).text), LOG_C("action", n->verb),
              LOG_C("part", n->part), LOG_STR("line", n->line), LOG_STR("text", n->action.text),
              LOG_STR("table", n->action.table), LOG_NUM("rule", n->action.line), LOG_STR("session", e->session),
              LOG_STR("client", e->client_address), LOG_STR("from", e->reverse_path),
              LOG_STR("to", p->intake->first_recipient));
}

static str other_sender(void *context, str path)
{
    return rewrite_other(((pass *)context)->intake, REWRITE_HEADER_SENDER, path);
}

static str other_recipient(void *context, str path)
{
    return rewrite_other(((pass *)context)->intake, REWRITE_HEADER_RECIPIENT, path);
}

/* Patterns for header_checks know the trace field as one of the header's. */
static void trace_pass(pass *p)
{
    intake *i = p->intake;
    buf field = buf_new(QUEUE_ADDED_MAX);

    if (!(i->envelope.flags & ENVELOPE_NO_TRACE) && trace_append(i, &field)) {
        i->trace = buf_new(QUEUE_ADDED_MAX);
        i->has_trace = p->is_trace = true;
        filter_field(p->filter, buf_str(&field));
        p->is_trace = p->filter->is_changed = false;
    }
    buf_free(&field);
}

static fault content_pass(pass *p)
{
    const intake *i = p->intake;
    uint32_t sum = 0;

    for (uint64_t at = 0; at < i->commit.content_bytes && !is_fault(p->filter->refused) && !is_fault(p->fault);) {
        uint64_t left = i->commit.content_bytes - at;
        size_t n = left < PIECE ? (size_t)left : PIECE, got;
        if (!file_pread_all(i->file.read_write, piece, n, (off_t)(QUEUE_CONTENT_START + at), &got) || got != n)
            return fault_errno("read the message");
        sum = checksum(sum, (str){ piece, n });
        filter_feed(p->filter, (str){ piece, n });
        at += n;
    }
    filter_finish(p->filter);
    if (p->filter->is_changed && !p->is_behind)
        move_behind(p);
    flush(p);
    if (is_fault(p->fault) || is_fault(p->filter->refused))
        return is_fault(p->fault) ? p->fault : p->filter->refused;
    return sum == i->commit.content_checksum ? NO_FAULT : fault_make(FAULT_TRY_LATER, "3.0", "content is not whole");
}

/* One that came enclosed is looked at, and may be changed, like any other: in its file. */
static fault content_place(intake *i)
{
    if (!file_pwrite_all(i->file.read_write, i->content, QUEUE_CONTENT_START))
        return fault_errno("write the message");
    i->content = STR_NONE;
    return NO_FAULT;
}

fault content_filter(intake *i, message_filter *f)
{
    const cleanup *c = i->bringer->cleanup;
    const config *from = daemon_config(c->process);
    bool has_context = i->is_local || from->remote_header_rewrite_domain.n;
    pass p = { .intake = i, .filter = f, .start = queue_content_behind(i->commit.content_bytes) };
    const filter_rules rules = { .checks = i->bringer->is_internal ? NULL : &c->checks,
                                 .drop_headers = from->message_drop_headers,
                                 .header_max = (size_t)from->header_size_limit,
                                 .body_max = (size_t)from->body_checks_size_limit,
                                 .sender = has_context ? other_sender : NULL,
                                 .recipient = has_context ? other_recipient : NULL,
                                 .put = put,
                                 .note = note,
                                 .context = &p };

    filter_open(f, &rules, &i->arena);
    if (c->checks.lists[CHECKS_HEADER].n)
        trace_pass(&p);
    fault why = is_fault(f->refused) ? f->refused : content_place(i);
    if (!is_fault(why))
        why = content_pass(&p);
    if (!is_fault(why) && from->message_size_limit && p.is_behind && p.bytes > i->commit.content_bytes &&
        p.bytes > from->message_size_limit)
        why = fault_make(FAULT_REFUSED, "3.4", "Message exceeds the size limit");
    if (p.is_behind) {
        i->content_start = p.start;
        i->content_bytes = p.bytes;
        i->content_checksum = p.sum;
    }
    return why;
}
