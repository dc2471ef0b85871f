/* The content of a message: dots taken off, line ends looked at. What is small is kept, and goes to cleanup with the envelope; what is
 * larger is streamed into its queue file. Runs in: smtpd. */
#include "base/checksum.h"
#include "base/log.h"
#include "ipc/talk/cleanup.h"
#include "os/file.h"
#include "smtpd/replies.h"

enum { STAGE_BYTES = 128 * 1024, KEPT_MAX = CLEANUP_ENCLOSED_MAX + 2 * STAGE_BYTES /* of one piece of input more */ };
static char stage[STAGE_BYTES]; /* of the call that runs: one loop, one thread */
static size_t staged;

static void stage_write(transaction *tx)
{
    str bytes = { stage, staged };
    staged = 0;
    if (bytes.n == 0 || is_fault(tx->fault) || tx->is_too_big)
        return;
    if (tx->fd < 0) {
        tx->kept.max = KEPT_MAX;
        buf_append(&tx->kept, bytes);
    } else if (!file_write_all(tx->fd, bytes)) {
        tx->fault = fault_errno("write the message");
        return;
    }
    tx->written += bytes.n;
    tx->checksum = checksum(tx->checksum, bytes);
}

static void stage_put(transaction *tx, str bytes)
{
    while (bytes.n) {
        size_t n = bytes.n < STAGE_BYTES - staged ? bytes.n : STAGE_BYTES - staged;
        memcpy(stage + staged, bytes.p, n);
        staged += n;
        bytes = str_from(bytes, n);
        if (staged == STAGE_BYTES)
            stage_write(tx);
    }
}

/* Every line end becomes CRLF: a bare LF, a bare CR. */
static void normalized_put(transaction *tx, str bytes)
{
    for (size_t i = 0; i < bytes.n; i++) {
        char c = bytes.p[i];
        if (c == '\n' && !tx->last_was_cr)
            stage_put(tx, STR("\r\n"));
        else if (c != '\n' && tx->last_was_cr) {
            stage_put(tx, STR("\n"));
            stage_put(tx, (str){ &c, 1 });
        } else
            stage_put(tx, (str){ &c, 1 });
        tx->last_was_cr = c == '\r';
    }
}

static bool normalizes(const session *s)
{
    return s->config->smtpd_forbid_bare_newline == BARE_NEWLINE_NORMALIZE || s->is_trusted_newline;
}

static bool rejects_bare(const session *s)
{
    return s->config->smtpd_forbid_bare_newline == BARE_NEWLINE_REJECT && !s->is_trusted_newline;
}

static void piece_put(session *s, str piece)
{
    transaction *tx = &s->tx;
    if (s->config->message_size_limit && tx->data.content_bytes > s->config->message_size_limit)
        tx->is_too_big = true; /* read to its end, kept no more */
    else if (normalizes(s))
        normalized_put(tx, piece);
    else
        stage_put(tx, piece);
}

static reply content_reply(const session *s)
{
    const transaction *tx = &s->tx;
    if (tx->is_too_big)
        return reply_of(REPLY_TOO_BIG);
    if (tx->data.has_nul || ((tx->data.has_bare_cr || tx->data.has_bare_lf) && rejects_bare(s)))
        return reply_of(REPLY_BARE_NEWLINE);
    if (is_fault(tx->fault))
        return reply_of(strcmp(tx->fault.status, "3.1") == 0 ? REPLY_NO_SPACE : REPLY_NO_QUEUE);
    return REPLY_LATER;
}

static void refuse(session *s, reply r)
{
    log_event(LOG_INFO, "refused", LOG_C("session", s->id), LOG_C("at", "END-OF-DATA"), LOG_C("client", s->client),
              LOG_STR("from", s->tx.reverse_path), LOG_NUM("code", r.code), LOG_STR("reply", r.words),
              LOG_C("reason", s->tx.fault.text));
    end_of_data_say(s, r);
    transaction_clear(s);
}

static void end_decided(session *s, const policy_answer *a)
{
    if (a->code >= 400) {
        refuse(s, policy_reply(s, a));
        return;
    }
    s->tx.policy_flags |= a->flags;
    transaction_commit(s);
}

static void content_end(session *s)
{
    reply r = content_reply(s);
    if (r.code)
        refuse(s, r);
    else if (s->config->smtpd_end_of_data_restrictions.n)
        policy_question(s, POLICY_STAGE_END_OF_DATA, STR_NONE, end_decided);
    else
        transaction_commit(s);
}

static bool needs_room(const transaction *tx)
{
    return tx->fd < 0 && tx->kept.n > CLEANUP_ENCLOSED_MAX && !is_fault(tx->fault) && !tx->is_too_big;
}

void content_has_room(session *s)
{
    transaction *tx = &s->tx;
    if (!is_fault(tx->fault) && !file_write_all(tx->fd, buf_str(&tx->kept)))
        tx->fault = fault_errno("write the message");
    buf_free(&tx->kept);
    if (tx->is_ended)
        content_end(s);
}

static void room_ask(session *s)
{
    if (transaction_begin(s)) {
        session_wait(s, WAITING_ROOM, s->tx.cleanup);
        return;
    }
    s->tx.fault = fault_make(FAULT_TRY_LATER, "3.0", "Queue service is not there");
    content_has_room(s);
}

size_t content_take(session *s, str bytes)
{
    str rest = bytes;
    parse p = PARSE_MORE;
    staged = 0;
    while (p == PARSE_MORE && rest.n) {
        str piece;
        size_t used;
        p = smtp_data_next(&s->tx.data, rest, &piece, &used);
        rest = str_from(rest, used);
        piece_put(s, piece);
    }
    if (p == PARSE_DONE && s->tx.last_was_cr)
        normalized_put(&s->tx, STR("\n"));
    stage_write(&s->tx);
    s->tx.is_ended = p == PARSE_DONE;
    if (needs_room(&s->tx))
        room_ask(s);
    else if (s->tx.is_ended)
        content_end(s);
    return bytes.n - rest.n;
}
