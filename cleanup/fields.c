/* The fields that are added in front of a message: trace, and what a submitted message lacks. Runs in: cleanup. */
#include "base/clock.h"
#include "base/num.h"
#include "cleanup/cleanup.h"
#include "mail/header.h"
#include "mail/received.h"
#include "queue/id.h"
#include <time.h>

static date now_here(void)
{
    time_t now = (time_t)clock_s();
    struct tm t;
    localtime_r(&now, &t);
    return (date){ .utc_s = now, .zone_minutes = (int)(t.tm_gmtoff / 60) };
}

/* What pickup brings is from whoever left it in the drop folder. */
static uint64_t uid_of(const intake *i)
{
    uint64_t uid = i->bringer->uid;
    if (str_starts(i->envelope.login, STR("uid:")))
        num_parse(str_from(i->envelope.login, 4), 0, UINT32_MAX, &uid);
    return uid;
}

bool trace_append(const intake *i, buf *out)
{
    const envelope *e = &i->envelope;
    const config *c = daemon_config(i->bringer->cleanup->process);
    str tls = e->tls, version = STR_NONE, cipher = STR_NONE;
    str_word(&tls, " ", &version); /* "TLSv1.3 with cipher X (…)" */
    for (int k = 0; k < 3; k++)
        str_word(&tls, " ", &cipher);
    queue_name id = queue_id_text(i->file.id);
    trace_field r = {
        .helo = e->helo,
        .client_name = str_equal(e->client_name, STR("unknown")) ? STR_NONE : e->client_name,
        .client_ip = e->client_address,
        .is_esmtp = str_starts(e->protocol, STR("E")),
        .is_lmtp = str_starts(e->protocol, STR("L")),
        .has_login = e->login.n > 0,
        .is_utf8 = e->flags & ENVELOPE_UTF8,
        .tls_version = version,
        .tls_cipher = cipher,
        .host = c->myhostname,
        .id = str_c(id.text),
        .recipient = i->brought_count == 1 ? i->first_recipient : STR_NONE,
        .uid = uid_of(i),
        .when = now_here(),
    };
    return received_append(out, &r);
}

static bool has(str header, str name)
{
    header_field f;
    return header_find(header, name, &f);
}

/* RFC 6409 8: a submission server may complete what the client left out. */
static bool missing_append(const intake *i, str header, buf *out)
{
    const config *c = daemon_config(i->bringer->cleanup->process);
    bool fits = true;
    if (!has(header, STR("Date"))) {
        fits = fits && buf_append(out, STR("Date: ")) && date_append(out, now_here()) && buf_append(out, STR("\r\n"));
    }
    if (!has(header, STR("Message-ID")))
        fits = fits &&
               buf_printf(out, "Message-ID: <%s@%.*s>\r\n", queue_id_text(i->file.id).text, STR_ARG(c->myhostname));
    if (!has(header, STR("From")) && !has(header, STR("Resent-From")))
        fits = fits && buf_append(out, STR("From: <")) &&
               buf_append(out, i->envelope.reverse_path.n ? i->envelope.reverse_path : STR("MAILER-DAEMON")) &&
               buf_append(out, STR(">\r\n"));
    return fits;
}

/* RFC 5322 asks for no recipient field; who wants one where there is none says which. */
static bool undisclosed_append(const intake *i, str header, buf *out)
{
    str field = daemon_config(i->bringer->cleanup->process)->undisclosed_recipients_header;
    static const str visible[] = { STR_ROW("To"), STR_ROW("Cc"), STR_ROW("Resent-To"), STR_ROW("Resent-Cc") };
    size_t colon = str_find(field, ':');

    for (size_t k = 0; k < COUNT_OF(visible); k++)
        if (has(header, visible[k]))
            return true;
    if (!header_name_is_valid(str_upto(field, colon)) || colon == field.n)
        return true;
    return header_add(out, str_upto(field, colon), str_from(field, colon + 1));
}

static bool is_completed(const intake *i)
{
    const config *c = daemon_config(i->bringer->cleanup->process);
    return (i->envelope.flags & ENVELOPE_SUBMITTED) || c->always_add_missing_headers ||
           (!i->bringer->is_internal && (i->is_local || c->remote_header_rewrite_domain.n));
}

fault fields_make(intake *i, buf *out)
{
    const config *c = daemon_config(i->bringer->cleanup->process);
    str header = buf_str(&i->header);
    bool fits;

    if (received_count(header) > c->hopcount_limit)
        return fault_make(FAULT_REFUSED, "4.6", "Too many hops: the message is in a loop");
    if (i->has_trace)
        fits = !i->trace.overflow && buf_append(out, buf_str(&i->trace));
    else
        fits = (i->envelope.flags & ENVELOPE_NO_TRACE) || trace_append(i, out);
    if (is_completed(i))
        fits = fits && missing_append(i, header, out) && undisclosed_append(i, header, out);
    return fits ? NO_FAULT : fault_make(FAULT_REFUSED, "6.0", "The fields to add are too long");
}
