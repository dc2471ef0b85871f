#include "conf/list.h"

static bool is_separator(char c)
{
    return c == ' ' || c == '\t' || c == ',' || c == '\r' || c == '\n';
}

/* Up to a separator outside braces. */
static size_t word_length(str s)
{
    size_t level = 0, n = 0;
    for (; n < s.n && (level || !is_separator(s.p[n])); n++) {
        level += s.p[n] == '{';
        level -= s.p[n] == '}' && level;
    }
    return n;
}

/* Whether the brace at the front closes at the end. */
static bool is_in_braces(str word)
{
    size_t level = 0, i = 0;
    for (; i < word.n; i++) {
        level += word.p[i] == '{';
        if (word.p[i] == '}' && --level == 0)
            break;
    }
    return i + 1 >= word.n;
}

bool list_is_table(str word)
{
    size_t colon = str_find(word, ':');
    bool is_name = colon > 0 && colon < word.n;
    for (size_t i = 0; i < colon && is_name; i++)
        is_name = word.p[i] >= 'a' && word.p[i] <= 'z';
    return is_name && !(word.n > colon + 1 && word.p[colon + 1] == ':');
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

bool list_next(str *rest, str *out)
{
    while (rest->n && is_separator(rest->p[0]))
        *rest = str_from(*rest, 1);
    if (rest->n == 0)
        return false;
    str word = str_upto(*rest, word_length(*rest));
    *rest = str_from(*rest, word.n);
    if (word.p[0] == '{' && is_in_braces(word)) {
        bool is_closed = word.n > 1 && list_is_balanced(word);
        word = str_trim((str){ word.p + 1, word.n - 1 - is_closed });
    }
    *out = word;
    return true;
}

bool list_has(str list, str word)
{
    str found;
    while (list_next(&list, &found))
        if (str_equal_nocase(found, word))
            return true;
    return false;
}
