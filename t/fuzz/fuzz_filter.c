/* SOURCES: cleanup/filter.c  NEEDS: daemon db proto */
#include "cleanup/filter.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static const char rules_text[] =
    "/^Subject: (.*)x/ REPLACE Subject: $1\n/^X/ IGNORE\n/^P/ PREPEND Q: r\n/^pre/ PREPEND front\n"
    "/^rep (.*)/ REPLACE new $1\n/^cut/ IGNORE\n/^To: (.*)\\n(.*)/ REPLACE To: $2$1\n";
static content_checks checks;
static buf out;

static void put(void *context, str bytes)
{
    (void)context;
    buf_append(&out, bytes);
}

static void note(void *context, const filter_note *n)
{
    (void)context, (void)n;
}

static str other(void *context, str path)
{
    (void)context;
    return path.n % 2 ? STR("other@host.example") : STR_NONE;
}

static void checks_make(void)
{
    arena a = arena_new(0);
    problems ps = { .arena = &a };
    char spec[64];
    int fd = memfd_create("rules", 0);
    if (write(fd, rules_text, sizeof rules_text - 1) < 0)
        abort();
    snprintf(spec, sizeof spec, "pcre:/proc/self/fd/%d", fd);
    str s = str_c(spec);
    const config c = { .header_checks = s, .mime_header_checks = s, .nested_header_checks = s, .body_checks = s };
    content_checks_open(&c, &checks, &ps);
    if (ps.error_count)
        abort();
    close(fd);
    checks.context.root = STR("/nowhere");
}

static bool run(const filter_rules *r, str in, size_t piece)
{
    arena mem = arena_new(0);
    message_filter f;
    buf_clear(&out);
    filter_open(&f, r, &mem);
    for (size_t at = 0; at < in.n; at += piece)
        filter_feed(&f, str_upto(str_from(in, at), piece));
    filter_finish(&f);
    bool is_changed = f.is_changed;
    filter_close(&f);
    arena_free(&mem);
    return is_changed;
}

/* The same in pieces as whole; and what was not changed is what came in. */
static void rules_try(const filter_rules *r, str in)
{
    bool is_changed = run(r, in, in.n ? in.n : 1);
    buf whole = buf_new(1 << 24);
    buf_append(&whole, buf_str(&out));
    if (!is_changed && !str_equal(buf_str(&whole), in))
        abort();
    for (size_t piece = 1; piece < 8; piece += 3)
        if (run(r, in, piece) != is_changed || !str_equal(buf_str(&out), buf_str(&whole)))
            abort();
    buf_free(&whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    str in = { (const char *)data, n };
    filter_rules r = { .drop_headers = STR(""), .header_max = 1024, .body_max = 200, .put = put, .note = note };
    if (checks.pool.context == NULL) {
        out = buf_new(1 << 24);
        checks_make();
    }
    rules_try(&r, in);
    buf_clear(&out);
    if (run(&r, in, 5))
        abort(); /* there is nothing that could change it */
    r.drop_headers = STR("bcc, to");
    r.sender = r.recipient = other;
    rules_try(&r, in);
    r.checks = &checks;
    rules_try(&r, in);
    return 0;
}
