#include "proto/imap_flags.h"
#include "base/short_name.h"

static const struct {
    short_name name;
    unsigned flag;
} rows[] = {
    { SHORT_NAME("\\Answered"), IMAP_ANSWERED },
    { SHORT_NAME("\\Flagged"), IMAP_FLAGGED },
    { SHORT_NAME("\\Deleted"), IMAP_DELETED },
    { SHORT_NAME("\\Seen"), IMAP_SEEN },
    { SHORT_NAME("\\Draft"), IMAP_DRAFT },
    { SHORT_NAME("\\Recent"), IMAP_RECENT },
    { SHORT_NAME("\\*"), IMAP_ANY },
};

static bool system_parse(imap_lexer *l, imap_flags *out)
{
    str word;

    if (!imap_lex_atom(l, &word))
        return false;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (str_equal_nocase(str_from(short_name_str(&rows[i].name), 1), word)) {
            out->system |= rows[i].flag & ~(unsigned)IMAP_RECENT;
            return true;
        }
    return imap_lex_fail(l, "Unknown system flag");
}

/* RFC 3501 9 flag: a backslash and a name, or a keyword. `out` has room for IMAP_KEYWORDS_MAX. */
static bool flag_parse(imap_lexer *l, imap_flags *out)
{
    if (imap_lex_may(l, '\\'))
        return system_parse(l, out);
    if (out->keyword_n == IMAP_KEYWORDS_MAX)
        return imap_lex_fail(l, "Too many keywords");
    if (!imap_lex_atom(l, &out->keywords[out->keyword_n]))
        return false;
    out->keyword_n++;
    return true;
}

static bool flags_parse(imap_lexer *l, imap_flags *out)
{
    do {
        if (!flag_parse(l, out))
            return false;
    } while (imap_lex_may(l, ' '));
    return true;
}

bool imap_flags_parse_list(imap_lexer *l, imap_flags *out)
{
    *out = (imap_flags){ .keywords = ARENA_ARRAY(l->mem, str, IMAP_KEYWORDS_MAX) };
    if (!imap_lex_must(l, '('))
        return false;
    return imap_lex_may(l, ')') || (flags_parse(l, out) && imap_lex_must(l, ')'));
}

bool imap_flags_parse_any(imap_lexer *l, imap_flags *out)
{
    if (imap_lex_peek(l) == '(')
        return imap_flags_parse_list(l, out);
    *out = (imap_flags){ .keywords = ARENA_ARRAY(l->mem, str, IMAP_KEYWORDS_MAX) };
    return flags_parse(l, out);
}

static bool is_keyword(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!imap_is_atom_char(s.p[i]))
            return false;
    return s.n > 0;
}

bool imap_flags_write(buf *out, const imap_flags *flags)
{
    bool good = buf_append_char(out, '(');
    size_t start = out->n;

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (flags->system & rows[i].flag)
            good = good && (out->n == start || buf_append_char(out, ' ')) &&
                   buf_append(out, short_name_str(&rows[i].name));
    for (size_t i = 0; i < flags->keyword_n; i++)
        if (is_keyword(flags->keywords[i]))
            good = good && (out->n == start || buf_append_char(out, ' ')) && buf_append(out, flags->keywords[i]);
    return good && buf_append_char(out, ')');
}
