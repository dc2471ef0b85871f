#include "mail/match.h"

static char folded(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

/* back[n]: the longest beginning of the needle that its first n bytes end in, n itself not counted. */
match match_open(str needle, arena *mem)
{
    char *p = arena_get(mem, needle.n + 1);
    uint32_t *back = ARENA_ARRAY(mem, uint32_t, needle.n + 1);

    for (size_t i = 0; i < needle.n; i++)
        p[i] = folded(needle.p[i]);
    for (size_t i = 1, n = 0; i < needle.n; i++) {
        while (n && p[i] != p[n])
            n = back[n];
        n += p[i] == p[n];
        back[i + 1] = (uint32_t)n;
    }
    return (match){ .needle = { p, needle.n }, .back = back, .is_found = needle.n == 0 };
}

void match_reset(match *m)
{
    m->state = 0;
    m->is_found = m->needle.n == 0;
}

/* Offset of the first byte that can start the needle, from `at`. */
static size_t start_find(const match *m, str piece, size_t at)
{
    while (at < piece.n && folded(piece.p[at]) != m->needle.p[0])
        at++;
    return at;
}

bool match_feed(match *m, str piece)
{
    size_t n = m->state, i = 0;

    for (; i < piece.n && !m->is_found; i++) {
        if (n == 0 && (i = start_find(m, piece, i)) == piece.n)
            break;
        char c = folded(piece.p[i]);
        for (; n && c != m->needle.p[n]; n = m->back[n])
            m->looked++;
        n += c == m->needle.p[n];
        m->is_found = n == m->needle.n;
    }
    m->looked += i;
    m->state = n;
    return m->is_found;
}

bool match_in(match *m, str text)
{
    match_reset(m);
    return match_feed(m, text);
}
