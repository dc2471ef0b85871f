#include "ctl/sendmail/deliver.h"
#include "ctl/sendmail/content.h"
#include "ctl/sendmail/header.h"
#include "mail/verp.h"
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

enum { PIECE = 64 * 1024 };

int fault_status(fault f, int refused)
{
    if (!is_fault(f))
        return EX_OK;
    fprintf(stderr, "sendmail: %s\n", f.text);
    return f.kind == FAULT_REFUSED ? refused : f.kind == FAULT_TRY_LATER ? EX_TEMPFAIL : EX_SOFTWARE;
}

/* The real user: the environment says nothing here. */
static str account_name(arena *a)
{
    const struct passwd *p = getpwuid(getuid());
    return p ? arena_copy(a, str_c(p->pw_name)) : arena_printf(a, "uid%u", (unsigned)getuid());
}

fault sender_of(const config *c, const sendmail_options *o, arena *a, str *out)
{
    return sender_read(o->has_sender ? o->sender : account_name(a), c->myorigin, a, out);
}

/* The first part of the comment field; an ampersand there is the account's name with a capital letter. */
static str full_name_of(const sendmail_options *o, arena *a)
{
    const struct passwd *p = o->full_name.p ? NULL : getpwuid(getuid());
    buf name = buf_new(1000);
    if (o->full_name.p)
        return str_trim(o->full_name);
    str comment = p ? str_upto(str_c(p->pw_gecos), str_find(str_c(p->pw_gecos), ',')) : STR_NONE;
    for (size_t i = 0; i < comment.n; i++) {
        if (comment.p[i] == '&' && p->pw_name[0]) {
            char first = p->pw_name[0];
            buf_append_char(&name, first >= 'a' && first <= 'z' ? (char)(first - 'a' + 'A') : first);
            buf_append(&name, str_c(p->pw_name + 1));
        } else {
            buf_append_char(&name, comment.p[i]);
        }
    }
    str out = str_trim(arena_copy(a, buf_str(&name)));
    buf_free(&name);
    return out;
}

typedef struct delivery {
    const config *config;
    const sendmail_options *options;
    arena arena;
    header_job job;
    recipients recipients;
    content content;
    sink sink;
} delivery;

static fault on_header(void *context, str header, buf *out)
{
    delivery *d = context;
    return header_prepare(&d->job, header, out);
}

static int arguments_take(delivery *d)
{
    const sendmail_options *o = d->options;
    fault f = NO_FAULT;
    for (int i = 0; i < o->recipient_count && !is_fault(f); i++)
        f = recipients_add_list(&d->recipients, str_c(o->recipients[i]), d->config->myorigin);
    if (is_fault(f))
        return fault_status(f, EX_USAGE);
    if (d->recipients.rows.n > 0 || o->reads_header)
        return EX_OK;
    fputs("sendmail: name the recipients, or take them from the header with -t\n", stderr);
    return EX_USAGE;
}

/* What was read goes on; `p` says how the reader stands after it. */
static int piece_pass(delivery *d, parse p, buf *out)
{
    if (p == PARSE_BAD)
        return fault_status(d->content.fault, EX_DATAERR);
    int status = fault_status(sink_write(&d->sink, buf_str(out)), EX_UNAVAILABLE);
    buf_clear(out);
    return status;
}

static int input_copy(delivery *d)
{
    static char piece[PIECE];
    buf out = buf_new(2 * CONTENT_HEADER_MAX);
    parse p = PARSE_MORE;
    int status = EX_OK;
    while (p == PARSE_MORE && status == EX_OK) {
        ssize_t n = read(STDIN_FILENO, piece, sizeof piece);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            fprintf(stderr, "sendmail: read the message: %s\n", strerror(errno));
            status = EX_IOERR;
            break;
        }
        p = n ? content_feed(&d->content, (str){ piece, (size_t)n }, &out) : content_end(&d->content, &out);
        status = piece_pass(d, p, &out);
    }
    buf_free(&out);
    return status;
}

static str verp_of(const delivery *d)
{
    const sendmail_options *o = d->options;
    return !o->has_verp ? STR_NONE : o->verp.n ? o->verp : d->config->default_verp_delimiters;
}

static int commit(delivery *d)
{
    const sendmail_options *o = d->options;
    uint64_t id;
    if (o->has_verp && (d->job.sender.n == 0 || !verp_is_valid(verp_of(d), d->config->verp_delimiter_filter))) {
        fputs("sendmail: -XV needs a sender, and two delimiters that verp_delimiter_filter has\n", stderr);
        return EX_USAGE;
    }
    if (d->recipients.rows.n == 0) {
        fputs("sendmail: the header names no recipients\n", stderr);
        return EX_USAGE;
    }
    envelope e = { .reverse_path = d->job.sender,
                   .session = STR("sendmail"),
                   .protocol = STR("local"),
                   .login = arena_printf(&d->arena, "uid:%u", (unsigned)getuid()),
                   .envelope_id = o->envelope_id,
                   .returns = o->returns,
                   .verp = verp_of(d),
                   .flags = ENVELOPE_SUBMITTED };
    if (o->is_8bit || d->content.is_8bit)
        e.flags |= ENVELOPE_8BIT;
    if (d->recipients.has_utf8)
        e.flags |= ENVELOPE_UTF8;
    wishes w = { .notify = o->notify };
    return fault_status(sink_commit(&d->sink, &e, &d->recipients, &w, &id), EX_UNAVAILABLE);
}

int message_deliver(const config *c, const sendmail_options *o)
{
    delivery d = { .config = c, .options = o, .sink = sink_new(c) };
    d.content = content_new(o->ignores_dot, on_header, &d);
    d.job = (header_job){ .recipients = o->reads_header ? &d.recipients : NULL, .origin = c->myorigin };
    int status = fault_status(sender_of(c, o, &d.arena, &d.job.sender), EX_USAGE);
    d.job.full_name = full_name_of(o, &d.arena);
    if (status == EX_OK)
        status = arguments_take(&d);
    if (status == EX_OK)
        status = input_copy(&d);
    if (status == EX_OK)
        status = commit(&d);
    sink_free(&d.sink);
    content_free(&d.content);
    recipients_free(&d.recipients);
    arena_free(&d.arena);
    return status;
}
