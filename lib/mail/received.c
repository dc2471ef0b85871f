#include "mail/received.h"
#include "mail/header.h"

enum { NAME_BYTES_MAX = 255, ADDRESS_BYTES_MAX = 400 };

/* Names inside the field: nothing that could end a comment, a path or a line. */
static void name_append(buf *out, str name, const char *forbidden, bool may_utf8, size_t max)
{
    for (size_t i = 0; i < name.n && i < max; i++) {
        unsigned char c = (unsigned char)name.p[i];
        bool is_fine = c >= 128 ? may_utf8 : c > ' ' && c != 127 && !strchr(forbidden, c);
        buf_append_char(out, is_fine ? (char)c : '?');
    }
}

static void host_append(buf *out, str name)
{
    name_append(out, name.n ? name : STR("unknown"), "()<>\\\";,@", false, NAME_BYTES_MAX);
}

/* RFC 3848 and RFC 6531 4.3 */
static void protocol_append(buf *out, const trace_field *r)
{
    bool is_extended = r->is_esmtp || r->is_lmtp || r->is_utf8;

    if (r->is_lmtp)
        buf_append(out, r->is_utf8 ? STR("UTF8LMTP") : STR("LMTP"));
    else
        buf_append(out, r->is_utf8 ? STR("UTF8SMTP") : is_extended ? STR("ESMTP") : STR("SMTP"));
    if (is_extended && r->tls_version.n)
        buf_append_char(out, 'S');
    if (is_extended && r->has_login)
        buf_append_char(out, 'A');
}

static void client_append(buf *out, const trace_field *r)
{
    buf_append(out, STR("from "));
    host_append(out, r->helo.n ? r->helo : r->client_name);
    buf_append(out, STR(" ("));
    host_append(out, r->client_name);
    buf_append(out, str_has(r->client_ip, ':') ? STR(" [IPv6:") : STR(" ["));
    host_append(out, r->client_ip);
    buf_append(out, STR("])\r\n\t"));
    if (r->tls_version.n == 0)
        return;
    buf_append(out, STR("(using "));
    host_append(out, r->tls_version);
    buf_append(out, STR(" with cipher "));
    host_append(out, r->tls_cipher);
    if (r->tls_bits)
        buf_printf(out, " (%u bits)", r->tls_bits);
    buf_append(out, STR(")\r\n\t"));
}

bool received_append(buf *out, const trace_field *r)
{
    bool is_local = r->client_ip.n == 0;

    buf_append(out, STR("Received: "));
    if (!is_local)
        client_append(out, r);
    buf_append(out, STR("by "));
    host_append(out, r->host);
    if (is_local) {
        buf_printf(out, " (from uid %llu)", (unsigned long long)r->uid);
    } else {
        buf_append(out, STR(" with "));
        protocol_append(out, r);
    }
    buf_append(out, STR("\r\n\tid "));
    host_append(out, r->id);
    if (r->recipient.n) {
        buf_append(out, STR("\r\n\tfor <"));
        name_append(out, r->recipient, "<>", r->is_utf8, ADDRESS_BYTES_MAX);
        buf_append_char(out, '>');
    }
    buf_append(out, STR("; "));
    date_append(out, r->when);
    buf_append(out, STR("\r\n"));
    return !out->overflow;
}

unsigned received_count(str header_block)
{
    header_walk walk = header_open(header_block);
    header_field field;
    unsigned n = 0;

    while (header_next(&walk, &field))
        n += field.is_valid && str_equal_nocase(field.name, STR("Received"));
    return n;
}
