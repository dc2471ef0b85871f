/* SOURCES: cleanup/content.c cleanup/filter.c  NEEDS: daemon db queue proto */
/* The content on its way through the filter: what does not change stays where it is, what changes is written behind it, whole. */
#include "base/checksum.h"
#include "cleanup/cleanup.h"
#include "cleanup/filter.h"
#include "queue/file.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static process p;
static generation g;
static cleanup c;
static bringer b;
static intake i;
static arena mem;
static problems ps;

/* In place of rewrite.c and fields.c. */
str rewrite_other(const intake *of, enum policy_rewrite_line class, str path)
{
    (void)of;
    bool is_old = class == REWRITE_HEADER_SENDER && str_equal(path, STR("old@h"));
    return is_old ? STR("new@n.example") : STR_NONE;
}

bool trace_append(const intake *of, buf *out)
{
    (void)of;
    return buf_append(out, STR("Received: from secret\r\n\tby us\r\n"));
}

static void checks_are(const char *header, const char *body)
{
    content_checks_free(&c.checks);
    problems_free(&ps);
    ps = (problems){ .arena = &mem };
    g.snapshot.base.header_checks = str_c(header);
    g.snapshot.base.body_checks = str_c(body);
    content_checks_open(&g.snapshot.base, &c.checks, &ps);
    assert_int_equal(ps.error_count, 0);
}

static int setup(void **state)
{
    (void)state;
    mem = arena_new(0);
    g.snapshot.base =
        (config){ .header_size_limit = 102400, .body_checks_size_limit = 1 << 20, .message_drop_headers = STR("bcc") };
    p = (process){ .current = &g };
    c = (cleanup){ .process = &p };
    b = (bringer){ .cleanup = &c };
    checks_are("", "");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    content_checks_free(&c.checks);
    problems_free(&ps);
    arena_free(&mem);
    return 0;
}

static off_t size_now(void)
{
    struct stat st;
    assert_int_equal(fstat(i.file.read_write, &st), 0);
    return st.st_size;
}

static fault pass(str content)
{
    message_filter f = { 0 };
    i = (intake){ .bringer = &b,
                  .is_local = true,
                  .arena = arena_new(0),
                  .file = { .id = 4711, .read_write = memfd_create("file", MFD_CLOEXEC) },
                  .commit = { .content_bytes = content.n, .content_checksum = checksum(0, content) } };
    i.content_start = QUEUE_CONTENT_START;
    i.content_bytes = content.n;
    i.content_checksum = i.commit.content_checksum;
    assert_int_equal(pwrite(i.file.read_write, content.p, content.n, QUEUE_CONTENT_START), (ssize_t)content.n);
    fault why = content_filter(&i, &f);
    filter_close(&f);
    return why;
}

static void done(void)
{
    close(i.file.read_write);
    buf_free(&i.trace);
    arena_free(&i.arena);
}

/* What the intake says of the content is what stands there. */
static void assert_content(str want)
{
    char *bytes = malloc(want.n + 1);
    assert_int_equal(i.content_bytes, want.n);
    assert_int_equal(pread(i.file.read_write, bytes, want.n, (off_t)i.content_start), (ssize_t)want.n);
    assert_memory_equal(bytes, want.p, want.n);
    assert_int_equal(i.content_checksum, checksum(0, want));
    free(bytes);
}

static void what_does_not_change_is_not_written(void **state)
{
    str content = STR("From: a@b\r\nTo: old@h\r\n\r\nbody\r\n");
    (void)state;
    checks_are("inline:{none=REJECT}", "inline:{none=REJECT}");
    assert_false(is_fault(pass(content)));
    assert_int_equal(i.content_start, QUEUE_CONTENT_START);
    assert_int_equal(size_now(), QUEUE_CONTENT_START + (off_t)content.n);
    assert_content(content);
    done();
}

static void what_changes_is_whole_behind(void **state)
{
    (void)state;
    assert_false(is_fault(pass(STR("Subject: x\r\nFrom: old@h\r\nBcc: x\r\n\r\nbody\r\n"))));
    assert_int_equal(i.content_start, 3 * QUEUE_CONTENT_START);
    assert_content(STR("Subject: x\r\nFrom: new@n.example\r\n\r\nbody\r\n"));
    done();
    assert_false(is_fault(pass(STR("Bcc: all that there is"))));
    assert_content(STR(""));
    done();
}

/* The first change comes at each place of a content of several pieces. */
static void a_late_change_takes_what_was_before_it_along(void **state)
{
    buf content = buf_new(1 << 20), want = buf_new(1 << 20);
    (void)state;
    checks_are("", "inline:{{change me=REPLACE changed to something longer}}");
    for (int at = 0; at < 6000; at += 1499) {
        buf_clear(&content);
        buf_clear(&want);
        buf_append(&content, STR("Subject: x\r\n\r\n"));
        buf_append(&want, STR("Subject: x\r\n\r\n"));
        for (int n = 0; n < 6000; n++) {
            buf_printf(&content, n == at ? "change me\r\n" : "line %d of the body that stays as it is\r\n", n);
            buf_printf(&want,
                       n == at ? "changed to something longer\r\n" : "line %d of the body that stays as it is\r\n", n);
        }
        assert_false(is_fault(pass(buf_str(&content))));
        assert_content(buf_str(&want));
        assert_int_equal(i.content_start, queue_content_behind(content.n));
        done();
    }
    buf_free(&content);
    buf_free(&want);
}

static void the_trace_is_checked_first(void **state)
{
    (void)state;
    checks_are("static:IGNORE", "");
    assert_false(is_fault(pass(STR("\r\nbody\r\n"))));
    assert_true(i.has_trace);
    assert_int_equal(i.trace.n, 0);
    assert_content(STR("\r\nbody\r\n"));
    assert_int_equal(i.content_start, QUEUE_CONTENT_START); /* the trace is no part of it */
    done();
    checks_are("static:REJECT", "");
    assert_int_equal(pass(STR("\r\nbody\r\n")).kind, FAULT_REFUSED);
    done();
}

static void what_a_process_of_ours_brings_is_not_checked(void **state)
{
    (void)state;
    checks_are("", "static:REJECT");
    b.is_internal = true;
    assert_false(is_fault(pass(STR("Bcc: x\r\n\r\nbody\r\n"))));
    assert_content(STR("\r\nbody\r\n"));
    done();
    b.is_internal = false;
    assert_int_equal(pass(STR("\r\nbody\r\n")).kind, FAULT_REFUSED);
    done();
}

static void headers_of_others_keep_their_addresses(void **state)
{
    message_filter f = { 0 };
    (void)state;
    assert_false(is_fault(pass(STR("From: old@h\r\n\r\n"))));
    i.is_local = false;
    i.content_bytes = 0;
    assert_false(is_fault(content_filter(&i, &f)));
    assert_false(f.is_changed);
    filter_close(&f);
    done();
}

static void a_content_that_grows_has_its_limit(void **state)
{
    (void)state;
    g.snapshot.base.message_size_limit = 30;
    checks_are("", "inline:{{a=REPLACE aaaaaaaaaaaaaaaaaaaa}}");
    assert_false(is_fault(pass(STR("\r\na\r\n"))));
    done();
    assert_int_equal(pass(STR("\r\na\r\na\r\n")).kind, FAULT_REFUSED);
    done();
}

static void other_bytes_than_were_announced_are_not_taken(void **state)
{
    message_filter f = { 0 };
    (void)state;
    assert_false(is_fault(pass(STR("\r\nbody\r\n"))));
    i.commit.content_checksum++;
    assert_int_equal(content_filter(&i, &f).kind, FAULT_TRY_LATER);
    filter_close(&f);
    i.commit.content_bytes++;
    assert_int_equal(content_filter(&i, &f).kind, FAULT_TRY_LATER);
    filter_close(&f);
    done();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_does_not_change_is_not_written),          TEST(what_changes_is_whole_behind),
        TEST(a_late_change_takes_what_was_before_it_along), TEST(the_trace_is_checked_first),
        TEST(what_a_process_of_ours_brings_is_not_checked), TEST(headers_of_others_keep_their_addresses),
        TEST(a_content_that_grows_has_its_limit),           TEST(other_bytes_than_were_announced_are_not_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
