/* SOURCES: master/roles.c  NEEDS: daemon */
/* The table of roles beside the contracts of the executables: each says with whom it talks. */
#include "base/buf.h"
#include "master/roles.h"
#include "os/file.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <cmocka.h>

/* "auth-worker" is auth/worker/main.c. */
static void path_of(const role *r, char *out, size_t size)
{
    snprintf(out, size, "%s/%s", SOURCE_DIR, r->name);
    for (char *c = out + sizeof SOURCE_DIR; *c; c++)
        if (*c == '-')
            *c = '/';
    snprintf(out + strlen(out), size - strlen(out), "/main.c");
}

/* What stands between the quotes of `.peers = "…"` in the contract. */
static str peers_of(const role *r, buf *content)
{
    char path[300];
    path_of(r, path, sizeof path);
    if (is_fault(file_read(AT_FDCWD, path, content)))
        fail_msg("no contract: %s", path);
    const char *at = strstr(buf_c(content), ".peers = \"");
    if (at == NULL)
        fail_msg("no peers: %s", path);
    at += strlen(".peers = \"");
    return str_upto(str_c(at), str_find(str_c(at), '"'));
}

static bool has_word(str list, const char *word)
{
    str found;
    while (str_word(&list, " ", &found))
        if (str_equal(found, str_c(word)))
            return true;
    return false;
}

static void each_role_has_a_contract_that_names_its_links(void **state)
{
    (void)state;
    for (size_t i = 0; i < role_link_count; i++) {
        const char *const ends[2] = { role_links[i].a, role_links[i].b };
        for (int k = 0; k < 2; k++) {
            const role *r = role_by_name(ends[k]);
            buf content = buf_new(100000);
            assert_non_null(r);
            if (!has_word(peers_of(r, &content), ends[!k]))
                fail_msg("%s does not name %s", ends[k], ends[!k]);
            buf_free(&content);
        }
    }
}

static bool is_linked(const char *a, const char *b)
{
    for (size_t i = 0; i < role_link_count; i++)
        if ((strcmp(role_links[i].a, a) == 0 && strcmp(role_links[i].b, b) == 0) ||
            (strcmp(role_links[i].b, a) == 0 && strcmp(role_links[i].a, b) == 0))
            return true;
    return false;
}

static void no_contract_names_more_than_its_links(void **state)
{
    (void)state;
    for (size_t i = 0; i < role_count; i++) {
        buf content = buf_new(100000);
        str list = peers_of(&roles[i], &content), word;
        while (str_word(&list, " ", &word)) {
            char name[40];
            snprintf(name, sizeof name, "%.*s", STR_ARG(word));
            if (roles[i].local_socket && strcmp(roles[i].local_socket, name) == 0)
                continue;
            if (!is_linked(roles[i].name, name))
                fail_msg("%s names %s, with whom it is not linked", roles[i].name, name);
        }
        buf_free(&content);
    }
}

/* Accounts are offsets in process_users: two roles never share one, and none ever moves. */
static void each_role_has_an_account_of_its_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < role_count; i++) {
        assert_int_equal(roles[i].account, i);
        assert_ptr_equal(role_by_name(roles[i].name), &roles[i]);
        assert_true(roles[i].rank < RANKS);
    }
    assert_null(role_by_name("nobody"));
}

/* In a stop nobody goes before those who ask him, or who hand him mail. */
static void who_is_asked_leaves_later(void **state)
{
    static const char *const order[][2] = { { "smtpd", "cleanup" }, { "pickup", "cleanup" }, { "cleanup", "qmgr" },
                                            { "qmgr", "local" },    { "qmgr", "bounce" },    { "local", "auth" },
                                            { "smtpd", "policy" },  { "cleanup", "policy" }, { "login", "auth" },
                                            { "smtpd", "meter" } };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(order); i++)
        assert_true(role_by_name(order[i][0])->rank < role_by_name(order[i][1])->rank);
}

/* cleanup cannot open tables when it is confined. */
static void tables_of_clients_take_a_new_cleanup(void **state)
{
    static const struct {
        const char *clients, *networks;
        bool is;
    } rows[] = {
        { "permit_mynetworks", "127.0.0.0/8 [::1]/128", false }, { "permit_mynetworks", "127.0.0.0/8 cidr:/e/x", true },
        { "permit_mynetworks", "!/e/x 127.0.0.0/8", true },      { "permit_inet_interfaces", "cidr:/e/x", false },
        { "cidr:/e/x", "127.0.0.0/8", true },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        parsed p = { .base.config = { .local_header_rewrite_clients = str_c(rows[i].clients),
                                      .mynetworks = str_c(rows[i].networks) } };
        if (role_is_replaced(role_by_name("cleanup"), &p) != rows[i].is)
            fail_msg("%s, %s", rows[i].clients, rows[i].networks);
    }
}

/* maxproc of all its services; what a row leaves open is 0, a dash. */
static void smtpd_runs_as_often_as_its_services_and_the_cpus_allow(void **state)
{
    static const struct {
        uint64_t maxproc[2];
        size_t cpus, runs;
    } rows[] = {
        { { 0, 0 }, 1, 1 }, { { 0, 0 }, 2, 2 },   { { 0, 0 }, 64, 4 }, { { 1, 1 }, 64, 1 },
        { { 1, 0 }, 64, 4 }, { { 10, 1 }, 64, 10 }, { { 10, 1 }, 8, 8 }, { { PROCESS_UNLIMITED, 1 }, 64, 4 },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        service of[] = { { .role = ROLE_SMTPD, .process_max = rows[i].maxproc[0] },
                         { .role = ROLE_CLEANUP, .process_max = 20 },
                         { .role = ROLE_SMTPD, .process_max = rows[i].maxproc[1] } };
        parsed p = { .services.rows = { of, COUNT_OF(of), COUNT_OF(of) } };
        if (role_by_name("smtpd")->count(&p, rows[i].cpus) != rows[i].runs)
            fail_msg("row %zu", i);
        assert_int_equal(role_by_name("cleanup")->count(&p, rows[i].cpus), 20);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_role_has_a_contract_that_names_its_links),
        cmocka_unit_test(no_contract_names_more_than_its_links),
        cmocka_unit_test(each_role_has_an_account_of_its_own),
        cmocka_unit_test(who_is_asked_leaves_later),
        cmocka_unit_test(smtpd_runs_as_often_as_its_services_and_the_cpus_allow),
        cmocka_unit_test(tables_of_clients_take_a_new_cleanup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
