/* Which lists of networks are right, and whom they hold. */
#include "conf/networks.h"
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

typedef struct row {
    const char *list, *inside, *outside; /* NULL: the list is refused, or nobody to ask */
} row;

static const row rows[] = {
    { "", NULL, "127.0.0.1" },
    { "127.0.0.0/8 [::1]/128", "127.0.0.1", "128.0.0.1" },
    { "127.0.0.0/8 [::1]/128", "::1", "::2" },
    { "127.0.0.0/8", "::ffff:127.0.0.1", "::7f00:1" },
    { "[::ffff:10.0.0.0]/104", "10.255.0.1", "11.0.0.1" },
    { "10.0.0.1", "10.0.0.1", "10.0.0.2" },
    { "10.0.0.0/31", "10.0.0.1", "10.0.0.2" },
    { "10.0.0.128/25", "10.0.0.255", "10.0.0.127" },
    { "0.0.0.0/0", "8.8.8.8", "2001:db8::1" },
    { "[::]/0", "2001:db8::1", "8.8.8.8" },
    { "2001:db8::/32", "2001:db8:ffff::1", "2001:db9::" },
    { "[2001:db8::]/33", "2001:db8:7fff::1", "2001:db8:8000::" },
    { "!10.0.0.1, 10.0.0.0/8", "10.0.0.2", "10.0.0.1" },
    { "10.0.0.0/8 !10.0.0.1", "10.0.0.1", "11.0.0.1" },
};

static const char *const refused[] = {
    "10.0.0.1/8",  "10.0.0.0/33",      "10.0.0.0/",  "10.0.0.0/-1", "10.0.0/8", "10.0.0.0.0",
    "[::1]/129",   "[2001:db8::1]/32", "[::1",       "[]",          "!",        "example.com",
    "hash:/etc/x", "/etc/hosts",       "1.2.3.4/ 8", "[10.0.0.0/8",
};

static void rows_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        networks ns;
        assert_false(is_fault(networks_read(str_c(rows[i].list), &ns)));
        if (rows[i].inside && !networks_match_text(&ns, str_c(rows[i].inside)))
            fail_msg("%s lacks %s", rows[i].list, rows[i].inside);
        if (networks_match_text(&ns, str_c(rows[i].outside)))
            fail_msg("%s has %s", rows[i].list, rows[i].outside);
        networks_free(&ns);
    }
}

static void wrong_ones_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        networks ns;
        if (!is_fault(networks_read(str_c(refused[i]), &ns)))
            fail_msg("%s is accepted", refused[i]);
        networks_free(&ns);
    }
}

/* What cannot be looked into is never taken for more than it is. */
static void tables_and_files_are_left_out(void **state)
{
    static const struct {
        const char *list, *address;
        bool is_inside;
    } plain[] = {
        { "hash:/etc/x 10.0.0.0/8", "10.0.0.1", true },
        { "inline:{10.0.0.1=x, b=c}, 10.0.0.2", "10.0.0.2", true },
        { "10.0.0.0/8 !hash:/etc/x 192.0.2.0/24", "10.0.0.1", true },
        { "!hash:/etc/x 10.0.0.0/8", "10.0.0.1", false },
        { "/etc/x 10.0.0.0/8", "10.0.0.1", false },
        { "!/etc/x 10.0.0.0/8", "10.0.0.1", false },
    };
    networks ns;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(plain); i++) {
        assert_false(is_fault(networks_read_plain(str_c(plain[i].list), &ns)));
        if (networks_match_text(&ns, str_c(plain[i].address)) != plain[i].is_inside)
            fail_msg("%s: %s", plain[i].list, plain[i].address);
        networks_free(&ns);
    }
    assert_true(is_fault(networks_read_plain(STR("hash:/etc/x 10.0.0.1/8"), &ns)));
    networks_free(&ns);
}

static void truncated_rows_stay_inside(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t n = 0; n < strlen(rows[i].list); n++) {
            networks ns;
            networks_read((str){ rows[i].list, n }, &ns);
            networks_free(&ns);
        }
}

static void socket_addresses_match(void **state)
{
    networks ns;
    struct sockaddr_in four = { .sin_family = AF_INET };
    struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
    struct sockaddr unknown = { .sa_family = AF_UNIX };

    (void)state;
    assert_false(is_fault(networks_read(STR("127.0.0.0/8 [::1]/128"), &ns)));
    assert_int_equal(inet_pton(AF_INET, "127.0.0.1", &four.sin_addr), 1);
    assert_true(networks_match(&ns, (struct sockaddr *)&four));
    assert_int_equal(inet_pton(AF_INET6, "::ffff:127.9.9.9", &six.sin6_addr), 1);
    assert_true(networks_match(&ns, (struct sockaddr *)&six));
    assert_int_equal(inet_pton(AF_INET6, "::2", &six.sin6_addr), 1);
    assert_false(networks_match(&ns, (struct sockaddr *)&six));
    assert_false(networks_match(&ns, &unknown));
    networks_free(&ns);
}

static void addresses_are_read_as_mail_writes_them(void **state)
{
    unsigned char bytes[16];

    (void)state;
    assert_true(address_read(STR("[IPv6:::1]"), bytes));
    assert_int_equal(bytes[15], 1);
    assert_true(address_read(STR("[192.0.2.7]"), bytes));
    assert_int_equal(bytes[15], 7);
    assert_int_equal(bytes[10], 0xff);
    assert_false(address_read(STR("192.0.2.7\0x"), bytes));
    assert_false(address_read(STR(""), bytes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_hold),
        cmocka_unit_test(wrong_ones_are_refused),
        cmocka_unit_test(tables_and_files_are_left_out),
        cmocka_unit_test(truncated_rows_stay_inside),
        cmocka_unit_test(socket_addresses_match),
        cmocka_unit_test(addresses_are_read_as_mail_writes_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
