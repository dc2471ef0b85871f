#include "auth/throttle.h"
#include "base/memory.h"
#include "base/vec.h"

enum { SWEEP_MS = 1000 };

typedef struct failing {
    source source;
    uint64_t failures, first_ms;
} failing;

throttle throttle_new(throttle_rules rules, size_t max)
{
    return (throttle){ .rules = rules, .max = max ? max : THROTTLE_SOURCES_MAX };
}

void throttle_free(throttle *t)
{
    map_entry e;
    for (size_t at = 0; map_next(&t->sources, &at, &e);)
        free(e.value);
    map_free(&t->sources);
}

static bool is_over(const throttle *t, const failing *f, uint64_t now_ms)
{
    return now_ms - f->first_ms >= t->rules.window_ms;
}

static uint64_t failures_of(const throttle *t, str address, uint64_t now_ms)
{
    source s = source_of(address);
    const failing *f = map_get(&t->sources, source_str(&s));
    return f && !is_over(t, f, now_ms) ? f->failures : 0;
}

bool throttle_is_suspect(const throttle *t, str address, uint64_t now_ms)
{
    return failures_of(t, address, now_ms) > 0;
}

bool throttle_is_refused(const throttle *t, str address, uint64_t now_ms)
{
    return t->rules.limit > 0 && failures_of(t, address, now_ms) >= t->rules.limit;
}

uint64_t throttle_delay(const throttle_rules *r, uint64_t failures)
{
    uint64_t delay = r->delay_ms;
    for (uint64_t i = 1; i < failures && delay && delay < r->delay_max_ms; i++)
        delay *= 2;
    return delay < r->delay_max_ms ? delay : r->delay_max_ms;
}

/* Room for more: those whose time is over go first, then those with one failure. */
static void sweep(throttle *t, uint64_t now_ms)
{
    if (t->swept_ms && now_ms - t->swept_ms < SWEEP_MS)
        return;
    t->swept_ms = now_ms;
    for (int pass = 0; pass < 2 && t->sources.n > t->max - t->max / 4; pass++) {
        VEC(failing *) gone = { 0 };
        map_entry e;
        for (size_t at = 0; map_next(&t->sources, &at, &e);) {
            failing *f = e.value;
            if (is_over(t, f, now_ms) || (pass == 1 && f->failures <= 1))
                *vec_add(&gone) = f;
        }
        for (size_t i = 0; i < gone.n; i++) {
            map_remove(&t->sources, source_str(&gone.p[i]->source));
            free(gone.p[i]);
        }
        vec_free(&gone);
    }
}

static failing *source_get(throttle *t, const source *s, uint64_t now_ms)
{
    failing *f = map_get(&t->sources, source_str(s));
    if (f)
        return f;
    if (t->sources.n >= t->max)
        sweep(t, now_ms);
    if (t->sources.n >= t->max)
        return NULL;
    f = memory_get(sizeof *f);
    *f = (failing){ .source = *s, .first_ms = now_ms };
    map_put(&t->sources, source_str(s), f);
    return f;
}

uint64_t throttle_failed(throttle *t, str address, uint64_t now_ms)
{
    source s = source_of(address);
    failing *f = source_get(t, &s, now_ms);
    if (f == NULL)
        return t->rules.delay_max_ms; /* too many fail at once to tell them apart: all are slow */
    if (is_over(t, f, now_ms)) {
        f->failures = 0;
        f->first_ms = now_ms;
    }
    return throttle_delay(&t->rules, ++f->failures);
}
