/* SOURCES: cleanup/filter.c cleanup/header.c  NEEDS: daemon db queue proto */
/* What is read of a header, and which of its addresses policy is asked for. */
#include "cleanup/cleanup.h"
#include "queue/file.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

static process p;
static generation g;
static cleanup c;
static bringer b;
static intake i;
static buf asked;

/* In place of rewrite.c: all addresses of the domain h may have another form. */
bool rewrite_is_asked(const intake *of, str path)
{
    (void)of;
    return str_ends(path, STR("@h"));
}

void rewrite_line_add(intake *of, enum policy_rewrite_line class, str path)
{
    *vec_add(&of->lines) = (rewrite_line){ .class = class };
    buf_printf(&asked, "%c%.*s;", (char)class, STR_ARG(path));
}

static int setup(void **state)
{
    (void)state;
    g.snapshot.base = (config){ .message_drop_headers = STR("bcc, x-drop"), .header_address_token_limit = 1000 };
    p = (process){ .current = &g };
    c = (cleanup){ .process = &p };
    b = (bringer){ .cleanup = &c };
    i = (intake){ .bringer = &b, .is_local = true, .file = { .read_write = memfd_create("file", MFD_CLOEXEC) } };
    asked = buf_new(1 << 20);
    return 0;
}

static void clear(void)
{
    buf_free(&i.header);
    vec_free(&i.lines);
    buf_clear(&asked);
    i.is_filtered = false;
}

static int teardown(void **state)
{
    (void)state;
    clear();
    buf_free(&asked);
    close(i.file.read_write);
    return 0;
}

static void gather(str content)
{
    clear();
    assert_int_equal(ftruncate(i.file.read_write, 0), 0);
    assert_int_equal(pwrite(i.file.read_write, content.p, content.n, QUEUE_CONTENT_START), (ssize_t)content.n);
    i.commit.content_bytes = content.n;
    assert_false(is_fault(header_read(&i)));
    header_gather(&i);
}

static void addresses_of_the_header_are_asked_for(void **state)
{
    (void)state;
    gather(STR("From: A <a@h>\r\nTo: g: b@h, \"c d\"@h;,\r\n e@other, <broken@h\r\nSubject: f@h\r\nReply-To: r@h\r\n"
               "Resent-Cc: s@h\r\n\r\nCc: no@h\r\n"));
    assert_string_equal(buf_c(&asked), "fa@h;tb@h;t\"c d\"@h;fr@h;ts@h;");
    assert_false(i.is_filtered);
}

static void fields_to_drop_are_noticed(void **state)
{
    (void)state;
    gather(STR("Subject: x\r\nBCC: b@h\r\n\r\n"));
    assert_true(i.is_filtered);
    assert_int_equal(asked.n, 0);
    gather(STR("Subject: x\r\n\r\nBcc: x\r\n"));
    assert_false(i.is_filtered);
    gather(STR("no field\r\nX-Drop: y"));
    assert_true(i.is_filtered);
}

static void headers_of_others_are_asked_for_with_a_domain(void **state)
{
    (void)state;
    i.is_local = false;
    gather(STR("From: a@h\r\n\r\n"));
    assert_int_equal(asked.n, 0);
    g.snapshot.base.remote_header_rewrite_domain = STR("domain.invalid");
    gather(STR("From: a@h\r\n\r\n"));
    assert_string_equal(buf_c(&asked), "fa@h;");
}

static void there_is_a_limit(void **state)
{
    (void)state;
    g.snapshot.base.header_address_token_limit = 2;
    gather(STR("To: a@h, b@h, c@h\r\nCc: d@h\r\n\r\n"));
    assert_string_equal(buf_c(&asked), "ta@h;tb@h;");
}

static void a_header_ends_where_it_ends_or_at_a_megabyte(void **state)
{
    static char huge[3 * 1024 * 1024];
    (void)state;
    memset(huge, 'x', sizeof huge);
    memcpy(huge, "Subject: ", 9);
    gather((str){ huge, sizeof huge });
    assert_int_equal(i.header.n, 1024 * 1024);
    memcpy(huge + 70000, "\r\n\r\n", 4);
    gather((str){ huge, sizeof huge });
    assert_int_equal(i.header.n, 70004);
    i.commit.content_bytes = 10; /* what was announced */
    buf_free(&i.header);
    assert_false(is_fault(header_read(&i)));
    assert_int_equal(i.header.n, 10);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(addresses_of_the_header_are_asked_for),         TEST(fields_to_drop_are_noticed),
        TEST(headers_of_others_are_asked_for_with_a_domain), TEST(there_is_a_limit),
        TEST(a_header_ends_where_it_ends_or_at_a_megabyte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
