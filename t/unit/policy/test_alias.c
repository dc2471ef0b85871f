/* SOURCES:  NEEDS: policy_engine */
#include "world.h"
#include <sys/stat.h>

#define PROGRAMS                                                                                                       \
    "alias_maps = inline:{{command = \"|/bin/program arg\"} file=/var/mail/x folder=/var/mail/x/ "                       \
    "include=:include:/etc/list {both = alice, |prog, |prog, /f} {twice = command, both} {none = \"| \"} "             \
    "{relative = :include:list} postmaster=alice}\n"

/* Tables without a file belong to nobody in particular. */
static void what_is_no_address_is_acted_on_by_somebody(void **state)
{
    static const struct {
        const char *to, *goes;
    } rows[] = {
        { "command@local.example", "pipe:command@local.example=#nobody |/bin/program arg" },
        { "file@local.example", "pipe:file@local.example=#nobody /var/mail/x" },
        { "folder@local.example", "pipe:folder@local.example=#nobody /var/mail/x/" },
        { "include@local.example", "pipe:include@local.example=#nobody :include:/etc/list" },
        { "both@local.example", "pipe:both@local.example=#nobody |prog pipe:both@local.example=#nobody /f "
                                "local:alice@local.example=alice" },
        { "twice@local.example", "pipe:command@local.example=#nobody |/bin/program arg pipe:both@local.example=#nobody "
                                 "|prog pipe:both@local.example=#nobody /f local:alice@local.example=alice" },
    };
    (void)state;
    world_make(HOST PROGRAMS);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        policy_verdict v = asked(rows[i].to);
        goes_to(&v, rows[i].goes);
    }
    policy_verdict v = asked("none@local.example");
    says(&v, 451, "4.3.5", NULL);
    v = asked("relative@local.example");
    says(&v, 451, "4.3.5", NULL);
    assert_non_null(strstr(policy_explain(&v, &mem).p, "no absolute path"));
}

/* The file's owner, where he is a user. */
static void the_owner_of_the_table_acts(void **state)
{
    char path[] = "/tmp/alias-XXXXXX";
    int fd = mkstemp(path);
    uid_t me = geteuid();
    (void)state;
    if (me == 0)
        assert_int_equal(fchown(fd, 1234, 1234), 0);
    me = me ? me : 1234;
    assert_true(write(fd, "postmaster: alice\ncmd: |prog\n", 29) == 29);
    assert_int_equal(fchmod(fd, 0644), 0);
    world_make(arena_printf(&mem, HOST "alias_maps = inline:{other=|prog} texthash:%s\nminimum_uid = %u\n", path, me).p);
    policy_verdict v = asked("cmd@local.example");
    goes_to(&v, arena_printf(&mem, "pipe:cmd@local.example=#%u |prog", me).p);
    v = asked("other@local.example");
    goes_to(&v, "pipe:other@local.example=#nobody |prog");
    world_make(arena_printf(&mem, HOST "alias_maps = texthash:%s\nminimum_uid = %u\ndefault_privs = mail\n", path, me + 1).p);
    v = asked("cmd@local.example");
    goes_to(&v, "pipe:cmd@local.example=#mail |prog");
    close(fd);
    unlink(path);
}

static void they_may_be_restricted(void **state)
{
    (void)state;
    world_make(HOST PROGRAMS "allow_mail_to_commands = forward\nallow_mail_to_files =\n");
    policy_verdict v = asked("command@local.example");
    says(&v, 550, "5.7.1", "mail to commands is restricted");
    v = asked("file@local.example");
    says(&v, 550, "5.7.1", "mail to files is restricted");
    v = asked("include@local.example");
    goes_to(&v, "pipe:include@local.example=#nobody :include:/etc/list");
    v = asked("both@local.example");
    goes_to(&v, "error:both@local.example=5.7.1 mail to commands is restricted "
                "error:both@local.example=5.7.1 mail to commands is restricted "
                "error:both@local.example=5.7.1 mail to files is restricted local:alice@local.example=alice");
}

/* HOSTILE 10: what a stranger writes is never a member. */
static void recipients_are_no_members(void **state)
{
    static const char *const names[] = { "|/bin/sh", "/etc/passwd", ":include:/etc/passwd", "\"|/bin/sh -c id\"", "`id`",
                                         "-oQ/tmp", "$(id)", "${user}", "%n", "\\\\root", "alice|id" };
    (void)state;
    world_make(HOST PROGRAMS "virtual_alias_maps = inline:{v=|prog w=:include:/etc/list x=/etc/x}\n");
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        policy_verdict v = asked(arena_printf(&mem, "%s@local.example", names[i]).p);
        assert_true(v.code >= 400);
        assert_int_equal(v.route_count, 0);
    }
    for (const char *p = "vwx"; *p; p++) { /* nor is the value of virtual(5) */
        policy_verdict v = asked(arena_printf(&mem, "%c@local.example", *p).p);
        assert_true(v.code >= 400);
        assert_int_equal(v.route_count, 0);
    }
}

static const route *route_to(const policy_verdict *v, const char *nexthop)
{
    for (size_t i = 0; i < v->route_count; i++)
        if (str_equal(v->routes[i].nexthop, str_c(nexthop)))
            return &v->routes[i];
    fail_msg("nothing goes to %s", nexthop);
    return NULL;
}

static void sender_is(const policy_verdict *v, const char *nexthop, const char *sender)
{
    const route *r = route_to(v, nexthop);
    if (!str_equal(r->sender, str_c(sender)))
        fail_msg("%s comes from %.*s, not %s", nexthop, STR_ARG(r->sender), sender);
}

#define LISTS                                                                                                          \
    "alias_maps = inline:{{list = alice, |prog} owner-list=carol {other = list, carol} owner-other=alice {plain = alice} " \
    "{two = carol} {owner-two = alice, carol} postmaster=alice}\n"

static void owners_are_the_senders_of_lists(void **state)
{
    (void)state;
    world_make(HOST LISTS);
    policy_verdict v = asked("list@local.example");
    sender_is(&v, "alice", "owner-list@local.example");
    sender_is(&v, "#nobody |prog", "owner-list@local.example");
    v = asked("other@local.example"); /* the nearest one */
    sender_is(&v, "carol", "owner-other@local.example");
    sender_is(&v, "alice", "owner-list@local.example");
    v = asked("plain@local.example");
    sender_is(&v, "alice", "");
    v = asked("owner-list@local.example");
    sender_is(&v, "carol", "");
    world_make(HOST LISTS "expand_owner_alias = yes\n");
    v = asked("list@local.example");
    sender_is(&v, "alice", "carol@local.example");
    v = asked("two@local.example"); /* which stands for no single address */
    sender_is(&v, "carol", "owner-two@local.example");
    world_make(HOST LISTS "owner_request_special = no\n");
    v = asked("list@local.example");
    sender_is(&v, "alice", "");
}

static void tables_are_looked_at_in_order(void **state)
{
    (void)state;
    world_make(HOST "alias_maps = inline:{a=alice} inline:{a=carol b=carol} inline:{postmaster=alice a+x=carol}\n");
    policy_verdict v = asked("a@local.example");
    goes_to(&v, "local:alice@local.example=alice");
    v = asked("b@local.example");
    goes_to(&v, "local:carol@local.example=carol");
    v = asked("a+x@local.example"); /* the whole name first, in all of them */
    goes_to(&v, "local:carol@local.example=carol");
}

static void members_count(void **state)
{
    buf b = buf_new(1 << 16);
    (void)state;
    buf_append(&b, STR(HOST "virtual_alias_expansion_limit = 20\nalias_maps = inline:{postmaster=alice {many = alice"));
    for (int i = 0; i < 20; i++)
        buf_printf(&b, ", |prog %d", i);
    buf_append(&b, STR("}}\n"));
    world_make(buf_c(&b));
    policy_verdict v = asked("many@local.example");
    says(&v, 451, "4.4.6", NULL);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_no_address_is_acted_on_by_somebody), TEST(the_owner_of_the_table_acts),
        TEST(they_may_be_restricted),                     TEST(recipients_are_no_members),
        TEST(owners_are_the_senders_of_lists),            TEST(tables_are_looked_at_in_order),
        TEST(members_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
