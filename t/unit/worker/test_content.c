/* SOURCES:  NEEDS: worker */
#include "base/buf.h"
#include "base/checksum.h"
#include "worker/content.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

static fault keep(void *context, str bytes)
{
    buf *out = context;
    return buf_append(out, bytes) ? NO_FAULT : fault_make(FAULT_TRY_LATER, "3.1", "full");
}

static deliver_request request_of(str added, str content, int *fd)
{
    *fd = memfd_create("queue", MFD_CLOEXEC);
    assert_int_equal(write(*fd, added.p, added.n), added.n);
    assert_int_equal(write(*fd, content.p, content.n), content.n);
    return (deliver_request){ .content_bytes = added.n + content.n, .checked_bytes = content.n,
                              .content_checksum = checksum(0, content), .recipient = STR("jo@x.example"), .user = STR("jo"),
                              .reverse_path = STR("from@y.example") };
}

static fault copy(deliver_request *m, int fd, buf *out)
{
    buf_clear(out);
    return content_write(m, fd, (content_sink){ keep, out });
}

static void whole_and_checked(void **state)
{
    buf out = buf_new(1000);
    int fd;
    deliver_request m = request_of(STR("Received: x\r\n"), STR("Subject: y\r\n\r\nbody\r\n"), &fd);
    (void)state;
    assert_false(is_fault(copy(&m, fd, &out)));
    assert_true(str_equal(buf_str(&out), STR("Received: x\r\nSubject: y\r\n\r\nbody\r\n")));
    m.content_checksum++;
    assert_int_equal(copy(&m, fd, &out).kind, FAULT_BROKEN);
    m.content_checksum--;
    m.content_bytes++;
    m.checked_bytes++;
    assert_int_equal(copy(&m, fd, &out).kind, FAULT_BROKEN);
    m.content_bytes--;
    m.checked_bytes--;
    out.max = 10;
    assert_int_equal(copy(&m, fd, &out).kind, FAULT_TRY_LATER);
    close(fd);
    buf_free(&out);
}

static const struct row {
    const char *header;
    bool is_loop;
} rows[] = {
    { "Delivered-To: jo@x.example\r\n\r\n", true },
    { "delivered-to:JO@X.EXAMPLE \r\n\r\n", true },
    { "A: b\r\nDelivered-To: jo@x.example\r\nC: d\r\n\r\n", true },
    { "A: b\nDelivered-To: jo@x.example\n\n", true },
    { "Delivered-To: other@x.example\r\nDelivered-To: jo@x.example\r\n\r\n", true },
    { "A: b\r\n\r\nDelivered-To: jo@x.example\r\n", false },
    { "X-Delivered-To: jo@x.example\r\n\r\n", false },
    { "Delivered-To: jo@x.example.org\r\n\r\n", false },
    { "Delivered-To: jo\r\n\r\n", false },
    { "A: b\r\n Delivered-To: jo@x.example\r\n\r\n", false },
};

static void where_it_was_before_is_found_in_the_header(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        str text = str_c(rows[i].header);
        for (size_t step = 1; step <= text.n; step++) {
            loop_scan s = { .address = STR("jo@x.example") };
            for (str rest = text; rest.n; rest = str_from(rest, step))
                loop_scan_feed(&s, str_upto(rest, step));
            if (s.is_found != rows[i].is_loop)
                fail_msg("%s in steps of %zu", rows[i].header, step);
        }
    }
}

static void a_long_line_hides_nothing_behind_it(void **state)
{
    static char line[5000];
    loop_scan s = { .address = STR("jo@x.example") };
    (void)state;
    memset(line, 'x', sizeof line);
    loop_scan_feed(&s, (str){ line, sizeof line });
    loop_scan_feed(&s, STR("\r\nDelivered-To: jo@x.example\r\n"));
    assert_true(s.is_found);
}

static void a_loop_is_refused_but_for_whom_it_was_forwarded(void **state)
{
    buf out = buf_new(1000);
    int fd;
    deliver_request m = request_of(STR(""), STR("Delivered-To: jo@x.example\r\n\r\nbody\r\n"), &fd);
    (void)state;
    fault f = copy(&m, fd, &out);
    assert_int_equal(f.kind, FAULT_REFUSED);
    assert_string_equal(f.status, "4.6");
    assert_int_equal(out.n, 0);
    m.forwarders = STR("ann jo");
    assert_false(is_fault(copy(&m, fd, &out)));
    m.forwarders = STR("ann joe");
    assert_int_equal(copy(&m, fd, &out).kind, FAULT_REFUSED);
    close(fd);
    buf_free(&out);
}

static void front_is(const deliver_request *m, bool is_final, const char *want)
{
    buf out = buf_new(1000);
    assert_false(is_fault(front_write(m, (content_sink){ keep, &out }, is_final)));
    assert_string_equal(out.n ? buf_c(&out) : "", want);
    buf_free(&out);
}

static void what_stands_on_top(void **state)
{
    deliver_request m = { .recipient = STR("jo@x.example"), .original = STR("info@x.example"), .user = STR("jo") };
    (void)state;
    front_is(&m, true, "Return-Path: <>\r\nX-Original-To: info@x.example\r\nDelivered-To: jo@x.example\r\n");
    front_is(&m, false, "Delivered-To: jo@x.example\r\n");
    m.original = m.recipient;
    front_is(&m, true, "Return-Path: <>\r\nDelivered-To: jo@x.example\r\n");
    m.forwarders = STR("jo");
    front_is(&m, true, "Return-Path: <>\r\n");
    front_is(&m, false, "");
}

static void lists_of_aliases_are_judged_by_the_mark_alone(void **state)
{
    static const struct {
        const char *user, *member, *forwarders;
        bool was_forwarded;
    } users[] = {
        { "joe", "", "joe", true },
        { "joe", "", "ann", false },
        { "joe", ":include:/l", "ann joe", true },
        { "#nobody", "|x", "#nobody", true },
        { "#nobody", "|x", "", false },
        { "#nobody", ":include:/l", "#nobody", false },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(users); i++) {
        deliver_request m = { .user = str_c(users[i].user),
                              .member = str_c(users[i].member),
                              .forwarders = str_c(users[i].forwarders) };
        assert_int_equal(content_was_forwarded(&m), users[i].was_forwarded);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(lists_of_aliases_are_judged_by_the_mark_alone),
        cmocka_unit_test(whole_and_checked),
        cmocka_unit_test(where_it_was_before_is_found_in_the_header),
        cmocka_unit_test(a_long_line_hides_nothing_behind_it),
        cmocka_unit_test(a_loop_is_refused_but_for_whom_it_was_forwarded),
        cmocka_unit_test(what_stands_on_top),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
