#include "conf/list.h"

static bool is_separator(char c)
{
    return c == ' ' || c == '\t' || c == ',' || c == '\r' || c == '\n';
}

static size_t braces_end(str s)
{
    size_t level = 0;
    for (size_t i = 0; i < s.n; i++) {
        level += s.p[i] == '{';
        if (s.p[i] == '}' && --level == 0)
            return i;
    }
    return s.n;
}

bool list_next(str *rest, str *out)
{
    while (rest->n && is_separator(rest->p[0]))
        *rest = str_from(*rest, 1);
    if (rest->n == 0)
        return false;
    if (rest->p[0] == '{') {
        size_t end = braces_end(*rest);
        *out = str_trim(str_from(str_upto(*rest, end), 1));
        *rest = str_from(*rest, end + 1);
        return true;
    }
    size_t n = 0;
    while (n < rest->n && !is_separator(rest->p[n]))
        n++;
    *out = str_upto(*rest, n);
    *rest = str_from(*rest, n);
    return true;
}

bool list_is_balanced(str value)
{
    size_t level = 0;
    for (size_t i = 0; i < value.n; i++) {
        level += value.p[i] == '{';
        if (value.p[i] == '}' && level-- == 0)
            return false;
    }
    return level == 0;
}

bool list_has(str list, str word)
{
    str found;
    while (list_next(&list, &found))
        if (str_equal_nocase(found, word))
            return true;
    return false;
}
