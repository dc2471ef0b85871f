/* SOURCES: cleanup/bring.c cleanup/clients.c cleanup/content.c cleanup/direct.c cleanup/commit.c cleanup/offer.c cleanup/fields.c cleanup/filter.c cleanup/header.c cleanup/intake.c cleanup/resolve.c cleanup/rewrite.c cleanup/stock.c  NEEDS: daemon db queue proto */
/* Whom a forwarded message reaches: each once, by whatever names. */
#include "cleanup/cleanup.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

typedef struct to {
    const char *transport, *nexthop, *address;
} to;

static uint32_t count(const char *forwarders, const to *rows, size_t n)
{
    static program none;
    process p = { .program = &none };
    cleanup c = { .process = &p };
    bringer b = { .cleanup = &c, .is_trusted = true };
    p.state = &c;
    intake *i = intake_new(&b, 1, INTAKE_WAITING);
    i->envelope.forwarders = str_c(forwarders);
    for (size_t k = 0; k < n; k++)
        intake_add_recipient(i, &(envelope_recipient){ .transport = str_c(rows[k].transport),
                                                       .nexthop = str_c(rows[k].nexthop),
                                                       .address = str_c(rows[k].address) });
    assert_false(is_fault(i->problem));
    uint32_t found = i->recipient_count;
    intake_drop(i);
    return found;
}

static const to own[] = { { "local", "\\jo", "jo@x.example" },
                          { "local", "jo", "jo@x.example" },
                          { "local", "jo", "JO@localhost" } };
static const to others[] = { { "local", "ann", "ann@x.example" }, { "local", "ann", "ann@localhost" } };
static const to commands[] = { { "pipe", "jo |a", "jo@x.example" },
                               { "pipe", "jo |b", "jo@x.example" },
                               { "pipe", "jo |a", "jo@x.example" } };
static const to folders[] = { { "local", "ann", "ann+a@x.example" }, { "local", "ann", "ann+b@x.example" } };

static void each_mailbox_once(void **state)
{
    (void)state;
    assert_int_equal(count("jo", own, COUNT_OF(own)), 1);
    assert_int_equal(count("ben jo", own, COUNT_OF(own)), 1);
    assert_int_equal(count("jo", others, COUNT_OF(others)), 1);
    assert_int_equal(count("jo", commands, COUNT_OF(commands)), 2);
    assert_int_equal(count("jo", folders, COUNT_OF(folders)), 2);
}

/* With a backslash another's .forward is passed by: that is something else. */
static void only_who_forwarded_is_the_same_with_a_backslash(void **state)
{
    (void)state;
    assert_int_equal(count("ann", own, COUNT_OF(own)), 2);
}

static void what_nobody_forwarded_goes_where_it_was_sent(void **state)
{
    (void)state;
    assert_int_equal(count("", own, COUNT_OF(own)), 3);
    assert_int_equal(count("", others, COUNT_OF(others)), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mailbox_once),
        cmocka_unit_test(only_who_forwarded_is_the_same_with_a_backslash),
        cmocka_unit_test(what_nobody_forwarded_goes_where_it_was_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
