/* A report as it goes into the queue: header, text, fields, and what is returned of the message. Runs in: bounce. Written through a
 * buffer of bounded size; the message itself is streamed. */
#include "base/checksum.h"
#include "base/clock.h"
#include "bounce/bounce.h"
#include "bounce/original.h"
#include "mail/dsn.h"
#include "os/file.h"
#include "queue/id.h"
#include <sys/random.h>
#include <time.h>

enum { PEN_BYTES = 256 * 1024, PEN_FULL = 64 * 1024, BOUNDARY_TRIES = 5 };

_Static_assert((int)REPORT_FAILED == DSN_FAILED && (int)REPORT_EXPANDED == DSN_EXPANDED, "one set of actions");

/* What was written so far, and what waits to be. */
typedef struct pen {
    int fd;
    buf buf;
    uint64_t bytes;
    uint32_t sum;
    bool ends_line; /* content has no bare LF */
    fault fault;
} pen;

static void pen_put(pen *p, str bytes)
{
    if (is_fault(p->fault) || bytes.n == 0)
        return;
    if (!file_write_all(p->fd, bytes)) {
        p->fault = fault_errno("write the report");
        return;
    }
    p->sum = checksum(p->sum, bytes);
    p->bytes += bytes.n;
    p->ends_line = bytes.p[bytes.n - 1] == '\n';
}

static void pen_flush(pen *p, size_t at_least)
{
    if (p->buf.overflow)
        p->fault = fault_make(FAULT_BUG, "3.0", "a part of the report is too large");
    if (p->buf.n < at_least)
        return;
    pen_put(p, buf_str(&p->buf));
    buf_clear(&p->buf);
}

static date date_of(uint64_t s)
{
    time_t at = (time_t)s;
    struct tm t;
    localtime_r(&at, &t);
    return (date){ .utc_s = at, .zone_minutes = (int)(t.tm_gmtoff / 60) };
}

static bool returns_whole(const job *j)
{
    uint64_t limit = daemon_config(j->bounce->process)->bounce_size_limit;
    return j->kind == REPORT_OF_FAILURE && j->letter == LETTER_TO_SENDER && j->begin.content_bytes <= limit &&
           !str_equal(j->begin.returns, STR("HDRS"));
}

static original original_of(const job *j)
{
    return (original){ .fd = j->fd,
                       .offset = j->begin.content_offset,
                       .bytes = j->begin.content_bytes,
                       .is_whole = returns_whole(j),
                       .limit = daemon_config(j->bounce->process)->bounce_size_limit };
}

/* Random, and not in what is returned: nothing that a message says ends a part of the report. */
static fault boundary_draw(const original *o, str id, char out[DSN_BOUNDARY_MAX], bool *out_is_8bit)
{
    original_facts facts = { .has_boundary = true };
    fault f = NO_FAULT;
    for (int i = 0; i < BOUNDARY_TRIES && facts.has_boundary && !is_fault(f); i++) {
        unsigned char random[DSN_BOUNDARY_BYTES];
        if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
            return fault_errno("get random bits");
        dsn_boundary(id, random, out);
        f = original_look(o, str_c(out), &facts);
    }
    *out_is_8bit = facts.is_8bit;
    if (!is_fault(f) && facts.has_boundary)
        f = fault_make(FAULT_TRY_LATER, "3.0", "no boundary was found that the message does not have");
    return f;
}

static dsn_report report_of(job *j, str id)
{
    const report_template *t = &j->bounce->templates.of[j->kind];
    bool is_copy = j->letter == LETTER_TO_POSTMASTER;
    str subject = is_copy && t->postmaster_subject.n ? t->postmaster_subject : t->subject;
    return (dsn_report){ .host = daemon_config(j->bounce->process)->myhostname,
                         .id = id,
                         .from = letter_from(j, t->from),
                         .subject = template_text(j, subject),
                         .to = letter_recipient(j),
                         .when = date_of(clock_s()),
                         .is_utf8 = j->begin.flags & ENVELOPE_UTF8,
                         .about = arena_copy(&j->arena, str_c(queue_id_text(j->begin.queue_id).text)),
                         .sender = j->begin.sender,
                         .envelope_id = j->begin.envelope_id,
                         .arrived = date_of(j->begin.arrived_s) };
}

static dsn_recipient recipient_of(const job *j, const report_recipient *r)
{
    return (dsn_recipient){ .action = (dsn_action)r->action,
                            .address = r->address,
                            .original = r->original,
                            .orcpt = r->orcpt,
                            .status = r->status,
                            .reason = r->reason,
                            .remote = r->remote,
                            .last_try = date_of(r->when_s),
                            .retry_until = { .utc_s = (int64_t)j->begin.expires_s } };
}

/* A postmaster gets the facts without the words that are meant for a sender. */
static void text_write(job *j, pen *p, const dsn_report *r)
{
    const report_template *t = &j->bounce->templates.of[j->kind];
    bool is_copy = j->letter == LETTER_TO_POSTMASTER;
    str text = is_copy ? STR_NONE : template_text(j, t->text);
    str charset = r->is_utf8 ? STR("utf-8") : is_copy ? STR("us-ascii") : t->charset;
    dsn_part_append(&p->buf, r, STR("Notification"),
                    arena_printf(&j->arena, "text/plain; charset=%.*s", STR_ARG(charset)),
                    r->is_utf8 || dsn_is_8bit(text));
    buf_append(&p->buf, text);
    if (is_copy)
        buf_printf(&p->buf, "A message (%.*s) from <%.*s>, brought by %.*s:\r\n", STR_ARG(r->about),
                   STR_ARG(str_upto(r->sender, 450)), STR_ARG(str_upto(j->begin.client, 400)));
    for (uint32_t i = 0; i < j->row_count; i++) {
        dsn_recipient to = recipient_of(j, &j->rows[i]);
        dsn_recipient_text_append(&p->buf, r, &to);
        pen_flush(p, PEN_FULL);
    }
}

static void fields_write(job *j, pen *p, const dsn_report *r)
{
    dsn_part_append(&p->buf, r, STR("Delivery report"),
                    r->is_utf8 ? STR("message/global-delivery-status") : STR("message/delivery-status"), r->is_utf8);
    dsn_message_fields_append(&p->buf, r);
    for (uint32_t i = 0; i < j->row_count; i++) {
        dsn_recipient to = recipient_of(j, &j->rows[i]);
        dsn_recipient_fields_append(&p->buf, r, &to);
        pen_flush(p, PEN_FULL);
    }
}

static fault original_put(void *context, str piece)
{
    pen *p = context;
    pen_put(p, piece);
    return p->fault;
}

/* RFC 6533 4 to 6: what needs SMTPUTF8 has types of its own. */
static void original_write(pen *p, const dsn_report *r, const original *o, bool is_8bit)
{
    static const str types[2][2] = { { STR_ROW("text/rfc822-headers"), STR_ROW("message/global-headers") },
                                     { STR_ROW("message/rfc822"), STR_ROW("message/global") } };
    dsn_part_append(&p->buf, r, o->is_whole ? STR("Message") : STR("Header of the message"),
                    types[o->is_whole][r->is_utf8], is_8bit);
    pen_flush(p, 0);
    fault f = original_read(o, original_put, p);
    if (is_fault(f) && !is_fault(p->fault))
        p->fault = f;
    if (!p->ends_line)
        buf_append(&p->buf, STR("\r\n"));
    dsn_end_append(&p->buf, r);
    pen_flush(p, 0);
}

fault compose(job *j, uint64_t id, int to, composed *out)
{
    char boundary[DSN_BOUNDARY_MAX];
    queue_name name = queue_id_text(id);
    original o = original_of(j);
    bool is_8bit = false;
    dsn_report r = report_of(j, str_c(name.text));
    fault f = boundary_draw(&o, r.id, boundary, &is_8bit);
    if (!is_fault(f))
        f = original_message_id(&o, &j->arena, &r.message_id);
    if (is_fault(f))
        return f;
    pen p = { .fd = to, .buf = buf_new(PEN_BYTES) };
    r.boundary = str_c(boundary);
    r.is_8bit = is_8bit || dsn_is_8bit(j->bounce->templates.of[j->kind].text);
    dsn_header_append(&p.buf, &r);
    text_write(j, &p, &r);
    fields_write(j, &p, &r);
    original_write(&p, &r, &o, is_8bit);
    buf_free(&p.buf);
    *out = (composed){ .bytes = p.bytes,
                       .checksum = p.sum,
                       .flags = (r.is_8bit || r.is_utf8 ? ENVELOPE_8BIT : 0u) | (r.is_utf8 ? ENVELOPE_UTF8 : 0u) };
    return p.fault;
}
