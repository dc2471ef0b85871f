/* LMTP (RFC 2033): a message is delivered before it is answered, and each recipient has an answer. Runs in: smtpd. */
#include "ipc/talk/cleanup.h"
#include "queue/id.h"
#include "smtpd/replies.h"

bool is_lmtp(const session *s)
{
    return s->config->smtpd_protocol == PROTOCOL_LMTP;
}

void end_of_data_say(session *s, reply r)
{
    if (!is_lmtp(s)) {
        session_settle(s, (verdict){ PHASE_MAIL, r });
        return;
    }
    for (uint32_t i = 0; i < s->tx.accepted; i++)
        session_write(s, &r);
    session_settle(s, (verdict){ PHASE_MAIL, REPLY_LATER });
}

/* RFC 3463 3: X.7 is a rule's, X.3 our system's; a mailbox that waits for its owner (X.2) is nothing that postmaster has to mend. */
static unsigned result_classes(fault_kind kind, str status)
{
    bool is_rule = str_starts(status, STR("7.")) || str_equal(status, STR("3.4"));
    if (is_rule || kind == FAULT_REFUSED)
        return is_rule ? NOTICE_BOUNCE | NOTICE_POLICY : NOTICE_BOUNCE;
    if (str_equal(status, STR("3.1")))
        return NOTICE_RESOURCE;
    return str_starts(status, STR("3.")) ? NOTICE_SOFTWARE : 0;
}

/* A status of storage (X.3.1 ours, X.2.2 the mailbox's) has codes of its own (RFC 5321 4.2.3). */
reply result_reply(session *s, fault result, str words)
{
    arena *a = &s->tx.arena;
    str status = result.status[0] ? str_c(result.status) : STR("3.0");
    bool is_final = result.kind == FAULT_REFUSED && !s->config->soft_bounce;
    bool is_full = str_equal(status, STR("3.1")) || str_equal(status, STR("2.2"));
    if (!is_fault(result))
        return (reply){ 250, STR("2.0.0"), words, 0 };
    return (reply){ is_final  ? (is_full ? 552 : 550)
                    : is_full ? 452
                              : 451,
                    arena_printf(a, "%c.%.*s", is_final ? '5' : '4', STR_ARG(status)),
                    arena_copy(a, str_c(result.text)),
                    result_classes(result.kind, status) };
}

void lmtp_begin(session *s)
{
    transaction *tx = &s->tx;
    uint32_t n = 0;
    tx->told = ARENA_ARRAY(&tx->arena, recipient *, tx->count + 1);
    for (recipient *r = tx->recipients; r; r = r->next)
        tx->told[n++] = r;
}

/* Who has several mailboxes has his mail when it is in all: what may still become good outweighs what cannot (qmgr/finish.c). */
static bool is_worse(fault a, fault b)
{
    bool a_waits = is_fault(a) && a.kind != FAULT_REFUSED, b_waits = is_fault(b) && b.kind != FAULT_REFUSED;
    return a_waits != b_waits ? a_waits : is_fault(a) && !is_fault(b);
}

bool lmtp_on_result(void *context, channel *ch, received *r)
{
    peer *from = context;
    cleanup_result m;
    (void)ch;
    if (cleanup_result_decode(r->bytes, &m) != PARSE_DONE || m.outcome > FAULT_BUG)
        return false;
    session *s = session_by_tx(from->daemon->state, r->ref);
    if (s == NULL)
        return true; /* the client went away meanwhile */
    if (s->tx.told == NULL || m.index >= s->tx.count)
        return false;
    recipient *of = s->tx.told[m.index];
    fault f = fault_make((fault_kind)m.outcome, "", "%.*s", STR_ARG(m.reason));
    str status = str_upto(m.status, sizeof f.status - 1);
    if (status.n)
        memcpy(f.status, status.p, status.n);
    if (is_worse(f, of->result))
        of->result = f;
    of->is_told = s->tx.has_results = true;
    return true;
}

void lmtp_results_say(session *s)
{
    const recipient *r = s->tx.recipients;
    str well = arena_printf(&s->tx.arena, "Ok: delivered as %s", queue_id_text(s->tx.queue_id).text);
    for (uint32_t command = 0; command < s->tx.accepted; command++) {
        fault worst = NO_FAULT;
        for (; r && r->command == command; r = r->next) {
            fault of = r->is_told ? r->result : fault_make(FAULT_TRY_LATER, "3.0", "No result was said");
            if (is_worse(of, worst))
                worst = of;
        }
        reply said = result_reply(s, worst, well);
        if (said.code == 250)
            said.status = reply_of(REPLY_RCPT_OK).status;
        session_write(s, &said);
    }
    session_settle(s, (verdict){ PHASE_MAIL, REPLY_LATER });
}
