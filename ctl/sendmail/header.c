#include "ctl/sendmail/header.h"
#include "base/base64.h"
#include "mail/address.h"
#include "mail/header.h"

static bool is_one_of(str name, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_equal_nocase(name, str_c(names[i])))
            return true;
    return false;
}

static const char *const to_names[] = { "To", "Cc", "Bcc" };
static const char *const resent_names[] = { "Resent-To", "Resent-Cc", "Resent-Bcc" };
static const char *const hidden_names[] = { "Bcc", "Resent-Bcc", "Return-Path" };

/* RFC 5322 3.6.6: of a message that is sent again, the Resent fields say who it goes to. */
static bool is_resent(str header)
{
    header_walk walk = header_open(header);
    header_field f;
    while (header_next(&walk, &f))
        if (f.is_valid && is_one_of(f.name, resent_names, COUNT_OF(resent_names)))
            return true;
    return false;
}

static fault recipients_take(const header_job *job, str header)
{
    const char *const *names = is_resent(header) ? resent_names : to_names;
    header_walk walk = header_open(header);
    header_field f;
    fault found = NO_FAULT;
    while (!is_fault(found) && header_next(&walk, &f))
        if (f.is_valid && is_one_of(f.name, names, COUNT_OF(to_names)))
            found = recipients_add_list(job->recipients, f.value, job->origin);
    return found;
}

static bool is_plain(str name)
{
    for (size_t i = 0; i < name.n; i++)
        if ((unsigned char)name.p[i] < ' ' || (unsigned char)name.p[i] >= 0x7f)
            return false;
    return true;
}

/* RFC 5322 3.2.3: words of atoms need no quotes. */
static bool is_atoms(str name)
{
    for (size_t i = 0; i < name.n; i++)
        if (strchr("()<>[]:;@\\,.\"", name.p[i]))
            return false;
    return true;
}

/* As it is, a quoted string, or an encoded word each 45 octets where there is more than ASCII (RFC 2047 2). */
static void name_append(str name, buf *out)
{
    if (is_plain(name) && is_atoms(name)) {
        buf_append(out, name);
        return;
    }
    if (is_plain(name)) {
        buf_append_char(out, '"');
        for (size_t i = 0; i < name.n; i++) {
            if (name.p[i] == '"' || name.p[i] == '\\')
                buf_append_char(out, '\\');
            buf_append_char(out, name.p[i]);
        }
        buf_append_char(out, '"');
        return;
    }
    const char *charset = utf8_is_valid(name) ? "utf-8" : "iso-8859-1";
    while (name.n) {
        size_t n = name.n < 45 ? name.n : 45;
        while (n < name.n && n > 1 && ((unsigned char)name.p[n] & 0xc0) == 0x80)
            n--; /* no character is cut */
        buf_printf(out, "=?%s?B?", charset);
        base64_encode(str_upto(name, n), out);
        buf_append(out, STR("?="));
        name = str_from(name, n);
        if (name.n)
            buf_append_char(out, ' ');
    }
}

static void from_add(const header_job *job, buf *out)
{
    arena a = arena_new(0);
    buf value = buf_new(16 * 1024);
    str sender = job->sender.n ? job->sender : arena_printf(&a, "MAILER-DAEMON@%.*s", STR_ARG(job->origin));
    if (job->full_name.n) {
        name_append(job->full_name, &value);
        buf_append(&value, STR(" "));
    }
    buf_printf(&value, job->full_name.n ? "<%.*s>" : "%.*s", STR_ARG(sender));
    header_add(out, STR("From"), buf_str(&value));
    buf_free(&value);
    arena_free(&a);
}

fault header_prepare(const header_job *job, str header, buf *out)
{
    header_field f;
    if (!header_find(header, STR("From"), &f) && !header_find(header, STR("Resent-From"), &f))
        from_add(job, out);
    header_walk walk = header_open(header);
    while (header_next(&walk, &f))
        if (!f.is_valid || !is_one_of(f.name, hidden_names, COUNT_OF(hidden_names)))
            buf_append(out, (str){ header.p + f.start, f.end - f.start });
    return job->recipients ? recipients_take(job, header) : NO_FAULT;
}
