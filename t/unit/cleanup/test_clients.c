/* SOURCES: cleanup/clients.c  NEEDS: daemon db queue proto */
/* Whose headers are completed: by address, network, login and table; local programs always. */
#include "cleanup/cleanup.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static process p;
static generation g;
static cleanup c;
static bringer b;

static bool is_local(const char *clients, const char *client_address, const char *login)
{
    arena a = arena_new(0);
    problems ps = { .arena = &a };
    g.snapshot.base = (config){ .local_header_rewrite_clients = str_c(clients),
                                .mynetworks = STR("!10.0.0.1 !inline:{10.0.0.3=x} 10.0.0.0/8 [2001:db8::]/32 "
                                                  "inline:{203.0.113.1=x, b=c}") };
    p = (process){ .current = &g };
    c = (cleanup){ .process = &p, .own_addresses = STR("192.0.2.1 2001:db9::1 ") };
    b = (bringer){ .cleanup = &c, .is_trusted = true };
    clients_open(&c, &ps);
    assert_int_equal(ps.error_count, strstr(clients, "nonsense") || strstr(clients, "nowhere") ? 1 : 0);
    intake i = { .bringer = &b, .envelope = { .client_address = str_c(client_address), .login = str_c(login) } };
    bool is = client_is_local(&i);
    clients_close(&c);
    problems_free(&ps);
    arena_free(&a);
    return is;
}

static void clients_are_found(void **state)
{
    static const struct {
        const char *clients, *client, *login;
        bool is;
    } rows[] = {
        { "permit_inet_interfaces", "127.0.0.1", "", true },
        { "permit_inet_interfaces", "127.9.9.9", "", true },
        { "permit_inet_interfaces", "::1", "", true },
        { "permit_inet_interfaces", "192.0.2.1", "", true },
        { "permit_inet_interfaces", "2001:db9::1", "", true },
        { "permit_inet_interfaces", "192.0.2.2", "u", false },
        { "permit_mynetworks", "10.1.1.1", "", true },
        { "permit_mynetworks", "10.0.0.1", "", false },
        { "permit_mynetworks", "10.0.0.3", "", false },
        { "permit_mynetworks", "203.0.113.1", "", true },
        { "permit_mynetworks", "203.0.113.2", "", false },
        { "permit_mynetworks", "2001:db8::5", "", true },
        { "permit_mynetworks", "127.0.0.1", "", false },
        { "permit_sasl_authenticated", "198.51.100.1", "u", true },
        { "permit_sasl_authenticated", "198.51.100.1", "", false },
        { "permit_mynetworks, check_address_map inline:{198.51.100.1=x}", "198.51.100.1", "", true },
        { "inline:{198.51.100.1=x}", "198.51.100.2", "", false },
        { "texthash:/nowhere/at/all", "198.51.100.2", "", false },
        { "nonsense", "127.0.0.1", "", false },
        { "", "127.0.0.1", "u", false },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (is_local(rows[i].clients, rows[i].client, rows[i].login) != rows[i].is)
            fail_msg("row %zu: %s %s", i, rows[i].clients, rows[i].client);
}

static void local_programs_are_local(void **state)
{
    (void)state;
    assert_true(is_local("", "", "uid:1000")); /* by pickup */
    intake i = { .bringer = &b, .envelope = { .client_address = STR("198.51.100.1") } };
    b.is_trusted = false;
    assert_true(client_is_local(&i));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(clients_are_found),
                                        cmocka_unit_test(local_programs_are_local) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
