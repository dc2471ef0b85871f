#include "mail/alias_list.h"
#include "mail/address.h"
#include "mail/address_list.h"

size_t quoted_run(str text)
{
    for (size_t i = 1; i < text.n; i++) {
        if (text.p[i] == '\\')
            i++;
        else if (text.p[i] == '"')
            return i + 1;
    }
    return 0;
}

str quoted_inside(str quoted, arena *a)
{
    char *p = arena_get(a, quoted.n + 1);
    size_t n = 0;

    for (size_t i = 1; i + 1 < quoted.n; i++) {
        if (quoted.p[i] == '\\' && i + 2 < quoted.n)
            i++;
        p[n++] = quoted.p[i];
    }
    return (str){ p, n };
}

/* The bytes up to the comma that ends the member: one outside quotes. */
static size_t member_length(str rest)
{
    for (size_t i = 0; i < rest.n; i++) {
        if (rest.p[i] == ',')
            return i;
        if (rest.p[i] == '"') {
            size_t n = quoted_run(str_from(rest, i));
            if (n == 0)
                return rest.n;
            i += n - 1;
        }
    }
    return rest.n;
}

bool alias_next(str *rest, arena *a, str *out)
{
    while (rest->n) {
        size_t n = member_length(*rest);
        str member = str_trim(str_upto(*rest, n));
        *rest = str_from(*rest, n + 1);
        if (member.n == 0)
            continue;
        bool is_command = member.p[0] == '|' && member.n > 1 && member.p[1] == '"';
        str quoted = str_from(member, is_command);
        if (quoted.p[0] == '"' && quoted_run(quoted) == quoted.n)
            member = arena_printf(a, "%s%.*s", is_command ? "|" : "", STR_ARG(quoted_inside(quoted, a)));
        *out = member;
        return true;
    }
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static bool is_comment(str line)
{
    size_t i = 0;
    while (i < line.n && is_blank(line.p[i]))
        i++;
    return i < line.n && line.p[i] == '#';
}

/* One LF for each end of a logical line: a continuation is joined by a blank, a comment is left out. */
str alias_list_open(str text, arena *mem)
{
    char *out = arena_get(mem, text.n + 1);
    size_t n = 0;
    str line;

    while (str_cut(&text, '\n', &line)) {
        if (is_comment(line))
            continue;
        if (n > 0)
            out[n++] = line.n && is_blank(line.p[0]) ? ' ' : '\n';
        if (line.n)
            memcpy(out + n, line.p, line.n);
        n += line.n;
    }
    return (str){ out, n };
}

static bool has_control(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
            return true;
    return false;
}

/* What a header may lack, a list of recipients must have. */
static bool has_all_quotes(str s)
{
    for (size_t at = str_find(s, '"'); at < s.n; at = str_find(s, '"')) {
        size_t n = quoted_run(str_from(s, at));
        if (n == 0)
            return false;
        s = str_from(s, at + n);
    }
    return true;
}

static bool address_read(str member, arena *mem, str *out)
{
    address_list list = address_list_open(member, mem);
    address_entry e, more;
    address a;

    if (!has_all_quotes(member) || !address_list_next(&list, &e) || e.kind != ADDRESS_MAILBOX || e.is_broken ||
        address_list_next(&list, &more))
        return false;
    *out = address_entry_path(&e, mem);
    return address_parse(*out, &a) == PARSE_DONE && !a.is_null;
}

alias_member alias_member_read(str member, arena *mem)
{
    alias_member m = { MEMBER_BAD, member };
    str rest = str_from(member, 1), include = STR(":include:");

    if (member.n < 2 && (member.n == 0 || strchr("|/\\:", member.p[0])))
        return m;
    if (member.p[0] == '\\') {
        if (address_read(rest, mem, &m.text))
            m.kind = MEMBER_FINAL;
    } else if (member.p[0] == '|') {
        m.kind = has_control(member) ? MEMBER_BAD : MEMBER_COMMAND;
    } else if (member.p[0] == '/') {
        m.kind = has_control(member) ? MEMBER_BAD : MEMBER_FILE;
    } else if (str_starts_nocase(member, include)) {
        str path = str_trim(str_from(member, include.n));
        m.text = arena_printf(mem, ":include:%.*s", STR_ARG(path));
        m.kind = path.n && path.p[0] == '/' && !has_control(path) ? MEMBER_INCLUDE : MEMBER_BAD;
    } else if (address_read(member, mem, &m.text)) {
        m.kind = MEMBER_ADDRESS;
    }
    return m;
}

bool alias_list_next(str *rest, arena *mem, alias_member *out)
{
    while (rest->n) {
        str line = str_upto(*rest, str_find(*rest, '\n')), member;
        size_t before = line.n;
        if (alias_next(&line, mem, &member)) {
            *rest = str_from(*rest, before - line.n);
            *out = alias_member_read(member, mem);
            return true;
        }
        *rest = str_from(*rest, before + 1);
    }
    return false;
}
