/* SOURCES: cleanup/rewrite.c  NEEDS: daemon db queue proto */
/* What happens between COMMIT and the routes, with the neighbours played: nothing that is not configured; one question; blind
 * copies once; what the filter says. */
#include "cleanup/cleanup.h"
#include "cleanup/filter.h"
#include "queue/file.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static process p;
static generation g;
static cleanup c;
static bringer b;
static intake i;
static message_filter said;
static unsigned reads, gathers, asks, filters, resolves, finishes, discards;
static fault filter_fault;

fault intake_content_check(const intake *of)
{
    (void)of;
    return NO_FAULT;
}

fault header_read(intake *of)
{
    (void)of;
    reads++;
    return NO_FAULT;
}

void header_gather(intake *of)
{
    (void)of;
    gathers++;
}

bool client_is_local(const intake *of)
{
    (void)of;
    return true;
}

fault rewrite_ask(intake *of)
{
    asks++;
    of->to_answer = 1;
    return NO_FAULT;
}

fault content_filter(intake *of, message_filter *f)
{
    (void)of;
    filters++;
    *f = said;
    return filter_fault;
}

void filter_close(message_filter *f)
{
    vec_free(&f->bcc);
}

void resolve_start(intake *of)
{
    (void)of;
    resolves++;
}

void intake_finish(intake *of)
{
    (void)of;
    finishes++;
}

void intake_discard(intake *of)
{
    (void)of;
    discards++;
}

void recipients_clear(intake *of)
{
    of->brought.n = 0;
    of->recipient_count = 0;
}

static int setup(void **state)
{
    (void)state;
    g.snapshot.base = (config){ .append_at_myorigin = true, .header_address_token_limit = 10 };
    p = (process){ .current = &g };
    c = (cleanup){ .process = &p };
    b = (bringer){ .cleanup = &c };
    i = (intake){
        .bringer = &b, .arena = arena_new(0), .envelope = { .reverse_path = STR("a@b.example") }, .recipient_count = 1
    };
    said = (message_filter){ 0 };
    filter_fault = NO_FAULT;
    reads = gathers = asks = filters = resolves = finishes = discards = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    vec_free(&i.brought);
    vec_free(&i.originals);
    vec_free(&i.lines);
    vec_free(&i.bcc);
    map_free(&i.line_of);
    arena_free(&i.arena);
    for (size_t k = 0; k < CHECK_KINDS; k++)
        vec_free(&c.checks.lists[k]);
    return 0;
}

static void answer(size_t line, const char *to, const char *bcc)
{
    i.lines.p[line].to = str_c(to);
    i.lines.p[line].bcc = str_c(bcc);
    i.to_answer = 0;
}

static void nothing_is_done_where_nothing_is_configured(void **state)
{
    (void)state;
    rewrite_start(&i);
    assert_int_equal(reads, 1);
    assert_int_equal(asks + filters + resolves + discards, 0);
    assert_int_equal(finishes, 1);
    assert_int_equal(i.content_start, QUEUE_CONTENT_START);
}

static void a_problem_is_answered_at_once(void **state)
{
    (void)state;
    i.problem = fault_make(FAULT_REFUSED, "1.3", "no");
    rewrite_start(&i);
    assert_int_equal(reads + gathers + asks + filters, 0);
    assert_int_equal(finishes, 1);
}

static void addresses_that_may_change_are_asked_for(void **state)
{
    static const struct {
        const char *path;
        bool plain, dotted, mapped;
    } rows[] = {
        { "me", true, true, true },
        { "me@host", false, true, true },
        { "me@host.example", false, false, true },
        { "me@[192.0.2.1]", false, false, true },
        { "", false, false, false },
        { "a@b@c", false, false, false },
    };
    (void)state;
    for (size_t k = 0; k < COUNT_OF(rows); k++) {
        config *conf = &g.snapshot.base;
        *conf = (config){ .append_at_myorigin = true };
        assert_int_equal(rewrite_is_asked(&i, str_c(rows[k].path)), rows[k].plain);
        conf->append_dot_mydomain = true;
        assert_int_equal(rewrite_is_asked(&i, str_c(rows[k].path)), rows[k].dotted);
        *conf = (config){ .masquerade_domains = STR("x") };
        assert_int_equal(rewrite_is_asked(&i, str_c(rows[k].path)), rows[k].mapped);
    }
}

static void the_sender_is_another(void **state)
{
    (void)state;
    i.envelope.reverse_path = STR("me");
    rewrite_start(&i);
    assert_int_equal(asks, 1);
    assert_int_equal(finishes, 0);
    assert_int_equal(i.state, INTAKE_REWRITING);
    answer(0, "me@o.example", "");
    rewrite_settle(&i);
    assert_true(str_equal(i.envelope.reverse_path, STR("me@o.example")));
    assert_int_equal(filters, 0); /* of the envelope alone */
    assert_int_equal(finishes, 1);
}

static void header_addresses_bring_the_filter(void **state)
{
    (void)state;
    i.envelope.reverse_path = STR("me");
    rewrite_line_add(&i, REWRITE_HEADER_SENDER, STR("x@y"));
    rewrite_line_add(&i, REWRITE_HEADER_SENDER, STR("x@y"));
    rewrite_line_add(&i, REWRITE_HEADER_RECIPIENT, STR("x@y"));
    assert_int_equal(i.lines.n, 2);
    rewrite_start(&i);
    answer(0, "x@y", "");
    answer(1, "x@z", "");
    answer(2, "me", "");
    rewrite_settle(&i);
    assert_int_equal(filters, 1);
    assert_true(str_equal(rewrite_other(&i, REWRITE_HEADER_RECIPIENT, STR("x@y")), STR("x@z")));
    assert_true(str_equal(rewrite_other(&i, REWRITE_HEADER_SENDER, STR("x@y")), STR("x@y")));
    assert_null(rewrite_other(&i, REWRITE_HEADER_SENDER, STR("never@y")).p);
}

static void blind_copies_come_once_and_want_no_reports(void **state)
{
    (void)state;
    g.snapshot.base.always_bcc = STR("All@x.example");
    g.snapshot.base.sender_bcc_maps = g.snapshot.base.recipient_bcc_maps = STR("set");
    *vec_add(&i.originals) = STR("one@x.example");
    *vec_add(&i.originals) = STR("two@x.example");
    rewrite_start(&i);
    assert_int_equal(i.lines.n, 3);
    answer(0, "a@b.example", "all@x.example");
    answer(1, "one@x.example", "log@x.example");
    answer(2, "two@x.example", "LOG@x.example");
    rewrite_settle(&i);
    assert_int_equal(resolves, 1);
    assert_int_equal(i.brought.n, 2);
    assert_true(str_equal(i.brought.p[0].address, STR("all@x.example")));
    assert_true(str_equal(i.brought.p[1].address, STR("log@x.example")));
    assert_int_equal(i.brought.p[1].notify, NOTIFY_NEVER);
}

static void what_a_process_of_ours_brings_is_left_alone(void **state)
{
    (void)state;
    b.is_internal = true;
    g.snapshot.base.always_bcc = STR("all@x.example");
    i.envelope.reverse_path = STR("me");
    *vec_add(&c.checks.lists[CHECKS_BODY]) = NULL;
    rewrite_start(&i);
    assert_int_equal(gathers + asks + filters + resolves, 0);
    assert_int_equal(finishes, 1);
}

static void the_filter_says_what_becomes_of_it(void **state)
{
    (void)state;
    *vec_add(&c.checks.lists[CHECKS_BODY]) = NULL;
    said.is_held = true;
    *vec_add(&said.bcc) = STR("bcc@x.example");
    rewrite_start(&i);
    assert_int_equal(filters, 1);
    assert_true(i.envelope.flags & ENVELOPE_HOLD);
    assert_int_equal(i.brought.n, 1);
    assert_int_equal(i.recipient_count, 1);
}

static void a_redirection_is_for_all(void **state)
{
    (void)state;
    g.snapshot.base.always_bcc = STR("all@x.example");
    *vec_add(&c.checks.lists[CHECKS_BODY]) = NULL;
    said.redirect = STR("there@x.example");
    rewrite_start(&i);
    assert_int_equal(i.recipient_count, 0);
    assert_int_equal(i.brought.n, 1);
    assert_true(str_equal(i.brought.p[0].address, STR("there@x.example")));
}

static void a_discarded_message_goes_nowhere_unless_it_is_refused(void **state)
{
    (void)state;
    *vec_add(&c.checks.lists[CHECKS_BODY]) = NULL;
    said.is_discarded = true;
    rewrite_start(&i);
    assert_int_equal(discards, 1);
    assert_int_equal(finishes + resolves, 0);
    filter_fault = fault_make(FAULT_TRY_LATER, "3.0", "cannot be told");
    rewrite_start(&i);
    assert_int_equal(discards, 1);
    assert_int_equal(finishes, 1);
    assert_true(is_fault(i.problem));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_done_where_nothing_is_configured),
        TEST(a_problem_is_answered_at_once),
        TEST(addresses_that_may_change_are_asked_for),
        TEST(the_sender_is_another),
        TEST(header_addresses_bring_the_filter),
        TEST(blind_copies_come_once_and_want_no_reports),
        TEST(what_a_process_of_ours_brings_is_left_alone),
        TEST(the_filter_says_what_becomes_of_it),
        TEST(a_redirection_is_for_all),
        TEST(a_discarded_message_goes_nowhere_unless_it_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
