/* SOURCES: smtpd/content.c smtpd/replies.c  NEEDS: daemon tls proto queue */
/* Content on its way into the file, or kept: rows whole, in two pieces split at every byte, and byte by byte. */
#include "base/checksum.h"
#include "ipc/talk/cleanup.h"
#include "smtpd/replies.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

static session s;
static smtpd d;
static config rules;
static unsigned commits, questions, settled, waits;
static bool has_cleanup;
static reply said;
static uint64_t written;
static uint32_t sum;

void transaction_clear(session *of)
{
    (void)of;
}

reply policy_reply(const session *of, const policy_answer *a)
{
    (void)of;
    return (reply){ a->code, a->status, a->reply, NOTICE_POLICY };
}

void transaction_commit(session *of)
{
    commits++;
    written = of->tx.written;
    sum = of->tx.checksum;
}

bool transaction_begin(session *of)
{
    (void)of;
    return has_cleanup;
}

void session_wait(session *of, waiting what, peer *whom)
{
    (void)whom;
    of->waiting = what;
    waits++;
}

void session_settle(session *of, verdict v)
{
    of->phase = v.next;
    said = v.reply;
    settled++;
}

void end_of_data_say(session *of, reply r)
{
    session_settle(of, (verdict){ PHASE_MAIL, r });
}

void policy_question(session *of, enum policy_stage stage, str to, void (*then)(session *, const policy_answer *))
{
    policy_answer no = { .code = 554, .status = STR("5.7.1"), .reply = STR("no") };
    (void)to;
    assert_int_equal(stage, POLICY_STAGE_END_OF_DATA);
    questions++;
    then(of, &no);
}

static void begin(bool has_file)
{
    if (s.tx.fd > 0)
        close(s.tx.fd);
    buf_free(&s.tx.kept);
    s = (session){ .smtpd = &d, .config = &rules, .phase = PHASE_CONTENT };
    s.tx.fd = has_file ? memfd_create("content", MFD_CLOEXEC) : -1;
    commits = questions = settled = waits = 0;
    has_cleanup = true;
}

static int setup(void **state)
{
    (void)state;
    rules = (config){ .smtpd_forbid_bare_newline = BARE_NEWLINE_REJECT };
    begin(true);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    if (s.tx.fd >= 0)
        close(s.tx.fd);
    s.tx.fd = -1;
    buf_free(&s.tx.kept);
    return 0;
}

/* Feeds pieces; what is left of the last one are commands. */
static size_t feed(str bytes, size_t piece)
{
    while (bytes.n && commits + settled == 0) {
        str some = str_upto(bytes, piece);
        size_t used = content_take(&s, some);
        assert_true(used == some.n || commits + settled);
        bytes = str_from(bytes, used);
    }
    return bytes.n;
}

typedef struct row {
    str in, want;  /* what stands in the file */
    size_t tail;   /* commands behind it */
    unsigned code; /* 0: committed */
    unsigned mode;
} row;

#define R BARE_NEWLINE_REJECT
#define N BARE_NEWLINE_NORMALIZE
#define A BARE_NEWLINE_ALLOW

static const row rows[] = {
    { STR_ROW("a\r\n.\r\n"), STR_ROW("a\r\n"), 0, 0, R },
    { STR_ROW(".\r\n"), STR_ROW(""), 0, 0, R },
    { STR_ROW("a\r\n.\r\nQUIT\r\n"), STR_ROW("a\r\n"), 6, 0, R },
    { STR_ROW("..a\r\n...\r\n.b\r\n.\r\n"), STR_ROW(".a\r\n..\r\nb\r\n"), 0, 0, R },
    { STR_ROW("a\r\n\r\n.\r\nx"), STR_ROW("a\r\n\r\n"), 1, 0, R },
    { STR_ROW("a\n.\nb\r\n.\r\n"), { 0 }, 0, 550, R },
    { STR_ROW("a\rb\r\n.\r\n"), { 0 }, 0, 550, R },
    { STR_ROW("a\0b\r\n.\r\n"), { 0 }, 0, 550, R },
    { STR_ROW("a\0b\r\n.\r\n"), { 0 }, 0, 550, N },
    { STR_ROW("a\0b\r\n.\r\n"), { 0 }, 0, 550, A },
    { STR_ROW("a\nb\rc\r\n.\r\n"), STR_ROW("a\r\nb\r\nc\r\n"), 0, 0, N },
    { STR_ROW("a\n.\nb\r\n.\r\n"), STR_ROW("a\r\n.\r\nb\r\n"), 0, 0, N },
    { STR_ROW("\n\n\r\r\r\n.\r\n"), STR_ROW("\r\n\r\n\r\n\r\n\r\n"), 0, 0, N },
    { STR_ROW("a\nb\rc\r\n.\r\n"), STR_ROW("a\nb\rc\r\n"), 0, 0, A },
};

static void check(const row *r, size_t left)
{
    char got[200];
    assert_int_equal(left, r->tail);
    assert_int_equal(commits, r->code == 0);
    if (r->code) {
        assert_int_equal(said.code, r->code);
        assert_int_equal(s.phase, PHASE_MAIL);
        return;
    }
    ssize_t n = s.tx.fd < 0 ? (ssize_t)s.tx.kept.n : pread(s.tx.fd, got, sizeof got, 0);
    assert_true(n >= 0 && (size_t)n <= sizeof got);
    if (s.tx.kept.n)
        memcpy(got, s.tx.kept.p, s.tx.kept.n);
    if (!str_equal((str){ got, (size_t)n }, r->want))
        fail_msg("%.*s", (int)n, got);
    assert_int_equal(written, r->want.n);
    assert_int_equal(sum, checksum(0, r->want));
}

static void rows_hold_whole_and_byte_by_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * COUNT_OF(rows); i++)
        for (size_t piece = 1; piece <= rows[i / 2].in.n; piece++) {
            begin(i % 2);
            rules.smtpd_forbid_bare_newline = rows[i / 2].mode;
            check(&rows[i / 2], feed(rows[i / 2].in, piece));
        }
}

static void nothing_ends_before_its_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t n = 0; n < rows[i].in.n - rows[i].tail; n++) {
            begin(true);
            rules.smtpd_forbid_bare_newline = rows[i].mode;
            feed(str_upto(rows[i].in, n), 1000);
            assert_int_equal(commits + settled, 0);
        }
}

static void the_size_limit(void **state)
{
    static char big[300001];
    (void)state;
    for (size_t n = 99; n <= 101; n++) {
        begin(n % 2);
        rules.message_size_limit = 100;
        memset(big, 'x', n - 2);
        memcpy(big + n - 2, "\r\n.\r\n", 5);
        feed((str){ big, n + 3 }, 7);
        assert_int_equal(commits, n <= 100);
        if (n > 100)
            assert_int_equal(said.code, 552);
    }
    begin(true);
    memset(big, 'y', sizeof big);
    feed((str){ big, sizeof big }, 65536); /* read on, but not kept */
    assert_true(lseek(s.tx.fd, 0, SEEK_END) <= 65536);
    begin(false);
    feed((str){ big, sizeof big }, 65536);
    assert_true(s.tx.kept.n <= 65536 && waits == 0);
}

/* One octet more than what is kept, and an end; in pieces, which may end where they like. */
static void what_is_larger_waits_for_a_file(void **state)
{
    static char big[CLEANUP_ENCLOSED_MAX + 6], got[sizeof big];
    const size_t size = CLEANUP_ENCLOSED_MAX + 1;
    (void)state;
    memset(big, 'z', size - 2);
    memcpy(big + size - 2, "\r\n.\r\n", 5);
    for (size_t piece = 1000; piece <= sizeof big; piece += 769) {
        begin(false);
        size_t fed = 0;
        while (fed < size + 3 && waits == 0)
            fed += content_take(&s, str_upto((str){ big + fed, size + 3 - fed }, piece));
        assert_int_equal(waits, 1);
        assert_int_equal(s.waiting, WAITING_ROOM);
        assert_int_equal(commits, 0);
        s.tx.fd = memfd_create("content", MFD_CLOEXEC);
        content_has_room(&s);
        if (fed < size + 3)
            feed((str){ big + fed, size + 3 - fed }, piece);
        assert_int_equal(commits, 1);
        assert_int_equal(s.tx.kept.n, 0);
        assert_int_equal(pread(s.tx.fd, got, sizeof got, 0), size);
        assert_memory_equal(got, big, size);
        assert_int_equal(sum, checksum(0, (str){ big, size }));
    }
    begin(false);
    assert_int_equal(feed((str){ big, size - 1 }, sizeof big), 0); /* one less is kept */
    assert_int_equal(waits, 0);
}

static void where_no_cleanup_is_it_is_refused(void **state)
{
    static char big[CLEANUP_ENCLOSED_MAX + 10];
    (void)state;
    begin(false);
    has_cleanup = false;
    memset(big, 'z', sizeof big);
    memcpy(big + sizeof big - 5, "\r\n.\r\n", 5);
    feed((str){ big, sizeof big }, 5000);
    assert_int_equal(commits + waits, 0);
    assert_int_equal(said.code, 451);
}

static void a_trusted_client_is_normalized(void **state)
{
    (void)state;
    s.is_trusted_newline = true;
    feed(STR("a\nb\r\n.\r\n"), 100);
    assert_int_equal(commits, 1);
    assert_int_equal(written, 6);
}

static void policy_has_the_last_word(void **state)
{
    (void)state;
    rules.smtpd_end_of_data_restrictions = STR("reject");
    feed(STR("a\r\n.\r\n"), 100);
    assert_int_equal(questions, 1);
    assert_int_equal(commits, 0);
    assert_int_equal(said.code, 554);
}

static void a_disk_that_is_full_or_fails(void **state)
{
    (void)state;
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    close(s.tx.fd);
    s.tx.fd = full;
    feed(STR("a\r\nb\r\n.\r\nQUIT"), 2);
    assert_int_equal(said.code, 452);
    assert_int_equal(commits, 0);
    begin(true);
    close(s.tx.fd);
    s.tx.fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    feed(STR("a\r\n.\r\n"), 100);
    assert_int_equal(said.code, 451);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(rows_hold_whole_and_byte_by_byte), TEST(nothing_ends_before_its_end), TEST(the_size_limit),
        TEST(a_trusted_client_is_normalized),   TEST(policy_has_the_last_word),    TEST(a_disk_that_is_full_or_fails),
        TEST(what_is_larger_waits_for_a_file),  TEST(where_no_cleanup_is_it_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
