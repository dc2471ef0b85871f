/* The conversation with cleanup: a file as soon as the message is known to be large, everything else at the end of data. 250 is said
 * when cleanup says that the message is durable, and not before. Runs in: smtpd. */
#include "base/log.h"
#include "ipc/talk/cleanup.h"
#include "os/fd.h"
#include "queue/id.h"
#include "smtpd/replies.h"
#include <stdio.h>

/* Refs of transactions have the top bit, so that they never meet those of questions. */
enum { TX_BIT_SHIFT = 31, GATHERED_MAX = 16 /* transactions of one cleanup */ };

session *session_by_tx(smtpd *d, uint32_t ref)
{
    size_t slot = ref % SESSION_SLOTS_MAX;
    session *s = slot < d->sessions.n ? d->sessions.p[slot] : NULL;
    return s && s->tx.cleanup && s->tx.ref == ref ? s : NULL;
}

void transaction_clear(session *s)
{
    transaction *tx = &s->tx;
    if (tx->cleanup) {
        cleanup_begin m = { 0 };
        channel_put(&tx->cleanup->channel, CLEANUP_ABORT, tx->ref, cleanup_begin, &m);
        tx->cleanup->asked--;
    }
    fd_close(&tx->fd);
    buf_free(&tx->kept);
    arena memory = tx->arena;
    arena_clear(&memory);
    *tx = (transaction){ .arena = memory, .fd = -1 };
    s->question.sender = s->question.recipient = STR_NONE; /* they stood in it */
}

/* Few cleanups have more to do in one round, with fewer wake-ups, and more messages to make durable together. */
static peer *cleanup_choose(const smtpd *d)
{
    return daemon_peer_gathered(d->process, "cleanup", GATHERED_MAX);
}

static bool cleanup_take(session *s)
{
    transaction *tx = &s->tx;
    tx->cleanup = cleanup_choose(s->smtpd);
    if (tx->cleanup == NULL)
        return false;
    tx->ref = session_ref(s) | 1u << TX_BIT_SHIFT;
    tx->cleanup->asked++;
    return true;
}

bool transaction_prepare(session *s)
{
    s->tx.fault = NO_FAULT; /* of a file that could not be had for an earlier recipient */
    return s->tx.params.size_bytes > CLEANUP_ENCLOSED_MAX ? transaction_begin(s) : cleanup_choose(s->smtpd) != NULL;
}

bool transaction_begin(session *s)
{
    transaction *tx = &s->tx;
    if (tx->cleanup)
        return true;
    if (!cleanup_take(s))
        return false;
    cleanup_begin m = { .expected_bytes = tx->params.size_bytes };
    channel_put(&tx->cleanup->channel, CLEANUP_BEGIN, tx->ref, cleanup_begin, &m);
    return true;
}

/* RFC 3848 */
static str protocol_name(const session *s)
{
    static const str names[2][2][2] = {
        { { STR_ROW("ESMTP"), STR_ROW("ESMTPA") }, { STR_ROW("ESMTPS"), STR_ROW("ESMTPSA") } },
        { { STR_ROW("LMTP"), STR_ROW("LMTPA") }, { STR_ROW("LMTPS"), STR_ROW("LMTPSA") } },
    };
    return s->is_esmtp ? names[is_lmtp(s)][s->tls[0] != '\0'][s->login.n > 0] : STR("SMTP");
}

static void envelope_put(session *s, channel *c)
{
    transaction *tx = &s->tx;
    bool has_login = s->login.n > 0;
    envelope e = {
        .reverse_path = tx->reverse_path, .session = str_c(s->id), .client_name = STR("unknown"),
        .client_address = str_c(s->client), .helo = s->helo,
        .protocol = protocol_name(s), .tls = str_c(s->tls), .login = s->login,
        .envelope_id = tx->params.envid,
        .returns = tx->params.ret == SMTP_RET_FULL ? STR("FULL") : tx->params.ret == SMTP_RET_HDRS ? STR("HDRS") : STR_NONE,
        .verp = tx->params.verp,
        .flags = (tx->params.body == SMTP_BODY_8BITMIME ? ENVELOPE_8BIT : 0u) |
                 (tx->policy_flags & POLICY_HOLD ? ENVELOPE_HOLD : 0u) | (has_login ? ENVELOPE_SUBMITTED : 0u) |
                 (tx->told ? ENVELOPE_DIRECT : 0u),
    };
    channel_put(c, CLEANUP_ENVELOPE, tx->ref, envelope, &e);
    for (const recipient *r = tx->recipients; r; r = r->next) {
        envelope_recipient to = { .address = r->address, .original = r->original, .transport = r->transport,
                                  .nexthop = r->nexthop, .orcpt = r->orcpt, .notify = r->notify,
                                  .sender = r->sender };
        channel_put(c, CLEANUP_RECIPIENT, tx->ref, envelope_recipient, &to);
    }
}

static void discard(session *s)
{
    log_event(LOG_INFO, "discarded", LOG_C("session", s->id), LOG_C("client", s->client),
              LOG_STR("from", s->tx.reverse_path), LOG_C("reason", "policy said DISCARD"));
    end_of_data_say(s, reply_of(REPLY_OK));
    transaction_clear(s);
}

void transaction_commit(session *s)
{
    transaction *tx = &s->tx;
    tx->policy_flags |= s->policy_flags;
    if (tx->policy_flags & POLICY_DISCARD) {
        discard(s);
        return;
    }
    bool is_enclosed = tx->cleanup == NULL;
    if (is_enclosed && (is_fault(tx->fault) || !cleanup_take(s))) { /* a fault: its file is lost with its cleanup */
        end_of_data_say(s, reply_of(REPLY_NO_QUEUE));
        transaction_clear(s);
        return;
    }
    fd_close(&tx->fd);
    if (is_lmtp(s) && !(tx->policy_flags & POLICY_HOLD)) /* what is held is ours to keep */
        lmtp_begin(s);
    envelope_put(s, &tx->cleanup->channel);
    cleanup_commit m = { .content_bytes = tx->written, .content_checksum = tx->checksum,
                         .recipient_count = tx->count, .content = is_enclosed ? buf_str(&tx->kept) : STR_NONE };
    channel_put(&tx->cleanup->channel, CLEANUP_COMMIT, tx->ref, cleanup_commit, &m);
    buf_free(&tx->kept);
    session_wait(s, WAITING_COMMIT, tx->cleanup);
}

static void tx_forget(session *s)
{
    s->tx.cleanup->asked--;
    s->tx.cleanup = NULL;
}

static void committed(session *s, fault outcome)
{
    str words = arena_printf(&s->tx.arena, "Ok: queued as %s", queue_id_text(s->tx.queue_id).text);
    session_resume(s);
    s->smtpd->accepted += !is_fault(outcome);
    s->junk = 0;
    if (s->tx.has_results && !is_fault(outcome))
        lmtp_results_say(s);
    else
        end_of_data_say(s, result_reply(s, outcome, words));
    if (!is_fault(outcome))
        transcript_message_done(&s->transcript);
    transaction_clear(s);
}

static bool on_ready(void *context, channel *ch, received *r)
{
    peer *from = context;
    session *s = session_by_tx(from->daemon->state, r->ref);
    cleanup_ready m;
    (void)ch;
    if (cleanup_ready_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    if (s == NULL)
        return true; /* the client went away; ABORT is on its way */
    bool is_within = s->waiting == WAITING_ROOM;
    s->tx.fd = received_take(r, 0);
    s->tx.queue_id = m.queue_id;
    if (!is_within && s->waiting != WAITING_FILE)
        return true;
    session_resume(s);
    if (is_within)
        content_has_room(s);
    else
        session_settle(s, (verdict){ PHASE_CONTENT, reply_of(REPLY_START_DATA) });
    return true;
}

/* The file could not be had, or is lost with its cleanup. */
static void no_file(session *s, fault why)
{
    fd_close(&s->tx.fd); /* another recipient may begin anew, with a file of its own */
    s->tx.fault = why;
    bool is_within = s->waiting == WAITING_ROOM;
    if (!is_within && s->waiting != WAITING_FILE)
        return; /* DATA or the end of data will say it */
    session_resume(s);
    if (is_within) {
        content_has_room(s);
        return;
    }
    bool is_full = strcmp(why.status, "3.1") == 0;
    session_settle(s, (verdict){ PHASE_MAIL, reply_of(is_full ? REPLY_NO_SPACE : REPLY_NO_QUEUE) });
    transaction_clear(s);
}

static bool on_done(void *context, channel *ch, received *r)
{
    peer *from = context;
    cleanup_done m;
    (void)ch;
    if (cleanup_done_decode(r->bytes, &m) != PARSE_DONE || m.outcome > FAULT_BUG)
        return false;
    session *s = session_by_tx(from->daemon->state, r->ref);
    if (s == NULL)
        return true;
    s->tx.queue_id = m.queue_id;
    tx_forget(s);
    fault why = fault_make((fault_kind)m.outcome, "3.0", "%.*s", STR_ARG(m.reason));
    if (m.status.n && m.status.n < sizeof why.status)
        snprintf(why.status, sizeof why.status, "%.*s", STR_ARG(m.status));
    if (s->waiting == WAITING_COMMIT)
        committed(s, why);
    else
        no_file(s, why);
    return true;
}

static const talk_row rows[] = { { CLEANUP_READY, 1, 1, on_ready },
                                 { CLEANUP_DONE, 0, 0, on_done },
                                 { CLEANUP_RESULT, 0, 0, lmtp_on_result } };
const talk cleanup_talk = { "smtpd-cleanup", rows, COUNT_OF(rows), NULL };

/* Nothing is lost with a cleanup that had not given the file yet, as one that a reload replaces: another one gives it. */
static bool begin_again(session *s)
{
    if (s->waiting == WAITING_COMMIT || s->tx.fd >= 0 || !transaction_begin(s))
        return false;
    if (s->waiting == WAITING_FILE || s->waiting == WAITING_ROOM)
        s->asked = s->tx.cleanup;
    return true;
}

/* Whether it was committed is not known, so it is not refused: the connection ends (RFC 5321 3.8), the client tries again, which may
 * make two of it, never none. */
void cleanup_lost(peer *p)
{
    smtpd *d = p->daemon->state;
    for (size_t i = 0; i < d->sessions.n; i++) {
        session *s = d->sessions.p[i];
        if (s == NULL || s->tx.cleanup != p)
            continue;
        s->tx.cleanup = NULL;
        if (begin_again(s))
            continue;
        if (s->waiting != WAITING_COMMIT) {
            no_file(s, fault_make(FAULT_TRY_LATER, "3.0", "Queue service restarted"));
            continue;
        }
        reply unknown = reply_of(REPLY_QUEUE_UNKNOWN);
        session_resume(s);
        transaction_clear(s);
        session_close(s, &unknown);
    }
}
