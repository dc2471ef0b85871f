#include "base/str.h"

static char to_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool str_equal_nocase(str a, str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (a.p[i] != b.p[i] && to_lower(a.p[i]) != to_lower(b.p[i]))
            return false;
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

str str_trim(str s)
{
    while (s.n && is_blank(s.p[0]))
        s = str_from(s, 1);
    while (s.n && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

bool str_cut(str *rest, char c, str *out)
{
    if (rest->p == NULL)
        return false;
    size_t at = str_find(*rest, c);
    *out = str_upto(*rest, at);
    *rest = at < rest->n ? str_from(*rest, at + 1) : STR_NONE;
    return true;
}

bool str_word(str *rest, const char *separators, str *out)
{
    size_t start = 0;
    while (start < rest->n && rest->p[start] && strchr(separators, rest->p[start]))
        start++;
    size_t end = start;
    while (end < rest->n && !(rest->p[end] && strchr(separators, rest->p[end])))
        end++;
    *out = str_upto(str_from(*rest, start), end - start);
    *rest = str_from(*rest, end);
    return out->n > 0;
}

int str_compare(str a, str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n ? memcmp(a.p, b.p, n) : 0;
    return order ? order : (a.n > b.n) - (a.n < b.n);
}
