#include "folder.h"

static const char text[] = "# networks\n"
                           "192.0.2.7 one\n"
                           "192.0.2.0/24\ttwo words\n"
                           "if 10.0.0.0/8\n"
                           "  # inside\n"
                           "10.1.0.0/16 REJECT\n"
                           "if !10.2.0.0/16\n"
                           "10.3.0.0/16 three\n"
                           "endif\n"
                           "10.2.0.0/15 four\n"
                           "endif\n"
                           "2001:db8::/32 six\n"
                           "::1 loop\n"
                           "!2000::/3 other6\n"
                           "0.0.0.0/0 rest\n";

static void the_first_that_fits_answers(void **state)
{
    (void)state;
    file_put("x", str_c(text));
    table *t = opened(spec_of("cidr", "x"), NULL);
    assert_true(table_is_pattern(t));
    finds(t, "192.0.2.7", "one");
    finds(t, "192.0.2.8", "two words");
    finds(t, "10.1.2.3", "REJECT");
    finds(t, "10.3.0.1", "three");
    finds(t, "10.2.0.1", "four");
    finds(t, "2001:db8::5", "six");
    finds(t, "::1", "loop");
    finds(t, "fe80::1", "other6");
    finds(t, "2001:db9::1", NULL);
    finds(t, "example.com", NULL);
    finds(t, "192.0.2", NULL);
    table_close(t);
}

/* "!2000::/3" is true of each IPv4 address too: it stands above the rest only in this order. */
static void ipv4_is_not_in_ipv6(void **state)
{
    (void)state;
    file_put("x", STR("::/0 six\n0.0.0.0/0 four\n"));
    table *t = opened(spec_of("cidr", "x"), NULL);
    finds(t, "192.0.2.1", "four");
    finds(t, "::ffff:192.0.2.1", "four");
    finds(t, "2001:db8::1", "six");
    table_close(t);
}

static void lines_are_known(void **state)
{
    table_answer a;
    (void)state;
    file_put("x", str_c(text));
    table *t = opened(spec_of("cidr", "x"), NULL);
    assert_int_equal(table_find(t, STR("10.3.9.9"), &mem, &a), TABLE_FOUND);
    assert_int_equal(a.line, 8);
    table_close(t);
}

static void mistakes_name_their_line(void **state)
{
    static const struct {
        const char *text, *where;
    } rows[] = {
        { "192.0.2.0/24\n", "x:1:" },
        { "a b\n192.0.2.1/33 x\n", "x:1:" },
        { "1.2.3.4 x\n192.0.2.1/33 x\n", "x:2:" },
        { "192.0.2.1/24 x\n", "x:1:" },
        { "if 10.0.0.0/8\n", "x:1:" },
        { "endif\n", "x:1:" },
        { "if 10.0.0.0/8 x\nendif", "x:1:" },
        { "! x\n", "x:1:" },
        { "if\nendif\n", "x:1:" },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        table *t;
        file_put("x", str_c(rows[i].text));
        fault f = table_open(spec_of("cidr", "x"), NULL, &t);
        if (f.kind != FAULT_TRY_LATER || strstr(f.text, rows[i].where) == NULL)
            fail_msg("row %zu: %s", i, f.text);
        table_close(t);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_that_fits_answers),
        TEST(ipv4_is_not_in_ipv6),
        TEST(lines_are_known),
        TEST(mistakes_name_their_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
