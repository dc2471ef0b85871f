/* SOURCES: pipe/worker/letter.c  NEEDS: worker mail */
#include "pipe/worker/letter.h"
#include "base/checksum.h"
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static int fd;

static deliver_request request_of(const char *text)
{
    FILE *f = tmpfile();
    fd = dup(fileno(f));
    fclose(f);
    assert_int_equal(write(fd, "head", 4), 4);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    return (deliver_request){ .content_offset = 4, .content_bytes = strlen(text), .checked_bytes = strlen(text),
                              .content_checksum = checksum(0, str_c(text)), .recipient = STR("list@x.example"),
                              .original = STR("o@x.example"), .user = STR("#nobody"), .member = STR("|prog") };
}

/* Everything behind the fields that were put on top. */
static void reads(const char *content, size_t room, const char *want)
{
    char out[4096], piece[64];
    size_t n = 0;
    ssize_t got;
    letter l;
    deliver_request m = request_of(content);
    assert_false(is_fault(letter_open(&l, &m, fd)));
    while ((got = letter_read(&l, piece, room)) > 0) {
        memcpy(out + n, piece, (size_t)got);
        n += (size_t)got;
    }
    assert_int_equal(got, 0);
    out[n] = '\0';
    letter_close(&l);
    close(fd);
    assert_int_equal(strncmp(out, "From MAILER-DAEMON  ", 20), 0);
    char *rest = strchr(out, '\n') + 1;
    static const char fields[] = "Return-Path: <>\nX-Original-To: o@x.example\nDelivered-To: list@x.example\n";
    assert_int_equal(strncmp(rest, fields, sizeof fields - 1), 0);
    assert_string_equal(rest + sizeof fields - 1, want);
}

static void line_ends_become_lf_wherever_it_is_cut(void **state)
{
    static const struct {
        const char *content, *want;
    } rows[] = {
        { "Subject: x\r\n\r\nbody\r\n", "Subject: x\n\nbody\n" },
        { "\r\n\r\n\r\n", "\n\n\n" },
        { "a\rb\r\r\nc\r\n", "a\rb\r\nc\n" },
        { "no end", "no end\n" },
        { "cr at the end\r", "cr at the end\r\n" },
        { "bare\nlf\n", "bare\nlf\n" },
        { "From here\r\n.\r\n", "From here\n.\n" },
        { "", "" },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t room = 2; room < 20; room++)
            reads(rows[i].content, room, rows[i].want);
}

static void what_is_damaged_or_was_here_is_refused(void **state)
{
    deliver_request m = request_of("Subject: x\r\nDelivered-To: List@x.example\r\n\r\nbody\r\n");
    (void)state;
    fault f = letter_check(&m, fd);
    assert_int_equal(f.kind, FAULT_REFUSED);
    assert_string_equal(f.status, "4.6");
    m.user = STR("joe"); /* his own copy has it on top */
    m.forwarders = STR("ann joe");
    assert_false(is_fault(letter_check(&m, fd)));
    m.content_checksum++;
    assert_int_equal(letter_check(&m, fd).kind, FAULT_BROKEN);
    m.content_bytes++;
    m.checked_bytes++;
    assert_int_equal(letter_check(&m, fd).kind, FAULT_BROKEN);
    m.checked_bytes = m.content_bytes + 1;
    assert_int_equal(letter_check(&m, fd).kind, FAULT_BROKEN);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(line_ends_become_lf_wherever_it_is_cut),
                                        cmocka_unit_test(what_is_damaged_or_was_here_is_refused) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
