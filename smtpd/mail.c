/* MAIL, RCPT, DATA, RSET, VRFY: a transaction's envelope. Runs in: smtpd. */
#include "base/log.h"
#include "base/memory.h"
#include "mail/verp.h"
#include "smtpd/replies.h"

static reply of_answer(const session *s, const policy_answer *a)
{
    reply r = policy_reply(s, a);
    if (r.code >= 500 && s->config->soft_bounce) {
        r.code -= 100;
        r.status = STR("4.7.1");
    }
    return r;
}

static void log_refused(const session *s, const char *at, str to, const policy_answer *a)
{
    s->smtpd->refused++;
    log_event(LOG_INFO, "refused", LOG_C("session", s->id), LOG_C("at", at), LOG_C("client", s->client),
              LOG_STR("helo", s->helo), LOG_STR("from", s->tx.reverse_path), LOG_STR("to", to),
              LOG_STR("login", s->login), LOG_NUM("code", a->code), LOG_STR("status", a->status),
              LOG_STR("reply", a->reply), LOG_STR("reason", a->reason));
}

static unsigned params_offered(const session *s)
{
    unsigned offered = SMTP_PARAM_SIZE | SMTP_PARAM_BODY;
    if (s->config->smtpd_sasl_auth_enable)
        offered |= SMTP_PARAM_AUTH;
    if (hello_offers(s, "DSN"))
        offered |= SMTP_PARAMS_DSN;
    if (hello_offers_verp(s))
        offered |= SMTP_PARAM_XVERP;
    return s->is_esmtp ? offered : 0;
}

static verdict params_refused(session *s, const smtp_params *p)
{
    return (verdict){ s->phase, reply_of(p->is_unknown ? REPLY_UNKNOWN_PARAMETER : REPLY_BAD_PARAMETER) };
}

/* A return path for each recipient needs one that it can be made of. */
static bool verp_take(const session *s, smtp_params *p, bool has_sender)
{
    if (!(p->given & SMTP_PARAM_XVERP))
        return true;
    if (p->verp.n == 0)
        p->verp = s->config->default_verp_delimiters;
    return has_sender && verp_is_valid(p->verp, s->config->verp_delimiter_filter);
}

static void mail_decided(session *s, const policy_answer *a)
{
    if (a->code < 400) {
        s->tx.policy_flags |= a->flags;
        session_settle(s, (verdict){ PHASE_RCPT, reply_of(REPLY_SENDER_OK) });
        return;
    }
    log_refused(s, "MAIL", STR_NONE, a);
    reply r = of_answer(s, a);
    session_settle(s, (verdict){ PHASE_MAIL, r });
    transaction_clear(s);
}

static reply over_limit(session *s, const char *too_much)
{
    return (reply){ 450, STR("4.7.1"), meter_words(s, too_much), NOTICE_POLICY };
}

static void mail_counted(session *s, bool is_allowed)
{
    static const policy_answer fine = { .code = 250 };
    if (!is_allowed) {
        session_settle(s, (verdict){ PHASE_MAIL, over_limit(s, "much mail") });
        transaction_clear(s);
    } else if (s->config->smtpd_delay_reject || s->config->smtpd_sender_restrictions.n == 0) {
        mail_decided(s, &fine);
    } else {
        policy_question(s, POLICY_STAGE_MAIL, STR_NONE, mail_decided);
    }
}

/* RFC 5321 4.1.1.2; a sender without a domain is left for policy (reject_non_fqdn_sender). */
verdict on_mail(session *s, const smtp_command *c)
{
    transaction *tx = &s->tx;
    address sender;
    if (s->config->smtpd_helo_required && s->helo.n == 0)
        return (verdict){ s->phase, reply_of(REPLY_HELO_FIRST) };
    transaction_clear(s);
    if (address_parse(c->argument, &sender) != PARSE_DONE)
        return (verdict){ PHASE_MAIL, reply_of(REPLY_BAD_SENDER) };
    if (sender.is_utf8)
        return (verdict){ PHASE_MAIL, reply_of(REPLY_NEEDS_UTF8) };
    str params = arena_copy(&tx->arena, c->params);
    if (smtp_mail_params_parse(params, params_offered(s), &tx->arena, &tx->params) != PARSE_DONE)
        return params_refused(s, &tx->params);
    if (!verp_take(s, &tx->params, !sender.is_null))
        return (verdict){ PHASE_MAIL, reply_of(REPLY_BAD_PARAMETER) };
    if (s->config->message_size_limit && tx->params.size_bytes > s->config->message_size_limit)
        return (verdict){ PHASE_MAIL, reply_of(REPLY_TOO_BIG) };
    tx->reverse_path = sender.is_null ? STR_NONE : address_text(&sender, &tx->arena);
    tx->has_sender = true;
    notice_guard(s, tx->reverse_path);
    meter_count(s, METER_MESSAGES, mail_counted);
    return (verdict){ s->phase, REPLY_LATER };
}

static void rcpt_decided(session *s, const policy_answer *a)
{
    if (a->code >= 400) {
        log_refused(s, "RCPT", s->question.recipient, a);
        reply r = of_answer(s, a);
        session_settle(s, (verdict){ s->phase, r });
        return;
    }
    s->tx.policy_flags |= a->flags;
    s->tx.accepted++;
    if (!transaction_prepare(s)) {
        session_settle(s, (verdict){ s->phase, reply_of(REPLY_NO_QUEUE) });
        return;
    }
    session_settle(s, (verdict){ PHASE_DATA, reply_of(REPLY_RCPT_OK) });
}

static void rcpt_counted(session *s, bool is_allowed)
{
    if (is_allowed)
        policy_question(s, POLICY_STAGE_RCPT, s->asked_for, rcpt_decided);
    else
        session_settle(s, (verdict){ s->phase, over_limit(s, "many recipients") });
}

/* Replies of LMTP wait all together for the client to read them. */
static uint64_t recipients_max(const session *s)
{
    uint64_t limit = s->config->smtpd_recipient_limit;
    return is_lmtp(s) && limit > LMTP_RECIPIENTS_MAX ? LMTP_RECIPIENTS_MAX : limit;
}

verdict on_rcpt(session *s, const smtp_command *c)
{
    transaction *tx = &s->tx;
    address to;
    if (tx->accepted >= recipients_max(s) || tx->arena.is_over)
        return (verdict){ s->phase, reply_of(REPLY_TOO_MANY_RECIPIENTS) };
    if (address_parse(c->argument, &to) != PARSE_DONE || to.is_null)
        return (verdict){ s->phase, reply_of(REPLY_BAD_RECIPIENT) };
    if (to.is_utf8)
        return (verdict){ s->phase, reply_of(REPLY_NEEDS_UTF8) };
    str params = arena_copy(&tx->arena, c->params);
    if (smtp_rcpt_params_parse(params, params_offered(s), &tx->arena, &tx->rcpt_params) != PARSE_DONE)
        return params_refused(s, &tx->rcpt_params);
    /* As written, source route included: what policy must see of a trick, it sees. */
    s->asked_for = arena_copy(&tx->arena, c->argument);
    notice_guard(s, s->asked_for);
    meter_count(s, METER_RECIPIENTS, rcpt_counted);
    return (verdict){ s->phase, REPLY_LATER };
}

static void data_start(session *s)
{
    bool is_kept = s->tx.cleanup == NULL && !is_fault(s->tx.fault);
    if (s->tx.fd >= 0 || is_kept) {
        session_settle(s, (verdict){ PHASE_CONTENT, reply_of(REPLY_START_DATA) });
        return;
    }
    if (is_fault(s->tx.fault)) {
        bool is_full = strcmp(s->tx.fault.status, "3.1") == 0;
        session_settle(s, (verdict){ PHASE_MAIL, reply_of(is_full ? REPLY_NO_SPACE : REPLY_NO_QUEUE) });
        transaction_clear(s);
        return;
    }
    session_wait(s, WAITING_FILE, s->tx.cleanup);
}

static void data_decided(session *s, const policy_answer *a)
{
    if (a->code >= 400) {
        log_refused(s, "DATA", STR_NONE, a);
        reply r = of_answer(s, a);
        session_settle(s, (verdict){ PHASE_MAIL, r });
        transaction_clear(s);
        return;
    }
    s->tx.policy_flags |= a->flags;
    data_start(s);
}

verdict on_data(session *s, const smtp_command *c)
{
    (void)c;
    if (s->tx.accepted == 0)
        return (verdict){ s->phase, reply_of(is_lmtp(s) ? REPLY_NO_RECIPIENTS_LMTP : REPLY_NO_RECIPIENTS) };
    if (s->config->smtpd_data_restrictions.n)
        policy_question(s, POLICY_STAGE_DATA, STR_NONE, data_decided);
    else
        data_start(s);
    return (verdict){ s->phase, REPLY_LATER };
}

verdict on_rset(session *s, const smtp_command *c)
{
    (void)c;
    transaction_clear(s);
    return (verdict){ s->phase == PHASE_HELLO ? PHASE_HELLO : PHASE_MAIL, reply_of(REPLY_OK) };
}

/* The same words and the same work for every address (HOSTILE 15). */
verdict on_vrfy(session *s, const smtp_command *c)
{
    (void)c;
    return (verdict){ s->phase, reply_of(s->config->disable_vrfy_command ? REPLY_SWITCHED_OFF : REPLY_CANNOT_VRFY) };
}
