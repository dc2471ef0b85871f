#include "policy/engine/access.h"
#include "base/num.h"

void access_host_keys(str name, bool is_pattern, arena *mem, access_keys *out)
{
    (void)mem;
    if (name.n == 0)
        return;
    *vec_add(out) = name;
    bool has_parents = !is_pattern && name.p[0] != '[';
    for (size_t dot; has_parents && (dot = str_find(name, '.')) + 1 < name.n;) {
        name = str_from(name, dot + 1);
        *vec_add(out) = name;
    }
}

void access_address_keys(str address, bool is_pattern, arena *mem, access_keys *out)
{
    char divider = str_has(address, ':') ? ':' : '.';

    (void)mem;
    if (address.n == 0)
        return;
    *vec_add(out) = address;
    for (size_t at; !is_pattern && (at = str_find_last(address, divider)) < address.n && at > 0;) {
        address = str_upto(address, at);
        if (address.p[at - 1] != ':')
            *vec_add(out) = address;
    }
}

/* Where the extension begins, or local.n. A delimiter in front is part of the name. */
static size_t extension_at(str local, str delimiters)
{
    for (size_t i = 1; i < local.n; i++)
        if (str_has(delimiters, local.p[i]))
            return i;
    return local.n;
}

void access_mail_keys(str address, str delimiters, bool is_pattern, arena *mem, access_keys *out)
{
    size_t at = str_find_last(address, '@');
    str local = str_upto(address, at), domain = str_from(address, at + 1);
    str user = str_upto(local, extension_at(local, delimiters));

    if (address.n == 0)
        return;
    *vec_add(out) = address;
    if (is_pattern || at == address.n)
        return;
    if (user.n < local.n)
        *vec_add(out) = arena_printf(mem, "%.*s@%.*s", STR_ARG(user), STR_ARG(domain));
    access_host_keys(domain, false, mem, out);
    *vec_add(out) = arena_printf(mem, "%.*s@", STR_ARG(local));
    if (user.n < local.n)
        *vec_add(out) = arena_printf(mem, "%.*s@", STR_ARG(user));
}

static const struct {
    str word;
    access_verb verb;
    unsigned code;
} actions[] = {
    { STR_ROW("OK"), ACCESS_OK, 0 },
    { STR_ROW("DUNNO"), ACCESS_DUNNO, 0 },
    { STR_ROW("REJECT"), ACCESS_REPLY, 554 },
    { STR_ROW("DEFER"), ACCESS_REPLY, 450 },
    { STR_ROW("DEFER_IF_PERMIT"), ACCESS_IF_PERMIT, 450 },
    { STR_ROW("DEFER_IF_REJECT"), ACCESS_IF_REJECT, 450 },
    { STR_ROW("HOLD"), ACCESS_HOLD, 0 },
    { STR_ROW("DISCARD"), ACCESS_DISCARD, 0 },
    { STR_ROW("WARN"), ACCESS_WARN, 0 },
    { STR_ROW("INFO"), ACCESS_INFO, 0 },
    { STR_ROW("BCC"), ACCESS_NOT_SUPPORTED, 0 },
    { STR_ROW("FILTER"), ACCESS_NOT_SUPPORTED, 0 },
    { STR_ROW("PREPEND"), ACCESS_NOT_SUPPORTED, 0 },
    { STR_ROW("REDIRECT"), ACCESS_NOT_SUPPORTED, 0 },
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool all_digits(str s)
{
    size_t i = 0;
    while (i < s.n && is_digit(s.p[i]))
        i++;
    return s.n && i == s.n;
}

/* 4NN or 5NN, and nothing more. */
static bool code_read(str word, unsigned *out)
{
    uint64_t code;
    if (word.n != 3 || !num_parse(word, 400, 599, &code))
        return false;
    *out = (unsigned)code;
    return true;
}

bool access_status_cut(str *words, unsigned code, str *out)
{
    str rest = *words, status;
    uint64_t subject, detail;
    str s, first, second;

    if (!str_word(&rest, " \t", &status) || status.n < 5 || !is_digit(status.p[0]) || status.p[1] != '.' ||
        (unsigned)(status.p[0] - '0') != code / 100)
        return false;
    s = str_from(status, 2);
    if (!str_cut(&s, '.', &first) || !str_cut(&s, '.', &second) || s.p || !num_parse(first, 0, 999, &subject) ||
        !num_parse(second, 0, 999, &detail))
        return false;
    *out = status;
    *words = str_trim(rest);
    return true;
}

access_result access_read(str value)
{
    str rest = str_trim(value), word = STR("");
    access_result r = { .verb = ACCESS_RESTRICTIONS, .words = rest };

    if (!str_word(&rest, " \t", &word))
        return r;
    rest = str_trim(rest);
    if (code_read(word, &r.code)) {
        r.verb = ACCESS_REPLY;
    } else if (all_digits(str_trim(value))) {
        r.verb = ACCESS_OK;
    } else {
        size_t i = 0;
        while (i < COUNT_OF(actions) && !str_equal_nocase(actions[i].word, word))
            i++;
        if (i == COUNT_OF(actions))
            return r;
        r.verb = actions[i].verb;
        r.code = actions[i].code;
    }
    r.words = rest;
    if (r.code)
        access_status_cut(&r.words, r.code, &r.status);
    return r;
}
