#include "mail/address.h"
#include <arpa/inet.h>

static bool is_control(char c)
{
    return (unsigned char)c < 32 || c == 127;
}

/* RFC 5322 3.2.3 atext, and whatever is not ASCII (RFC 6531 3.3). */
static bool is_atext(char c)
{
    return (unsigned char)c >= 128 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

static bool is_label_char(char c)
{
    return (unsigned char)c >= 128 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_';
}

size_t utf8_length(str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;

    if (n == 0 || n > s.n)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
        (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return n;
}

bool utf8_is_valid(str s)
{
    for (size_t i = 0, n; i < s.n; i += n)
        if ((n = utf8_length(str_from(s, i))) == 0)
            return false;
    return true;
}

bool domain_is_valid(str domain)
{
    bool all_numeric = true;
    str rest = domain, label;

    if (domain.n == 0 || domain.n > ADDRESS_DOMAIN_MAX || domain.p[domain.n - 1] == '.' || !utf8_is_valid(domain))
        return false;
    while (str_cut(&rest, '.', &label)) {
        if (label.n == 0 || label.n > ADDRESS_LABEL_MAX || label.p[0] == '-' || label.p[label.n - 1] == '-')
            return false;
        for (size_t i = 0; i < label.n; i++) {
            if (!is_label_char(label.p[i]) && label.p[i] != '-')
                return false;
            all_numeric = all_numeric && label.p[i] >= '0' && label.p[i] <= '9';
        }
    }
    return !all_numeric;
}

typedef struct literal {
    int family;
    unsigned char bytes[16];
} literal;

/* RFC 5321 4.1.3. A general literal with another tag is not known to anybody, so refused. */
static bool literal_read(str domain, literal *out)
{
    char text[INET6_ADDRSTRLEN];
    const str tag = STR("IPv6:");

    if (domain.n < 2 || domain.p[0] != '[' || domain.p[domain.n - 1] != ']')
        return false;
    str inside = { domain.p + 1, domain.n - 2 };
    bool is_6 = str_starts_nocase(inside, tag);
    if (is_6)
        inside = str_from(inside, tag.n);
    if (inside.n == 0 || inside.n >= sizeof text || str_has(inside, '\0'))
        return false;
    memcpy(text, inside.p, inside.n);
    text[inside.n] = '\0';
    out->family = is_6 ? AF_INET6 : AF_INET;
    return inet_pton(out->family, text, out->bytes) == 1;
}

bool domain_is_literal(str domain)
{
    literal l;
    return literal_read(domain, &l);
}

static str literal_text(const literal *l, arena *mem)
{
    static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
    char text[INET6_ADDRSTRLEN];

    if (l->family == AF_INET || memcmp(l->bytes, mapped, sizeof mapped) == 0) {
        const unsigned char *v4 = l->family == AF_INET ? l->bytes : l->bytes + sizeof mapped;
        return arena_printf(mem, "[%u.%u.%u.%u]", v4[0], v4[1], v4[2], v4[3]);
    }
    inet_ntop(AF_INET6, l->bytes, text, sizeof text);
    return arena_printf(mem, "[ipv6:%s]", text);
}

/* Behind the closing quote of the local part at the front of `s`; 0: not closed, or bytes that no quoted string has. */
static size_t quoted_length(str s)
{
    for (size_t i = 1; i < s.n; i++) {
        if (s.p[i] == '"')
            return i + 1;
        if (s.p[i] == '\\' && ++i == s.n)
            return 0;
        if (is_control(s.p[i]))
            return 0;
    }
    return 0;
}

static size_t unquoted_length(str s)
{
    size_t n = 0;
    while (n < s.n && (is_atext(s.p[n]) || s.p[n] == '.'))
        n++;
    return n;
}

static bool has_odd_dots(str local)
{
    if (local.n == 0 || local.p[0] == '.' || local.p[local.n - 1] == '.')
        return true;
    for (size_t i = 1; i < local.n; i++)
        if (local.p[i] == '.' && local.p[i - 1] == '.')
            return true;
    return false;
}

/* "@a,@b:" in front; *rest is what follows. */
static bool route_read(str path, address *out, str *rest)
{
    size_t colon = str_find(path, ':');
    str hops = str_upto(path, colon), hop;

    if (colon == path.n)
        return false;
    out->has_source_route = true;
    out->route = hops;
    *rest = str_from(path, colon + 1);
    while (str_cut(&hops, ',', &hop)) {
        hop = str_trim(hop);
        if (hop.n < 2 || hop.p[0] != '@' || !(domain_is_valid(str_from(hop, 1)) || domain_is_literal(str_from(hop, 1))))
            return false;
    }
    return true;
}

static size_t unquoted_bytes(const address *a)
{
    size_t n = 0, end = a->local.n - (a->is_quoted ? 1 : 0);

    for (size_t i = a->is_quoted ? 1 : 0; i < end; i++, n++)
        i += a->is_quoted && a->local.p[i] == '\\';
    return n;
}

/* The local part at the front of `mailbox`: sets everything that is about it. NULL, or why it is refused. */
static const char *local_read(str mailbox, address *out)
{
    out->is_quoted = mailbox.n && mailbox.p[0] == '"';
    size_t n = out->is_quoted ? quoted_length(mailbox) : unquoted_length(mailbox);

    if (out->is_quoted && n == 0)
        return "quoted local part is not closed";
    if (n == 0)
        return "no local part";
    if (n == 2 && out->is_quoted)
        return "empty local part";
    out->local = str_upto(mailbox, n);
    if (unquoted_bytes(out) > ADDRESS_LOCAL_MAX)
        return "local part too long";
    out->has_odd_dots = !out->is_quoted && has_odd_dots(out->local);
    size_t first = out->is_quoted ? 1 : 0;
    if (out->is_quoted && out->local.p[first] == '\\')
        first++;
    out->has_dash_first = out->local.p[first] == '-';
    out->has_routing_chars = str_has(out->local, '@') || str_has(out->local, '%') || str_has(out->local, '!');
    return NULL;
}

static const char *domain_read(str domain, address *out)
{
    out->domain = domain;
    if (domain.n == 0)
        return "no domain";
    if (domain.p[0] == '[') {
        out->is_literal = true;
        return domain_is_literal(domain) ? NULL : "bad address literal";
    }
    out->has_trailing_dot = domain.n > 1 && domain.p[domain.n - 1] == '.';
    if (out->has_trailing_dot)
        domain.n--;
    if (domain.n > ADDRESS_DOMAIN_MAX)
        return "domain too long";
    if (str_has(domain, '@')) {
        out->has_routing_chars = true;
        return "more than one @";
    }
    return domain_is_valid(domain) ? NULL : "bad domain";
}

static const char *mailbox_read(str mailbox, address *out)
{
    const char *problem = local_read(mailbox, out);
    str rest = str_from(mailbox, out->local.n);

    if (problem || rest.n == 0)
        return problem;
    if (rest.p[0] != '@')
        return is_control(rest.p[0]) ? "control character" : "character that must be quoted in local part";
    return domain_read(str_from(rest, 1), out);
}

parse address_parse(str path, address *out)
{
    str mailbox = path;

    *out = (address){ .path = path, .is_null = path.n == 0 };
    if (path.n == 0)
        return PARSE_DONE;
    for (size_t i = 0; i < path.n; i++)
        out->is_utf8 = out->is_utf8 || (unsigned char)path.p[i] >= 128;
    if (out->is_utf8 && !utf8_is_valid(path))
        out->problem = "broken UTF-8";
    else if (path.p[0] == '@' && !route_read(path, out, &mailbox))
        out->problem = "bad source route";
    else
        out->problem = mailbox_read(mailbox, out);
    return out->problem ? PARSE_BAD : PARSE_DONE;
}

str address_local(const address *a, arena *mem)
{
    if (!a->is_quoted)
        return a->local;
    char *p = arena_get(mem, a->local.n);
    size_t n = 0;
    for (size_t i = 1; i + 1 < a->local.n; i++) {
        if (a->local.p[i] == '\\')
            i++;
        p[n++] = a->local.p[i];
    }
    return (str){ p, n };
}

str address_domain(const address *a, arena *mem)
{
    literal l;

    if (a->is_literal && literal_read(a->domain, &l))
        return literal_text(&l, mem);
    size_t n = a->domain.n - (a->has_trailing_dot ? 1 : 0);
    char *p = arena_get(mem, n + 1);
    for (size_t i = 0; i < n; i++) {
        char c = a->domain.p[i];
        p[i] = c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
    }
    return (str){ p, n };
}

static str joined(str local, const address *a, arena *mem)
{
    if (a->domain.n == 0)
        return local;
    str domain = address_domain(a, mem);
    char *p = arena_get(mem, local.n + 1 + domain.n);
    memcpy(p, local.p, local.n);
    p[local.n] = '@';
    memcpy(p + local.n + 1, domain.p, domain.n);
    return (str){ p, local.n + 1 + domain.n };
}

str address_key(const address *a, arena *mem)
{
    return a->is_null ? (str){ "", 0 } : joined(address_local(a, mem), a, mem);
}

bool address_quote(str local, buf *out)
{
    if (unquoted_length(local) == local.n && !has_odd_dots(local))
        return buf_append(out, local);
    buf_append_char(out, '"');
    for (size_t i = 0; i < local.n; i++) {
        if (local.p[i] == '"' || local.p[i] == '\\')
            buf_append_char(out, '\\');
        buf_append_char(out, local.p[i]);
    }
    return buf_append_char(out, '"');
}

str address_text(const address *a, arena *mem)
{
    if (a->is_null)
        return (str){ "", 0 };
    buf quoted = buf_new(ADDRESS_MAX);
    address_quote(address_local(a, mem), &quoted);
    str local = arena_copy(mem, buf_str(&quoted));
    buf_free(&quoted);
    return joined(local, a, mem);
}
