#include "mail/verp.h"
#include "mail/address.h"

bool verp_is_valid(str delimiters, str filter)
{
    return delimiters.n == 2 && str_has(filter, delimiters.p[0]) && str_has(filter, delimiters.p[1]);
}

static bool parts_read(str path, arena *mem, str *out_local, str *out_domain)
{
    address a;
    if (address_parse(path, &a) != PARSE_DONE || a.is_null || a.domain.n == 0)
        return false;
    *out_local = address_local(&a, mem);
    *out_domain = a.is_literal ? a.domain : address_domain(&a, mem);
    return true;
}

bool verp_sender(str sender, str recipient, str delimiters, arena *mem, str *out)
{
    str local, origin, user, domain;
    *out = sender;
    if (delimiters.n != 2 || !parts_read(sender, mem, &local, &origin) || !parts_read(recipient, mem, &user, &domain))
        return false;
    str all = arena_printf(mem, "%.*s%c%.*s%c%.*s", STR_ARG(local), delimiters.p[0], STR_ARG(user), delimiters.p[1],
                           STR_ARG(domain));
    buf text = buf_new(2 * all.n + origin.n + 8);
    address a;
    bool fits = address_quote(all, &text) && buf_append_char(&text, '@') && buf_append(&text, origin) &&
                address_parse(buf_str(&text), &a) == PARSE_DONE;
    if (fits)
        *out = arena_copy(mem, buf_str(&text));
    buf_free(&text);
    return fits;
}
