/* SOURCES: pipe/accounts.c  NEEDS: daemon db queue */
/* Who may act for aliases: default_privs and owners of tables that are users; nobody else, whatever is asked for. */
#include "pipe/pipe.h"
#include "t/unit/daemon/parts.h"
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>

static const contract spawner = { .role = "pipe", .is_spawner = true };
static const program p = { .contract = &spawner };

static void loaded(carrier *c, process *d, bool is_privileged, const char *main_cf)
{
    *c = (carrier){ .process = d };
    parts_open(d, &p, main_cf);
    d->identity.is_privileged = is_privileged;
    assert_true(accounts_load(c));
}

static void unloaded(carrier *c, process *d)
{
    accounts_free(c);
    parts_close(d);
}

static void default_privs_and_owners_act(void **state)
{
    char path[] = "/tmp/accounts-XXXXXX", main_cf[300], key[20];
    int fd = mkstemp(path);
    const struct passwd *nobody = getpwnam("nobody");
    carrier c;
    process d;
    (void)state;
    assert_true(fd >= 0 && nobody);
    uid_t uid = geteuid() == 0 ? nobody->pw_uid : geteuid();
    if (geteuid() == 0)
        assert_int_equal(fchown(fd, uid, nobody->pw_gid), 0);
    snprintf(main_cf, sizeof main_cf, "alias_maps = texthash:/no/such/table texthash:%s\nmaximum_uid = 4294967294\n", path);
    snprintf(key, sizeof key, "#%u", uid);
    loaded(&c, &d, true, main_cf);
    const account *a = account_find(&c, STR("#nobody"));
    assert_non_null(a);
    assert_int_equal(a->uid, nobody->pw_uid);
    if (getpwuid(uid)) {
        assert_non_null(account_find(&c, str_c(key)));
        assert_int_equal(account_find(&c, str_c(key))->uid, uid);
    }
    assert_null(account_find(&c, STR("#0")));
    assert_null(account_find(&c, STR("#root")));
    assert_null(account_find(&c, STR("nobody")));
    unloaded(&c, &d);
    close(fd);
    unlink(path);
}

static void tables_of_the_system_give_nobody_power(void **state)
{
    carrier c;
    process d;
    (void)state;
    loaded(&c, &d, true, "alias_maps = texthash:/etc/passwd\n"); /* root's */
    assert_int_equal(c.accounts.n, 1);
    unloaded(&c, &d);
}

static void without_root_all_is_the_caller(void **state)
{
    carrier c;
    process d;
    (void)state;
    loaded(&c, &d, false, "alias_maps =\n");
    assert_int_equal(account_find(&c, STR("#nobody"))->uid, geteuid());
    unloaded(&c, &d);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(default_privs_and_owners_act),
                                        cmocka_unit_test(tables_of_the_system_give_nobody_power),
                                        cmocka_unit_test(without_root_all_is_the_caller) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
