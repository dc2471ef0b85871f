#include "store/list_pattern.h"
#include "base/memory.h"
#include <stdlib.h>

/* A name in a Maildir++ has at most 255 octets on disk, so no name matches a pattern with more literal octets than
 * this. */
enum { LITERALS_MAX = 1023, WORDS = (LITERALS_MAX + 1) / 64 };

/* One state per literal (bit i: the first i literals are matched), all states advanced at once by shift and mask. */
struct list_pattern {
    uint64_t any[WORDS];       /* states that stay on any character: '*' stands there */
    uint64_t level[WORDS];     /* states that stay on any but the delimiter: '%' */
    uint64_t next[256][WORDS]; /* states that this octet leads on from */
    size_t literals, words;
    char delimiter;
    bool is_never; /* too long for any name */
};

static void bit_set(uint64_t *words, size_t bit)
{
    words[bit / 64] |= 1ull << (bit % 64);
}

/* Without case in the first level when that level can only be INBOX. */
static bool has_inbox_level(str pattern, char delimiter)
{
    str first = str_upto(pattern, str_find(pattern, delimiter));
    return str_equal_nocase(first, STR("INBOX"));
}

list_pattern *list_pattern_new(str pattern, char delimiter)
{
    list_pattern *p = memory_get(sizeof *p);
    size_t nocase = has_inbox_level(pattern, delimiter) ? 5 : 0;

    p->delimiter = delimiter;
    for (size_t i = 0; i < pattern.n && !p->is_never; i++) {
        unsigned char c = (unsigned char)pattern.p[i];
        if (c == '*') {
            bit_set(p->any, p->literals);
        } else if (c == '%') {
            bit_set(p->level, p->literals);
        } else if (p->literals == LITERALS_MAX) {
            p->is_never = true;
        } else {
            bit_set(p->next[c], p->literals);
            if (i < nocase)
                bit_set(p->next[c ^ 0x20], p->literals);
            p->literals++;
        }
    }
    p->words = p->literals / 64 + 1;
    return p;
}

bool list_pattern_matches(const list_pattern *p, str name)
{
    uint64_t states[WORDS] = { 1 };

    if (p->is_never)
        return false;
    for (size_t i = 0; i < name.n; i++) {
        unsigned char c = (unsigned char)name.p[i];
        uint64_t carry = 0, alive = 0;
        for (size_t w = 0; w < p->words; w++) {
            uint64_t on = states[w] & p->next[c][w];
            uint64_t stay = states[w] & (p->any[w] | (name.p[i] == p->delimiter ? 0 : p->level[w]));
            states[w] = on << 1 | carry | stay;
            carry = on >> 63;
            alive |= states[w];
        }
        if (!alive)
            return false;
    }
    return states[p->literals / 64] >> (p->literals % 64) & 1;
}

void list_pattern_free(list_pattern *p)
{
    free(p);
}
