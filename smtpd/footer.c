/* smtpd_reject_footer: what stands behind every refusal, so that a sender knows whom to ask. Runs in: smtpd. */
#include "base/clock.h"
#include "mail/date.h"
#include "smtpd/session.h"

typedef void append(const session *s, buf *out);

static void client_append(const session *s, buf *out)
{
    buf_append(out, str_c(s->client));
}

static void time_append(const session *s, buf *out)
{
    (void)s;
    date_append(out, (date){ .utc_s = (int64_t)clock_s() });
}

static void server_append(const session *s, buf *out)
{
    buf_append(out, s->config->myhostname);
}

static void sender_append(const session *s, buf *out)
{
    buf_append(out, s->tx.reverse_path);
}

static void recipient_append(const session *s, buf *out)
{
    buf_append(out, s->question.recipient);
}

static void session_append(const session *s, buf *out)
{
    buf_append(out, str_c(s->id));
}

static const struct {
    str name;
    append *append;
} rows[] = {
    { STR_ROW("client_address"), client_append }, { STR_ROW("localtime"), time_append },
    { STR_ROW("server_name"), server_append },    { STR_ROW("sender"), sender_append },
    { STR_ROW("recipient"), recipient_append },   { STR_ROW("session"), session_append },
};

/* The length of the name behind a dollar sign, braces not counted. */
static size_t name_length(str s)
{
    size_t n = 0;
    while (n < s.n && ((s.p[n] >= 'a' && s.p[n] <= 'z') || s.p[n] == '_'))
        n++;
    return n;
}

static str name_append(const session *s, str behind, buf *out)
{
    bool has_braces = behind.n && behind.p[0] == '{';
    str rest = str_from(behind, has_braces);
    str name = str_upto(rest, name_length(rest));
    rest = str_from(rest, name.n);
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (str_equal(rows[i].name, name))
            rows[i].append(s, out);
    return has_braces && rest.n && rest.p[0] == '}' ? str_from(rest, 1) : rest;
}

/* As in Postfix: "\c" in front puts it on the reply's last line, else it has a line of its own. */
void footer_append(const session *s, buf *out)
{
    str rest = s->config->smtpd_reject_footer;
    if (rest.n == 0)
        return;
    if (str_starts(rest, STR("\\c")))
        rest = str_from(rest, 2);
    else
        buf_append_char(out, '\n');
    while (rest.n) {
        size_t at = str_find(rest, '$');
        buf_append(out, str_upto(rest, at));
        rest = at < rest.n ? name_append(s, str_from(rest, at + 1), out) : STR_NONE;
    }
}
