/* The conversation with cleanup: begin, content by the descriptor that comes, envelope, commit; durable when it says so. Runs in:
 * bounce. A report that cannot be brought now is qmgr's to ask for again; a copy for a postmaster is not worth a second report. */
#include "base/log.h"
#include "bounce/bounce.h"
#include "queue/id.h"

static void letter_begin(job *j)
{
    j->cleanup = daemon_peer(j->bounce->process, "cleanup");
    if (j->cleanup == NULL)
        return;
    cleanup_begin m = { .expected_bytes = j->begin.content_bytes };
    j->cleanup->asked++;
    channel_put(&j->cleanup->channel, CLEANUP_BEGIN, j->ref, cleanup_begin, &m);
}

static void letter_failed(job *j, fault f)
{
    if (j->session.n) {
        notice_end(j, f, 0);
        return;
    }
    if (j->letter == LETTER_TO_POSTMASTER && j->begin.reverse_path.n) {
        log_event(LOG_WARNING, "no-postmaster-copy", LOG_C("id", queue_id_text(j->begin.queue_id).text),
                  LOG_C("reason", f.text));
        f = NO_FAULT;
    }
    job_end(j, f);
}

static void letter_go(job *j, letter next)
{
    j->letter = next;
    if (next == LETTER_NONE) {
        job_end(j, NO_FAULT);
        return;
    }
    letter_begin(j);
    if (j->cleanup == NULL)
        letter_failed(j, fault_make(FAULT_TRY_LATER, "3.0", "cleanup is not there"));
}

void bring_start(job *j)
{
    letter_go(j, letter_first(j));
}

static void envelope_put(job *j, channel *ch, const composed *c)
{
    envelope e = { .reverse_path = letter_sender(j),
                   .session = arena_printf(&j->arena, "report-of-%s", queue_id_text(j->begin.queue_id).text),
                   .protocol = STR("local"),
                   .flags = c->flags | ENVELOPE_NO_TRACE };
    str to = letter_recipient(j);
    envelope_recipient recipient = { .address = to, .original = to };
    cleanup_commit m = { .content_bytes = c->bytes, .content_checksum = c->checksum, .recipient_count = 1 };
    channel_put(ch, CLEANUP_ENVELOPE, j->ref, envelope, &e);
    channel_put(ch, CLEANUP_RECIPIENT, j->ref, envelope_recipient, &recipient);
    channel_put(ch, CLEANUP_COMMIT, j->ref, cleanup_commit, &m);
}

static void cleanup_release(job *j)
{
    j->cleanup->asked--;
    j->cleanup = NULL;
}

static bool on_ready(void *context, channel *ch, received *r)
{
    peer *from = context;
    bounce *b = from->daemon->state;
    cleanup_ready m;
    composed c;
    if (cleanup_ready_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    job *j = refs_get(&b->jobs, r->ref);
    if (j == NULL || j->cleanup != from || j->session.n)
        return true;
    fault f = compose(j, m.queue_id, r->fds[0], &c);
    if (!is_fault(f)) {
        envelope_put(j, ch, &c);
        return true;
    }
    cleanup_begin none = { 0 };
    channel_put(ch, CLEANUP_ABORT, j->ref, cleanup_begin, &none);
    cleanup_release(j);
    letter_failed(j, f);
    return true;
}

static void letter_queued(job *j, uint64_t id)
{
    bounce *b = j->bounce;
    bool is_copy = j->letter == LETTER_TO_POSTMASTER;
    static const char *const kinds[] = {
        [REPORT_OF_FAILURE] = "failure", [REPORT_OF_DELAY] = "delay", [REPORT_OF_SUCCESS] = "success"
    };
    log_event(LOG_INFO, is_copy ? "postmaster-copy" : "reported", LOG_C("id", queue_id_text(j->begin.queue_id).text),
              LOG_C("report", queue_id_text(id).text), LOG_STR("to", letter_recipient(j)),
              LOG_C("kind", kinds[j->kind]), LOG_NUM("recipients", j->row_count));
    b->reported += !is_copy;
    b->copied += is_copy;
    if (j->report_id == 0)
        j->report_id = id;
    letter_go(j, letter_next(j));
}

static bool on_done(void *context, channel *ch, received *r)
{
    peer *from = context;
    bounce *b = from->daemon->state;
    cleanup_done m;
    (void)ch;
    if (cleanup_done_decode(r->bytes, &m) != PARSE_DONE || m.outcome > FAULT_BUG)
        return false;
    job *j = refs_get(&b->jobs, r->ref);
    if (j == NULL || j->cleanup != from)
        return true;
    cleanup_release(j);
    if (m.outcome == FAULT_NONE && j->session.n)
        notice_end(j, NO_FAULT, m.queue_id);
    else if (m.outcome == FAULT_NONE)
        letter_queued(j, m.queue_id);
    else
        letter_failed(j, fault_make((fault_kind)m.outcome, "3.0", "%.*s", STR_ARG(m.reason)));
    return true;
}

static const talk_row rows[] = { { CLEANUP_READY, 1, 1, on_ready }, { CLEANUP_DONE, 0, 0, on_done } };
const talk cleanup_talk = { "bounce-cleanup", rows, COUNT_OF(rows), NULL };

/* Not known whether it was committed: qmgr asks again, which may make two of it, never none. */
void bring_lost(peer *p)
{
    bounce *b = p->daemon->state;
    size_t cursor = 0;
    for (job *j; (j = refs_next(&b->jobs, &cursor)) != NULL;) {
        if (j->cleanup != p)
            continue;
        j->cleanup = NULL;
        letter_failed(j, fault_make(FAULT_TRY_LATER, "3.0", "cleanup ended"));
    }
}
