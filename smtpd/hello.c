/* HELO, EHLO, STARTTLS: who the client is, and how private the line. Runs in: smtpd. */
#include "base/log.h"
#include "conf/list.h"
#include "proto/smtp_reply.h"
#include "smtpd/replies.h"
#include <stdio.h>

static bool offers_tls(const session *s)
{
    return s->smtpd->tls && !tls_is_on(&s->stream) && !s->is_local && s->config->smtpd_tls_security_level != TLS_LEVEL_NONE;
}

static bool offers_auth(const session *s)
{
    return s->config->smtpd_sasl_auth_enable && s->login.n == 0 &&
           (tls_is_on(&s->stream) || !s->config->smtpd_tls_auth_only);
}

/* What LMTP is not asked for: reports are its client's to make. */
static bool is_of_smtp(const char *keyword)
{
    static const char *const words[] = { "VRFY", "DSN", "XVERP" };
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (strcmp(words[i], keyword) == 0)
            return true;
    return false;
}

bool hello_offers(const session *s, const char *keyword)
{
    return !(is_lmtp(s) && is_of_smtp(keyword)) && !list_has(s->config->smtpd_discard_ehlo_keywords, str_c(keyword));
}

bool hello_offers_verp(const session *s)
{
    return hello_offers(s, "XVERP") && networks_match_text(&s->smtpd->verp_clients, str_c(s->client));
}

static void keyword_add(const session *s, buf *out, const char *keyword, bool is_offered)
{
    if (!is_offered || !hello_offers(s, keyword))
        return;
    buf_append_char(out, '\n');
    buf_append(out, str_c(keyword));
}

static void mechanisms_list(const session *s, buf *out)
{
    str rest = s->config->auth_mechanisms, word;
    buf_append(out, STR("\nAUTH"));
    while (str_word(&rest, " ,\t", &word)) {
        buf_append_char(out, ' ');
        for (size_t i = 0; i < word.n; i++)
            buf_append_char(out, (char)(word.p[i] >= 'a' && word.p[i] <= 'z' ? word.p[i] - 32 : word.p[i]));
    }
}

static void extensions_list(const session *s, buf *out)
{
    buf_append(out, s->config->myhostname);
    keyword_add(s, out, "PIPELINING", true);
    if (hello_offers(s, "SIZE")) {
        buf_append(out, STR("\nSIZE "));
        buf_append_number(out, s->config->message_size_limit, 1);
    }
    keyword_add(s, out, "VRFY", !s->config->disable_vrfy_command);
    keyword_add(s, out, "STARTTLS", offers_tls(s));
    if (offers_auth(s) && hello_offers(s, "AUTH"))
        mechanisms_list(s, out);
    keyword_add(s, out, "8BITMIME", true);
    keyword_add(s, out, "ENHANCEDSTATUSCODES", true);
    keyword_add(s, out, "DSN", true);
    keyword_add(s, out, "XVERP", hello_offers_verp(s));
}

static void helo_set(session *s, str name, bool is_esmtp)
{
    transaction_clear(s);
    stream_set_idle(&s->stream, s->config->smtpd_timeout); /* the handshake's was shorter */
    s->is_esmtp = is_esmtp;
    s->helo = arena_copy(&s->arena, name);
    if (s->tls[0] == '\0' && tls_is_established(&s->stream)) {
        if (tls_was_resumed(&s->stream))
            meter_uncount_tls(s);
        buf words = buf_new(sizeof s->tls - 1);
        tls_describe(&s->stream, &words);
        snprintf(s->tls, sizeof s->tls, "%.*s", STR_ARG(buf_str(&words)));
        buf_free(&words);
    }
}

static void hello_decided(session *s, const policy_answer *a)
{
    if (a->code >= 400) {
        s->helo = STR_NONE;
        session_settle(s, (verdict){ PHASE_HELLO, policy_reply(s, a) });
        return;
    }
    s->policy_flags |= a->flags;
    buf words = buf_new(2000);
    if (s->is_esmtp)
        extensions_list(s, &words);
    else
        buf_append(&words, s->config->myhostname);
    session_settle(s, (verdict){ PHASE_MAIL, { 250, STR_NONE, buf_str(&words), 0 } });
    buf_free(&words);
}

/* Restrictions on HELO wait for RCPT unless smtpd_delay_reject is off; then there is nothing to ask here. */
static verdict greet(session *s, str name, bool is_esmtp)
{
    static const policy_answer fine = { .code = 250 };
    helo_set(s, name, is_esmtp);
    if (s->config->smtpd_delay_reject || s->config->smtpd_helo_restrictions.n == 0)
        hello_decided(s, &fine);
    else
        policy_question(s, POLICY_STAGE_HELO, STR_NONE, hello_decided);
    return (verdict){ s->phase, REPLY_LATER };
}

verdict on_ehlo(session *s, const smtp_command *c)
{
    return greet(s, c->argument, true);
}

verdict on_helo(session *s, const smtp_command *c)
{
    return greet(s, c->argument, false);
}

/* RFC 3207 4.2: what was said in clear is forgotten, and nothing that came with the command is ever run. */
static void starttls_counted(session *s, bool is_allowed)
{
    reply r = reply_of(is_allowed ? REPLY_START_TLS : REPLY_NO_TLS);
    if (!is_allowed) {
        r.words = meter_words(s, "many new TLS sessions");
        session_settle(s, (verdict){ s->phase, r });
        return;
    }
    session_say(s, &r);
    transaction_clear(s);
    s->helo = s->login = STR_NONE;
    s->lines = line_reader_new(s->config->line_length_limit, false);
    stream_set_idle(&s->stream, s->config->smtpd_starttls_timeout);
    tls_begin(&s->stream, s->smtpd->tls, "smtp", str_c(s->id));
    session_settle(s, (verdict){ PHASE_HELLO, REPLY_LATER });
}

verdict on_starttls(session *s, const smtp_command *c)
{
    (void)c;
    if (s->smtpd->tls == NULL || s->config->smtpd_tls_security_level == TLS_LEVEL_NONE)
        return (verdict){ s->phase, reply_of(REPLY_UNKNOWN) };
    if (tls_is_on(&s->stream))
        return (verdict){ s->phase, reply_of(REPLY_SEQUENCE) };
    meter_count(s, METER_TLS_SESSIONS, starttls_counted);
    return (verdict){ s->phase, REPLY_LATER };
}
