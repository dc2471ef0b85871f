/* Letters to postmaster about sessions of smtpd in which something went wrong. Runs in: bounce. They are small, and go to cleanup with
 * their envelope. What fails of one is logged and never asked for again: nothing is lost with it but the letter. */
#include "base/checksum.h"
#include "base/clock.h"
#include "base/log.h"
#include "bounce/bounce.h"
#include "ipc/talk/notice.h"
#include "mail/date.h"
#include "queue/id.h"

enum { NOTICES_MAX = 100, RECIPIENTS_MAX = 2, KNOWN = 2 * NOTICE_SOFTWARE - 1 };

/* smtpd made it clean, which it may have forgotten. */
static void clean_append(buf *out, str text)
{
    text = str_upto(text, NOTICE_TEXT_MAX);
    for (size_t i = 0; i < text.n; i++)
        buf_append_char(out, (char)(text.p[i] >= ' ' && text.p[i] < 127 ? text.p[i] : '?'));
}

static void field_append(buf *out, const char *name, str value)
{
    if (value.n == 0)
        return;
    buf_printf(out, "%s: ", name);
    clean_append(out, value);
    buf_append(out, STR("\r\n"));
}

static void classes_append(buf *out, unsigned classes)
{
    const char *gap = "";
#define CLASS(name, bit, word)              \
    if (classes & (bit)) {                  \
        buf_printf(out, "%s%s", gap, word); \
        gap = ", ";                         \
    }
    NOTICE_CLASSES(CLASS)
#undef CLASS
}

static str classes_text(job *j, unsigned classes)
{
    buf words = buf_new(100);
    classes_append(&words, classes);
    str text = arena_copy(&j->arena, buf_str(&words));
    buf_free(&words);
    return text;
}

static void header_append(job *j, const notice_session *m, const str *to, size_t count, buf *out)
{
    const config *c = daemon_config(j->bounce->process);
    buf_append(out, STR("Date: "));
    date_append(out, (date){ .utc_s = (int64_t)clock_s() });
    buf_append(out, STR("\r\n"));
    field_append(out, "From", letter_from(j, j->bounce->templates.of[REPORT_OF_FAILURE].from));
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "%s%.*s%s", i ? ", " : "To: ", STR_ARG(to[i]), i + 1 == count ? "\r\n" : "");
    field_append(out, "Subject",
                 arena_printf(&j->arena, "SMTP session of %.*s: error of class %.*s", STR_ARG(str_upto(m->client, 64)),
                              STR_ARG(classes_text(j, m->classes))));
    field_append(out, "Message-ID",
                 arena_printf(&j->arena, "<notice.%.*s@%.*s>", STR_ARG(j->session), STR_ARG(c->myhostname)));
    buf_append(out, STR("Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
                        "Content-Type: text/plain; charset=us-ascii\r\n\r\n"));
}

static void transcript_append(str lines, buf *out)
{
    str line;
    while (lines.n && str_cut(&lines, '\n', &line)) {
        clean_append(out, line);
        buf_append(out, STR("\r\n"));
    }
}

static void body_append(job *j, const notice_session *m, buf *out)
{
    field_append(out, "Reason", m->reason);
    field_append(out, "Class", classes_text(j, m->classes));
    field_append(out, "Client", m->client);
    field_append(out, "HELO", m->helo);
    field_append(out, "Login", m->login);
    field_append(out, "Service", m->service);
    field_append(out, "Session", j->session);
    buf_append(out, STR("\r\nTranscript of the session:\r\n\r\n"));
    transcript_append(m->transcript, out);
}

/* As in Postfix: refused mail has a reader of its own. */
static size_t recipients_find(job *j, unsigned classes, str out[RECIPIENTS_MAX])
{
    const config *c = daemon_config(j->bounce->process);
    size_t count = 0;
    if (classes & ~(unsigned)NOTICE_BOUNCE)
        out[count++] = letter_postmaster(j, c->error_notice_recipient);
    if (classes & NOTICE_BOUNCE)
        out[count++] = letter_postmaster(j, c->bounce_notice_recipient);
    return count == 2 && str_equal(out[0], out[1]) ? 1 : count;
}

static void put(job *j, str content, const str *to, size_t count)
{
    channel *ch = &j->cleanup->channel;
    envelope e = { .reverse_path = letter_sender(j),
                   .session = arena_printf(&j->arena, "notice-of-%.*s", STR_ARG(j->session)),
                   .protocol = STR("local") };
    cleanup_commit m = { .content_bytes = content.n,
                         .content_checksum = checksum(0, content),
                         .recipient_count = (uint32_t)count,
                         .content = content };
    channel_put(ch, CLEANUP_ENVELOPE, j->ref, envelope, &e);
    for (size_t i = 0; i < count; i++) {
        envelope_recipient r = { .address = to[i], .original = to[i] };
        channel_put(ch, CLEANUP_RECIPIENT, j->ref, envelope_recipient, &r);
    }
    channel_put(ch, CLEANUP_COMMIT, j->ref, cleanup_commit, &m);
    j->cleanup->asked++;
}

static fault bring(job *j, const notice_session *m)
{
    str to[RECIPIENTS_MAX];
    buf content = buf_new(CLEANUP_ENCLOSED_MAX);
    size_t count = recipients_find(j, m->classes, to);
    header_append(j, m, to, count, &content);
    body_append(j, m, &content);
    fault f = content.overflow ? fault_make(FAULT_BUG, "3.0", "the letter is too large") : NO_FAULT;
    if (!is_fault(f)) {
        j->cleanup = daemon_peer(j->bounce->process, "cleanup");
        if (j->cleanup)
            put(j, buf_str(&content), to, count);
        else
            f = fault_make(FAULT_TRY_LATER, "3.0", "cleanup is not there");
    }
    buf_free(&content);
    return f;
}

void notice_end(job *j, fault outcome, uint64_t id)
{
    if (is_fault(outcome))
        log_event(LOG_WARNING, "no-postmaster-notice", LOG_STR("session", j->session), LOG_C("reason", outcome.text));
    else
        log_event(LOG_INFO, "postmaster-notice", LOG_STR("session", j->session),
                  LOG_C("report", queue_id_text(id).text));
    j->bounce->notices--;
    job_free(j);
}

static bool is_valid(const notice_session *m)
{
    return m->classes && (m->classes & ~(unsigned)KNOWN) == 0 && m->session.n && m->session.n <= NOTICE_TEXT_MAX &&
           m->transcript.n <= NOTICE_TRANSCRIPT_MAX;
}

static bool on_notice(void *context, channel *ch, received *r)
{
    peer *from = context;
    bounce *b = from->daemon->state;
    notice_session m;
    (void)ch;
    if (notice_session_decode(r->bytes, &m) != PARSE_DONE || !is_valid(&m))
        return false;
    job *j = job_new(b);
    buf name = buf_new(NOTICE_TEXT_MAX);
    clean_append(&name, m.session);
    j->session = arena_copy(&j->arena, buf_str(&name));
    buf_free(&name);
    j->letter = LETTER_TO_POSTMASTER;
    fault f =
        ++b->notices > NOTICES_MAX ? fault_make(FAULT_TRY_LATER, "3.0", "many are on their way already") : bring(j, &m);
    if (is_fault(f))
        notice_end(j, f, 0);
    return true;
}

static const talk_row rows[] = { { NOTICE_SESSION, 0, 0, on_notice } };
const talk notice_talk = { "smtpd-bounce", rows, COUNT_OF(rows), NULL };
