/* SOURCES:  NEEDS: proto */
#include "proto/imap_set.h"
#include "proto/imap_write.h"
#include <stdlib.h>

static void ranges_check(const imap_set *s)
{
    for (size_t i = 0; i < s->n; i++) {
        if (s->ranges[i].first == 0 || s->ranges[i].first > s->ranges[i].last)
            abort();
        if (i > 0 && s->ranges[i].first - s->ranges[i - 1].last < 2)
            abort();
        if (i > 0 && s->ranges[i].first <= s->ranges[i - 1].last)
            abort();
        if (!imap_set_has(s, s->ranges[i].first) || !imap_set_has(s, s->ranges[i].last))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    arena mem = arena_new(0);
    str in = { (const char *)data, n };
    imap_set set, resolved, again;
    const uint32_t max[] = { 0, 1, 1000, UINT32_MAX };

    bool good = imap_set_parse(in, &mem, &set) == PARSE_DONE;
    for (size_t i = 0; good && i < COUNT_OF(max); i++) {
        buf out = buf_new(1 << 22);
        ranges_check(&set);
        imap_set_resolve(&set, max[i], &mem, &resolved);
        ranges_check(&resolved);
        if (set.has_star && max[i] && !imap_set_has(&resolved, max[i]))
            abort();
        imap_write_set(&out, resolved.ranges, resolved.n);
        if (resolved.n && (imap_set_parse(buf_str(&out), &mem, &again) != PARSE_DONE || again.n != resolved.n))
            abort();
        buf_free(&out);
    }
    arena_free(&mem);
    return 0;
}
