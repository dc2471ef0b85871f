/* The fields that are added in front of a message: trace, and what a submitted message lacks. Runs in: cleanup. */
#include "base/clock.h"
#include "base/num.h"
#include "cleanup/cleanup.h"
#include "mail/header.h"
#include "mail/received.h"
#include "queue/file.h"
#include "queue/id.h"
#include <time.h>
#include <unistd.h>

enum { HEADER_READ_MAX = 1024 * 1024 };

/* The header block, or its first megabyte. */
static fault header_read(const intake *i, buf *out)
{
    header_scan scan = { 0 };
    parse p = PARSE_MORE;
    while (p == PARSE_MORE && out->n < i->commit.content_bytes) {
        uint64_t left = i->commit.content_bytes - out->n;
        size_t n = left < 64 * 1024 ? (size_t)left : 64 * 1024;
        if (!buf_reserve(out, n))
            break;
        ssize_t got = pread(i->file.read_write, out->p + out->n, n, (off_t)(QUEUE_CONTENT_START + out->n));
        if (got < 0)
            return fault_errno("read the header");
        if (got == 0)
            break;
        size_t used;
        p = header_scan_feed(&scan, (str){ out->p + out->n, (size_t)got }, &used);
        out->n += p == PARSE_DONE ? used : (size_t)got;
    }
    return NO_FAULT;
}

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

static bool trace_append(const intake *i, date when, buf *out)
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
        .has_login = e->login.n > 0,
        .is_utf8 = e->flags & ENVELOPE_UTF8,
        .tls_version = version,
        .tls_cipher = cipher,
        .host = c->myhostname,
        .id = str_c(id.text),
        .recipient = i->brought_count == 1 ? i->first_recipient : STR_NONE,
        .uid = uid_of(i),
        .when = when,
    };
    return received_append(out, &r);
}

static bool has(str header, str name)
{
    header_field f;
    return header_find(header, name, &f);
}

/* RFC 6409 8: a submission server may complete what the client left out. */
static bool missing_append(const intake *i, str header, date when, buf *out)
{
    const config *c = daemon_config(i->bringer->cleanup->process);
    bool fits = true;
    if (!has(header, STR("Date"))) {
        fits = fits && buf_append(out, STR("Date: ")) && date_append(out, when) && buf_append(out, STR("\r\n"));
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

fault fields_make(intake *i, buf *out)
{
    buf header = buf_new(HEADER_READ_MAX);
    const config *c = daemon_config(i->bringer->cleanup->process);
    fault f = header_read(i, &header);
    if (!is_fault(f) && received_count(buf_str(&header)) > c->hopcount_limit)
        f = fault_make(FAULT_REFUSED, "4.6", "Too many hops: the message is in a loop");
    date when = now_here();
    bool fits = (i->envelope.flags & ENVELOPE_NO_TRACE) || trace_append(i, when, out);
    if (i->envelope.flags & ENVELOPE_SUBMITTED)
        fits = fits && missing_append(i, buf_str(&header), when, out);
    buf_free(&header);
    if (!is_fault(f) && !fits)
        f = fault_make(FAULT_REFUSED, "6.0", "The fields to add are too long");
    return f;
}
