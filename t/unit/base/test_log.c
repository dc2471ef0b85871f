/* SOURCES:  NEEDS: base outside_jansson */
/* What the log writes, read back from a pipe or a file: one line an event whatever a peer sends, valid JSON, whole lines
 * even when the reader is slow. */
#include "base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

static int ends[2];
static char text[1 << 20];

static int open_pipe(void **state)
{
    (void)state;
    return pipe2(ends, O_NONBLOCK | O_CLOEXEC);
}

static int close_pipe(void **state)
{
    (void)state;
    log_open(2, LOG_FORMAT_TEXT, "test", false);
    return close(ends[0]) | close(ends[1]);
}

static str written(void)
{
    size_t n = 0;
    ssize_t got;
    log_flush();
    while ((got = read(ends[0], text + n, sizeof text - n - 1)) > 0)
        n += (size_t)got;
    text[n] = '\0';
    return (str){ text, n };
}

static bool matches(str line, const char *pattern)
{
    regex_t re;
    assert_int_equal(regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB), 0);
    bool is_match = regexec(&re, line.p, 0, NULL, 0) == 0;
    regfree(&re);
    return is_match;
}

static size_t lines_in(str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += s.p[i] == '\n';
    return n;
}

static void text_form(void **state)
{
    (void)state;
    log_open(ends[1], LOG_FORMAT_TEXT, "smtpd", false);
    log_event(LOG_INFO, "accepted", LOG_ID(STR("Q1")), LOG_C("from", "a@b"), LOG_NUM("bytes", 42),
              LOG_STR("x", STR("")), LOG_STR("y", STR_NONE), LOG_C("z", "a=b"));
    str line = written();
    assert_true(matches(line,
                        "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{6}Z smtpd\\[[0-9]+\\] info "
                        "accepted id=Q1 from=a@b bytes=42 x=\"\" y=\"\" z=\"a=b\"\n$"));
    log_event(LOG_WARNING, "bare");
    assert_true(str_ends(written(), STR(" warning bare\n")));
}

static void one_line_an_event_whatever_comes(void **state)
{
    char all[256];
    (void)state;
    for (size_t i = 0; i < sizeof all; i++)
        all[i] = (char)i;
    for (log_format format = LOG_FORMAT_TEXT; format <= LOG_FORMAT_SYSLOG; format++) {
        log_open(ends[1], format, "smtpd", false);
        log_event(LOG_INFO, "e", LOG_STR("v", ((str){ all, sizeof all })));
        str line = written();
        assert_int_equal(lines_in(line), 1);
        assert_int_equal(str_find(line, '\n'), line.n - 1);
        for (size_t i = 0; i + 1 < line.n; i++)
            assert_true((unsigned char)line.p[i] >= 0x20 && (unsigned char)line.p[i] < 0x7f);
    }
}

static void control_bytes_are_escaped(void **state)
{
    (void)state;
    log_open(ends[1], LOG_FORMAT_TEXT, "smtpd", false);
    log_event(LOG_INFO, "e", LOG_STR("v", STR("a\r\nb\0\"\\\x1b[2J\x7f\x9b")));
    assert_true(str_ends(written(), STR(" e v=\"a\\x0d\\x0ab\\x00\\\"\\\\\\x1b[2J\\x7f\\x9b\"\n")));
}

static void utf8_passes_and_the_rest_is_escaped(void **state)
{
    static const struct {
        str in, want;
    } rows[] = {
        { STR_ROW("gr\xc3\xbc\xc3\x9f"), STR_ROW("gr\xc3\xbc\xc3\x9f") },
        { STR_ROW("\xe2\x82\xac\xf0\x9f\x93\xac"), STR_ROW("\xe2\x82\xac\xf0\x9f\x93\xac") },
        { STR_ROW("\xc2\x9b"), STR_ROW("\\xc2\\x9b") }, /* C1: CSI */
        { STR_ROW("\xc2\xa0"), STR_ROW("\xc2\xa0") },
        { STR_ROW("\xc0\xaf"), STR_ROW("\\xc0\\xaf") }, /* overlong */
        { STR_ROW("\xe0\x9f\xbf"), STR_ROW("\\xe0\\x9f\\xbf") },
        { STR_ROW("\xf0\x8f\xbf\xbf"), STR_ROW("\\xf0\\x8f\\xbf\\xbf") },
        { STR_ROW("\xed\xa0\x80"), STR_ROW("\\xed\\xa0\\x80") },          /* surrogate */
        { STR_ROW("\xf4\x90\x80\x80"), STR_ROW("\\xf4\\x90\\x80\\x80") }, /* past U+10FFFF */
        { STR_ROW("\xf5\x80\x80\x80"), STR_ROW("\\xf5\\x80\\x80\\x80") },
        { STR_ROW("\xe2\x82"), STR_ROW("\\xe2\\x82") },
        { STR_ROW("\xe2\x82x"), STR_ROW("\\xe2\\x82x") },
    };
    (void)state;
    log_open(ends[1], LOG_FORMAT_TEXT, "smtpd", false);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char want[100];
        snprintf(want, sizeof want, " e v=\"%.*s\"\n", STR_ARG(rows[i].want));
        log_event(LOG_INFO, "e", LOG_STR("v", rows[i].in));
        assert_true(str_ends(written(), str_c(want)));
    }
}

static void json_form_is_valid(void **state)
{
    (void)state;
    log_open(ends[1], LOG_FORMAT_JSON, "smtpd", false);
    log_event(LOG_WARNING, "refused", LOG_STR("v", STR("a\"\\\n\x01\x7f\xff\xc3\xbc")), LOG_NUM("n", UINT64_C(1) << 62),
              LOG_STR("none", STR_NONE));
    str line = written();
    json_error_t why;
    json_t *object = json_loadb(line.p, line.n, 0, &why);
    assert_non_null(object);
    assert_string_equal(json_string_value(json_object_get(object, "v")), "a\"\\\n\x01\x7f\xef\xbf\xbd\xc3\xbc");
    assert_true(json_integer_value(json_object_get(object, "n")) == INT64_C(1) << 62);
    assert_string_equal(json_string_value(json_object_get(object, "none")), "");
    assert_string_equal(json_string_value(json_object_get(object, "level")), "warning");
    assert_string_equal(json_string_value(json_object_get(object, "process")), "smtpd");
    assert_string_equal(json_string_value(json_object_get(object, "event")), "refused");
    assert_int_equal(json_integer_value(json_object_get(object, "pid")), getpid());
    assert_non_null(json_object_get(object, "time"));
    json_decref(object);
}

/* Random bytes, cut anywhere, in as many fields as there may be. */
static void json_stays_valid_for_any_bytes(void **state)
{
    static char bytes[8000];
    uint64_t x = 88172645463325252;
    (void)state;
    log_open(ends[1], LOG_FORMAT_JSON, "smtpd", false);
    for (int round = 0; round < 300; round++) {
        log_field fields[24] = { { 0 } };
        for (size_t i = 0; i < sizeof bytes; i++) {
            x ^= x << 13, x ^= x >> 7, x ^= x << 17;
            bytes[i] = (char)(round % 2 ? x : 0xc0 | (x & 0x1f));
        }
        for (size_t i = 1; i < COUNT_OF(fields); i++)
            fields[i] = LOG_STR("field", ((str){ bytes + i * 100, (size_t)(round * 5) }));
        log_fields(LOG_INFO, "e", fields, COUNT_OF(fields));
        str line = written();
        json_t *object = json_loadb(line.p, line.n, JSON_ALLOW_NUL, NULL);
        assert_non_null(object);
        assert_int_equal(lines_in(line), 1);
        json_decref(object);
    }
}

static void long_values_are_cut(void **state)
{
    static char bytes[100000];
    (void)state;
    memset(bytes, 'x', sizeof bytes);
    log_open(ends[1], LOG_FORMAT_TEXT, "smtpd", false);
    log_event(LOG_INFO, "e", LOG_STR("v", ((str){ bytes, sizeof bytes })), LOG_NUM("after", 1));
    str line = written();
    assert_in_range(line.n, 1000, 1200);
    assert_true(str_ends(line, STR("x after=1\n")));
}

static void syslog_form_is_a_datagram_a_line(void **state)
{
    int pair[2];
    char datagram[4096];
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair), 0);
    log_open(pair[1], LOG_FORMAT_SYSLOG, "qmgr", true);
    static const char *const priorities[] = { "<23>", "<22>", "<20>", "<19>" };
    for (log_level level = LOG_DEBUG; level <= LOG_ERROR; level++) {
        log_event(level, "stored", LOG_C("id", "Q1"));
        ssize_t n = read(pair[0], datagram, sizeof datagram - 1);
        assert_true(n > 0);
        datagram[n] = '\0';
        assert_true(str_starts(str_c(datagram), str_c(priorities[level])));
        assert_true(matches(str_c(datagram), "^<[0-9]+>postrider/qmgr\\[[0-9]+\\]: stored id=Q1\n$"));
    }
    log_open(ends[1], LOG_FORMAT_TEXT, "test", false);
    close(pair[0]);
    close(pair[1]);
}

static void debug_lines_need_verbosity(void **state)
{
    (void)state;
    log_open(ends[1], LOG_FORMAT_TEXT, "smtpd", false);
    log_event(LOG_DEBUG, "hidden");
    assert_int_equal(written().n, 0);
    log_open(ends[1], LOG_FORMAT_TEXT, "smtpd", true);
    log_event(LOG_DEBUG, "shown");
    assert_true(str_ends(written(), STR(" debug shown\n")));
}

static void lines_wait_for_the_flush_but_errors_do_not(void **state)
{
    (void)state;
    log_open(ends[1], LOG_FORMAT_TEXT, "smtpd", false);
    log_event(LOG_INFO, "one");
    assert_int_equal(read(ends[0], text, 1), -1);
    log_event(LOG_ERROR, "two");
    ssize_t n = read(ends[0], text, sizeof text);
    assert_int_equal(lines_in((str){ text, n > 0 ? (size_t)n : 0 }), 2);
    errno = EINTR;
    log_event(LOG_ERROR, "three");
    assert_int_equal(errno, EINTR);
}

/* The pipe is full: some lines are lost, none is broken, and the loss is told. */
static void fill_a_pipe(int pipe_bytes)
{
    size_t lines = 0;
    fcntl(ends[1], F_SETPIPE_SZ, pipe_bytes);
    log_open(ends[1], LOG_FORMAT_TEXT, "smtpd", false);
    for (int i = 0; i < 5000; i++)
        log_event(LOG_INFO, "line", LOG_C("text", "0123456789012345678901234567890123456789"), LOG_NUM("i", i));
    str first = written();
    assert_true(first.n >= 4096);
    for (int i = 0; i < 10; i++)
        log_event(LOG_INFO, "line", LOG_C("text", "0123456789012345678901234567890123456789"), LOG_NUM("i", i));
    char *all = malloc(first.n + (64 << 10));
    memcpy(all, first.p, first.n);
    size_t n = first.n;
    str second = written();
    memcpy(all + n, second.p, second.n);
    str rest = { all, n + second.n }, line;
    bool has_told = false;
    while (str_cut(&rest, '\n', &line) && line.n) {
        char copy[200];
        assert_true(line.n < sizeof copy);
        snprintf(copy, sizeof copy, "%.*s", STR_ARG(line));
        has_told = has_told || matches(str_c(copy), " warning log-lost lines=[0-9]+$");
        assert_true(matches(str_c(copy), "^[0-9T:.Z-]+ smtpd\\[[0-9]+\\] (info line text=[0-9]{40} i=[0-9]+"
                                         "|warning log-lost lines=[0-9]+)$"));
        lines++;
    }
    free(all);
    assert_true(has_told);
    assert_in_range(lines, 30, 4999);
}

static void a_full_pipe_loses_whole_lines_only(void **state)
{
    (void)state;
    fill_a_pipe(4096);
    fill_a_pipe(8192);
    fill_a_pipe(65536);
}

static void a_closed_reader_does_not_stop_us(void **state)
{
    (void)state;
    log_open(-1, LOG_FORMAT_TEXT, "smtpd", false);
    for (int i = 0; i < 2000; i++)
        log_event(LOG_ERROR, "nobody", LOG_NUM("i", i));
    log_open(ends[1], LOG_FORMAT_TEXT, "smtpd", false);
    log_event(LOG_INFO, "again");
    assert_true(str_ends(written(), STR(" info again\n")));
}

static void faults_are_logged_with_their_reason(void **state)
{
    (void)state;
    log_open(ends[1], LOG_FORMAT_TEXT, "smtpd", false);
    log_fault(LOG_WARNING, "deferred", fault_make(FAULT_TRY_LATER, "3.1", "disk full"));
    assert_true(str_ends(written(), STR(" warning deferred status=3.1 reason=\"disk full\"\n")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(text_form, open_pipe, close_pipe),
        cmocka_unit_test_setup_teardown(one_line_an_event_whatever_comes, open_pipe, close_pipe),
        cmocka_unit_test_setup_teardown(control_bytes_are_escaped, open_pipe, close_pipe),
        cmocka_unit_test_setup_teardown(utf8_passes_and_the_rest_is_escaped, open_pipe, close_pipe),
        cmocka_unit_test_setup_teardown(json_form_is_valid, open_pipe, close_pipe),
        cmocka_unit_test_setup_teardown(json_stays_valid_for_any_bytes, open_pipe, close_pipe),
        cmocka_unit_test_setup_teardown(long_values_are_cut, open_pipe, close_pipe),
        cmocka_unit_test_setup_teardown(syslog_form_is_a_datagram_a_line, open_pipe, close_pipe),
        cmocka_unit_test_setup_teardown(debug_lines_need_verbosity, open_pipe, close_pipe),
        cmocka_unit_test_setup_teardown(lines_wait_for_the_flush_but_errors_do_not, open_pipe, close_pipe),
        cmocka_unit_test_setup_teardown(a_full_pipe_loses_whole_lines_only, open_pipe, close_pipe),
        cmocka_unit_test_setup_teardown(a_closed_reader_does_not_stop_us, open_pipe, close_pipe),
        cmocka_unit_test_setup_teardown(faults_are_logged_with_their_reason, open_pipe, close_pipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
