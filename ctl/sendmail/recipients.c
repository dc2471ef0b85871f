#include "ctl/sendmail/recipients.h"
#include "mail/address.h"
#include "mail/address_list.h"

enum { SHOWN_MAX = 60 };

static fault wrong(str text, const char *why)
{
    char shown[SHOWN_MAX + 1];
    size_t n = text.n < SHOWN_MAX ? text.n : SHOWN_MAX;
    for (size_t i = 0; i < n; i++)
        shown[i] = (unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f ? '?' : text.p[i];
    shown[n] = '\0';
    return fault_make(FAULT_REFUSED, "1.3", "not an address: \"%s%s\": %s", shown, text.n > SHOWN_MAX ? "…" : "",
                      why ? why : "no mailbox is named");
}

void recipients_free(recipients *r)
{
    vec_free(&r->rows);
    arena_free(&r->arena);
}

/* In its canonical form, with a domain. */
static fault path_read(str path, str origin, arena *a, str *out, bool *out_is_utf8)
{
    address parsed;
    *out = STR("");
    if (address_parse(path, &parsed) != PARSE_DONE)
        return wrong(path, parsed.problem);
    if (parsed.is_null)
        return NO_FAULT;
    str text = address_text(&parsed, a);
    *out = parsed.domain.n ? text : arena_printf(a, "%.*s@%.*s", STR_ARG(text), STR_ARG(origin));
    *out_is_utf8 = parsed.is_utf8;
    return NO_FAULT;
}

fault recipient_add(recipients *r, str path, str origin)
{
    str out;
    bool is_utf8 = false;
    if (r->rows.n >= RECIPIENTS_MAX)
        return fault_make(FAULT_REFUSED, "5.3", "more than %d recipients: send it in parts", RECIPIENTS_MAX);
    fault f = path_read(path, origin, &r->arena, &out, &is_utf8);
    if (!is_fault(f) && out.n == 0)
        f = wrong(path, NULL);
    if (is_fault(f))
        return f;
    r->has_utf8 = r->has_utf8 || is_utf8;
    *vec_add(&r->rows) = out;
    return NO_FAULT;
}

/* Line ends that are no folds would be read over as blanks, and hide what stands behind them. */
static bool is_one_value(str list)
{
    for (size_t i = 0; i < list.n; i++) {
        unsigned char c = (unsigned char)list.p[i];
        bool is_fold =
            (c == '\r' && i + 2 < list.n && list.p[i + 1] == '\n') || (c == '\n' && i && list.p[i - 1] == '\r');
        bool goes_on = is_fold && (c == '\r' || (i + 1 < list.n && (list.p[i + 1] == ' ' || list.p[i + 1] == '\t')));
        if ((c < ' ' || c == 0x7f) && c != '\t' && !goes_on)
            return false;
    }
    return true;
}

fault recipients_add_list(recipients *r, str list, str origin)
{
    if (!is_one_value(list))
        return wrong(list, "it has control characters");
    address_list l = address_list_open(list, &r->arena);
    address_entry e;
    fault f = NO_FAULT;
    while (!is_fault(f) && address_list_next(&l, &e)) {
        if (e.kind != ADDRESS_MAILBOX)
            continue;
        str path = address_entry_path(&e, &r->arena);
        f = e.is_broken ? wrong(path.n ? path : list, "it cannot be read") : recipient_add(r, path, origin);
    }
    return f;
}

fault sender_read(str text, str origin, arena *a, str *out)
{
    address_entry first, e;
    bool is_utf8;
    *out = STR("");
    text = str_trim(text);
    if (text.n == 0 || str_equal(text, STR("<>")))
        return NO_FAULT;
    address_list l = address_list_open(text, a);
    if (!address_list_next(&l, &first) || first.kind != ADDRESS_MAILBOX || first.is_broken)
        return wrong(text, "it cannot be read");
    if (address_list_next(&l, &e))
        return wrong(text, "a sender is one address");
    return path_read(address_entry_path(&first, a), origin, a, out, &is_utf8);
}
