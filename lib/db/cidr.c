/* cidr_table(5): address patterns in their order. An IPv4 address is never matched by an IPv6 pattern, nor the other
 * way. */
#include "conf/networks.h"
#include "db/rules.h"

enum { MAPPED_BITS = 96 };

typedef struct cidr_state {
    rules rules;
    network *networks;       /* one for each rule */
    unsigned char *versions; /* 4 or 6, of each */
} cidr_state;

static size_t pattern_length(str line)
{
    size_t n = 0;
    while (n < line.n && line.p[n] != ' ' && line.p[n] != '\t')
        n++;
    return n;
}

static bool is_ipv4(const unsigned char bytes[16])
{
    static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
    return memcmp(bytes, mapped, sizeof mapped) == 0;
}

static fault networks_compile(const table_origin *from, cidr_state *s)
{
    s->networks = ARENA_ARRAY(&s->rules.arena, network, s->rules.rows.n + 1);
    s->versions = ARENA_ARRAY(&s->rules.arena, unsigned char, s->rules.rows.n + 1);
    for (size_t i = 0; i < s->rules.rows.n; i++) {
        const rule *r = &s->rules.rows.p[i];
        fault wrong;
        if (r->kind == RULE_ENDIF)
            continue;
        if (!network_read(r->pattern, &s->networks[i], &wrong))
            return rule_fault(from, r->line, wrong.text);
        s->versions[i] = is_ipv4(s->networks[i].bytes) && s->networks[i].bits >= MAPPED_BITS ? 4 : 6;
    }
    return NO_FAULT;
}

fault cidr_open(const table_origin *from, void **out)
{
    cidr_state *s = memory_get(sizeof *s);
    fault f = rules_load(from, pattern_length, &s->rules);

    if (!is_fault(f))
        f = networks_compile(from, s);
    if (is_fault(f))
        cidr_close(s);
    else
        *out = s;
    return f;
}

static bool is_in(const network *n, const unsigned char address[16])
{
    size_t whole = n->bits / 8;
    unsigned rest = n->bits % 8;

    if (memcmp(n->bytes, address, whole) != 0)
        return false;
    return rest == 0 || (n->bytes[whole] ^ address[whole]) >> (8 - rest) == 0;
}

table_result cidr_find(void *state, str key, arena *mem, table_answer *out)
{
    cidr_state *s = state;
    unsigned char address[16];

    if (!address_read(key, address))
        return TABLE_ABSENT;
    unsigned char version = is_ipv4(address) ? 4 : 6;
    for (size_t i = 0; i < s->rules.rows.n; i++) {
        const rule *r = &s->rules.rows.p[i];
        if (r->kind == RULE_ENDIF)
            continue;
        bool fits = (s->versions[i] == version && is_in(&s->networks[i], address)) != r->is_negated;
        if (r->kind == RULE_IF && !fits)
            i = r->behind;
        if (r->kind == RULE_RESULT && fits) {
            out->value = arena_copy(mem, r->result);
            out->line = r->line;
            return TABLE_FOUND;
        }
    }
    return TABLE_ABSENT;
}

void cidr_close(void *state)
{
    cidr_state *s = state;
    rules_free(&s->rules);
    free(s);
}
