#include "mail/dsn.h"
#include "mail/address.h"
#include "mail/header.h"

enum {
    VALUE_MAX = 900,      /* a line has 998 octets at most (RFC 5322 2.1.1), and a value may have no blank to fold at */
    MESSAGE_ID_MAX = 500, /* a References field with one stays within the 998 octets of a line */
    TEXT_WIDTH = 78,
};

static const char *const action_words[] = {
    [DSN_FAILED] = "failed",   [DSN_DELAYED] = "delayed",   [DSN_DELIVERED] = "delivered",
    [DSN_RELAYED] = "relayed", [DSN_EXPANDED] = "expanded",
};

static const char *const default_status[] = {
    [DSN_FAILED] = "5.0.0",  [DSN_DELAYED] = "4.0.0",  [DSN_DELIVERED] = "2.0.0",
    [DSN_RELAYED] = "2.0.0", [DSN_EXPANDED] = "2.0.0",
};

bool dsn_is_8bit(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] >= 0x80)
            return true;
    return false;
}

void dsn_boundary(str id, const unsigned char bytes[DSN_BOUNDARY_BYTES], char out[DSN_BOUNDARY_MAX])
{
    static const char digits[] = "0123456789abcdef";
    size_t n = 0;
    for (size_t i = 0; i < id.n && n < DSN_BOUNDARY_MAX - 2 * DSN_BOUNDARY_BYTES - 3; i++)
        if ((id.p[i] >= '0' && id.p[i] <= '9') || (id.p[i] >= 'A' && id.p[i] <= 'Z'))
            out[n++] = id.p[i];
    out[n++] = '.';
    for (size_t i = 0; i < DSN_BOUNDARY_BYTES; i++) {
        out[n++] = digits[bytes[i] >> 4];
        out[n++] = digits[bytes[i] & 15];
    }
    out[n] = '\0';
}

/* One line without control characters; bytes above 127 only where they may stand and are UTF-8. */
static bool clean_append(buf *out, str s, bool may_utf8)
{
    bool keeps_8bit = may_utf8 && utf8_is_valid(s);
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool is_control = c < ' ' || c == 0x7f;
        buf_append_char(out, is_control               ? (c == '\t' || c == '\r' || c == '\n' ? ' ' : '?')
                             : c < 0x80 || keeps_8bit ? (char)c
                                                      : '?');
    }
    return !out->overflow;
}

static bool field_append(buf *out, const char *name, str before, str value, bool may_utf8)
{
    buf line = buf_new(VALUE_MAX);
    buf_append(&line, before);
    clean_append(&line, str_upto(value, VALUE_MAX - before.n), may_utf8);
    bool fits = header_add(out, str_c(name), buf_str(&line));
    buf_free(&line);
    return fits;
}

static bool date_field_append(buf *out, const char *name, date d)
{
    return buf_printf(out, "%s: ", name) && date_append(out, d) && buf_append(out, STR("\r\n"));
}

/* The number of a character that is not ASCII, as RFC 6533 3 writes it in ASCII: \x{E4}. */
static bool character_append(buf *out, str s, size_t *used)
{
    size_t n = utf8_length(s);
    *used = n ? n : 1;
    if (n == 0)
        return buf_append_char(out, '?');
    uint32_t code = (unsigned char)s.p[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++)
        code = code << 6 | ((unsigned char)s.p[i] & 0x3f);
    return buf_printf(out, "\\x{%X}", (unsigned)code);
}

static bool utf8_escaped_append(buf *out, str s)
{
    for (size_t at = 0, used = 1; at < s.n; at += used) {
        unsigned char c = (unsigned char)s.p[at];
        used = 1;
        if (c >= 0x80)
            character_append(out, str_from(s, at), &used);
        else if (c <= ' ' || c == 0x7f || c == '\\' || c == '+' || c == '=')
            buf_printf(out, "\\x{%02X}", c);
        else
            buf_append_char(out, (char)c);
    }
    return !out->overflow;
}

/* "rfc822; address", or its like for an address that is not ASCII. */
static bool address_field_append(buf *out, const char *name, str mailbox, bool is_utf8)
{
    if (!dsn_is_8bit(mailbox))
        return field_append(out, name, STR("rfc822; "), mailbox, false);
    if (is_utf8)
        return field_append(out, name, STR("utf-8; "), mailbox, true);
    buf escaped = buf_new(8 * VALUE_MAX);
    utf8_escaped_append(&escaped, mailbox);
    bool fits = field_append(out, name, STR("utf-8; "), buf_str(&escaped), false);
    buf_free(&escaped);
    return fits;
}

/* Its type is the client's own, and was checked to be a word. */
static bool orcpt_append(buf *out, const dsn_report *r, str orcpt)
{
    str mailbox = orcpt, type;
    if (!str_cut(&mailbox, ';', &type) || type.n == 0 || mailbox.n == 0 || type.n > 40)
        return true;
    buf before = buf_new(64);
    clean_append(&before, type, false);
    buf_append(&before, STR("; "));
    bool fits = field_append(out, "Original-Recipient", buf_str(&before), mailbox, r->is_utf8);
    buf_free(&before);
    return fits;
}

bool dsn_header_append(buf *out, const dsn_report *r)
{
    buf value = buf_new(VALUE_MAX);
    buf_append(out, STR("Received: by "));
    clean_append(out, r->host, false);
    buf_append(out, STR("\r\n\tid "));
    clean_append(out, r->id, false);
    buf_append(out, STR("; "));
    date_append(out, r->when);
    buf_append(out, STR("\r\n"));
    date_field_append(out, "Date", r->when);
    field_append(out, "From", STR_NONE, r->from, r->is_utf8);
    field_append(out, "Subject", STR_NONE, r->subject, r->is_utf8);
    field_append(out, "To", STR_NONE, r->to, r->is_utf8);
    buf_printf(&value, "<%.*s@%.*s>", STR_ARG(r->id), STR_ARG(r->host));
    field_append(out, "Message-ID", STR_NONE, buf_str(&value), false);
    buf_free(&value);
    if (r->message_id.n) {
        field_append(out, "In-Reply-To", STR_NONE, r->message_id, false);
        field_append(out, "References", STR_NONE, r->message_id, false);
    }
    buf_append(out, STR("Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"));
    buf_printf(out, "Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"%.*s\"\r\n",
               STR_ARG(r->boundary));
    if (r->is_8bit || r->is_utf8)
        buf_append(out, STR("Content-Transfer-Encoding: 8bit\r\n"));
    return buf_append(out, STR("\r\nThis is a message in MIME format with several parts.\r\n"));
}

bool dsn_part_append(buf *out, const dsn_report *r, str description, str type, bool is_8bit)
{
    buf_printf(out, "\r\n--%.*s\r\nContent-Description: %.*s\r\nContent-Type: %.*s\r\n", STR_ARG(r->boundary),
               STR_ARG(description), STR_ARG(type));
    if (is_8bit)
        buf_append(out, STR("Content-Transfer-Encoding: 8bit\r\n"));
    return buf_append(out, STR("\r\n"));
}

bool dsn_end_append(buf *out, const dsn_report *r)
{
    return buf_printf(out, "\r\n--%.*s--\r\n", STR_ARG(r->boundary));
}

bool dsn_message_fields_append(buf *out, const dsn_report *r)
{
    field_append(out, "Reporting-MTA", STR("dns; "), r->host, false);
    field_append(out, "X-Postrider-Queue-ID", STR_NONE, r->about, false);
    if (r->sender.n)
        address_field_append(out, "X-Postrider-Sender", r->sender, r->is_utf8);
    if (r->envelope_id.n)
        field_append(out, "Original-Envelope-Id", STR_NONE, r->envelope_id, false);
    date_field_append(out, "Arrival-Date", r->arrived);
    return !out->overflow;
}

static bool is_number(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return s.n >= 1 && s.n <= 3;
}

/* RFC 3463 2 */
static bool is_status(str s)
{
    str detail = s, class, subject;
    return str_cut(&detail, '.', &class) && str_cut(&detail, '.', &subject) && class.n == 1 &&
           str_has(STR("245"), class.p[0]) && is_number(subject) && is_number(detail);
}

static const char *status_default(dsn_action a)
{
    return a >= DSN_FAILED && a <= DSN_EXPANDED ? default_status[a] : "5.0.0";
}

static const char *action_word(dsn_action a)
{
    return a >= DSN_FAILED && a <= DSN_EXPANDED ? action_words[a] : "failed";
}

static bool has_other_original(const dsn_recipient *to)
{
    return to->original.n && !str_equal_nocase(to->original, to->address);
}

bool dsn_recipient_fields_append(buf *out, const dsn_report *r, const dsn_recipient *to)
{
    buf_append(out, STR("\r\n"));
    if (to->orcpt.n)
        orcpt_append(out, r, to->orcpt);
    else if (has_other_original(to))
        address_field_append(out, "Original-Recipient", to->original, r->is_utf8);
    address_field_append(out, "Final-Recipient", to->address, r->is_utf8);
    buf_printf(out, "Action: %s\r\n", action_word(to->action));
    field_append(out, "Status", STR_NONE, is_status(to->status) ? to->status : str_c(status_default(to->action)),
                 false);
    if (to->remote.n)
        field_append(out, "Remote-MTA", STR("dns; "), to->remote, false);
    if (to->reason.n)
        field_append(out, "Diagnostic-Code", to->remote.n ? STR("smtp; ") : STR("X-Postrider; "), to->reason,
                     r->is_utf8);
    if (to->last_try.utc_s > 0)
        date_field_append(out, "Last-Attempt-Date", to->last_try);
    if (to->action == DSN_DELAYED && to->retry_until.utc_s > 0)
        date_field_append(out, "Will-Retry-Until", to->retry_until);
    return !out->overflow;
}

/* Words, four blanks in front of each further line. */
static bool wrapped_append(buf *out, str s)
{
    size_t column = 0;
    for (str word; str_word(&s, " ", &word);) {
        if (column && column + 1 + word.n > TEXT_WIDTH) {
            buf_append(out, STR("\r\n   "));
            column = 3;
        }
        if (column++)
            buf_append_char(out, ' ');
        buf_append(out, word);
        column += word.n;
    }
    return buf_append(out, STR("\r\n"));
}

bool dsn_recipient_text_append(buf *out, const dsn_report *r, const dsn_recipient *to)
{
    buf line = buf_new(4 * VALUE_MAX);
    buf_append_char(&line, '<');
    clean_append(&line, str_upto(to->address, VALUE_MAX / 2), r->is_utf8);
    buf_append_char(&line, '>');
    if (has_other_original(to)) {
        buf_append(&line, STR(" (for <"));
        clean_append(&line, str_upto(to->original, VALUE_MAX / 2), r->is_utf8);
        buf_append(&line, STR(">)"));
    }
    buf_append(&line, STR(": "));
    if (to->remote.n) {
        buf_append(&line, STR("host "));
        clean_append(&line, str_upto(to->remote, VALUE_MAX / 2), false);
        buf_append(&line, STR(" said: "));
    }
    clean_append(&line, to->reason.n ? str_upto(to->reason, VALUE_MAX) : str_c(action_word(to->action)), r->is_utf8);
    bool fits = buf_append(out, STR("\r\n")) && wrapped_append(out, buf_str(&line));
    buf_free(&line);
    return fits;
}

str dsn_message_id(str value)
{
    size_t start = str_find(value, '<');
    str id = str_from(value, start);
    size_t end = str_find(id, '>');
    if (start == value.n || end == id.n || end < 2 || end >= MESSAGE_ID_MAX)
        return STR_NONE;
    id = str_upto(id, end + 1);
    for (size_t i = 1; i < end; i++)
        if (id.p[i] <= ' ' || id.p[i] >= 0x7f || id.p[i] == '<')
            return STR_NONE;
    return id;
}
