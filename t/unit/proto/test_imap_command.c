/* Each row whole and truncated at every byte, in memory of exactly its size. */
#include "proto/imap_command.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const struct row {
    const char *in;
    parse want;
    imap_verb verb;
    bool is_uid;
} rows[] = {
    { "a NOOP", PARSE_DONE, IMAP_NOOP, false },
    { "a.1 noop ", PARSE_DONE, IMAP_NOOP, false },
    { "a NOOP x", PARSE_BAD, IMAP_NOOP, false },
    { "a CAPABILITY", PARSE_DONE, IMAP_CAPABILITY, false },
    { "a LOGOUT", PARSE_DONE, IMAP_LOGOUT, false },
    { "a STARTTLS", PARSE_DONE, IMAP_STARTTLS, false },
    { "a CHECK", PARSE_DONE, IMAP_CHECK, false },
    { "a CLOSE", PARSE_DONE, IMAP_CLOSE, false },
    { "a IDLE", PARSE_DONE, IMAP_IDLE, false },
    { "a NAMESPACE", PARSE_DONE, IMAP_NAMESPACE, false },
    { "a UNSELECT", PARSE_DONE, IMAP_UNSELECT, false },
    { "a LOGIN user pass", PARSE_DONE, IMAP_LOGIN, false },
    { "a LOGIN {4}\r\nuser {4+}\r\npa\"s", PARSE_DONE, IMAP_LOGIN, false },
    { "a LOGIN user", PARSE_BAD, IMAP_LOGIN, false },
    { "a LOGIN user pass x", PARSE_BAD, IMAP_LOGIN, false },
    { "a LOGIN (user) pass", PARSE_BAD, IMAP_LOGIN, false },
    { "a AUTHENTICATE PLAIN", PARSE_DONE, IMAP_AUTHENTICATE, false },
    { "a AUTHENTICATE PLAIN AHUAcA==", PARSE_DONE, IMAP_AUTHENTICATE, false },
    { "a AUTHENTICATE PLAIN =", PARSE_DONE, IMAP_AUTHENTICATE, false },
    { "a AUTHENTICATE PLAIN ", PARSE_BAD, IMAP_AUTHENTICATE, false },
    { "a AUTHENTICATE", PARSE_BAD, IMAP_AUTHENTICATE, false },
    { "a AUTHENTICATE PLAIN a b", PARSE_BAD, IMAP_AUTHENTICATE, false },
    { "a SELECT INBOX", PARSE_DONE, IMAP_SELECT, false },
    { "a SELECT \"a b\"", PARSE_DONE, IMAP_SELECT, false },
    { "a SELECT", PARSE_BAD, IMAP_SELECT, false },
    { "a SELECT a b", PARSE_BAD, IMAP_SELECT, false },
    { "a EXAMINE &APw-", PARSE_DONE, IMAP_EXAMINE, false },
    { "a CREATE a/b", PARSE_DONE, IMAP_CREATE, false },
    { "a DELETE a", PARSE_DONE, IMAP_DELETE, false },
    { "a RENAME a b", PARSE_DONE, IMAP_RENAME, false },
    { "a RENAME a", PARSE_BAD, IMAP_RENAME, false },
    { "a SUBSCRIBE a", PARSE_DONE, IMAP_SUBSCRIBE, false },
    { "a UNSUBSCRIBE a", PARSE_DONE, IMAP_UNSUBSCRIBE, false },
    { "a LIST \"\" *", PARSE_DONE, IMAP_LIST, false },
    { "a LIST \"\" \"\"", PARSE_DONE, IMAP_LIST, false },
    { "a LIST a %/%", PARSE_DONE, IMAP_LIST, false },
    { "a LSUB \"\" {3}\r\n%a*", PARSE_DONE, IMAP_LSUB, false },
    { "a LIST \"\"", PARSE_BAD, IMAP_LIST, false },
    { "a LIST * *", PARSE_BAD, IMAP_LIST, false },
    { "a STATUS a (MESSAGES)", PARSE_DONE, IMAP_STATUS, false },
    { "a STATUS a (messages RECENT UIDNEXT UIDVALIDITY UNSEEN)", PARSE_DONE, IMAP_STATUS, false },
    { "a STATUS a ()", PARSE_BAD, IMAP_STATUS, false },
    { "a STATUS a MESSAGES", PARSE_BAD, IMAP_STATUS, false },
    { "a STATUS a (XYZZY)", PARSE_BAD, IMAP_STATUS, false },
    { "a APPEND a {10}", PARSE_DONE, IMAP_APPEND, false },
    { "a APPEND a (\\Seen x) \"01-Jan-2020 00:00:00 +0000\" {10+}", PARSE_DONE, IMAP_APPEND, false },
    { "a APPEND a \" 1-Jan-2020 00:00:00 +0000\" {10}", PARSE_DONE, IMAP_APPEND, false },
    { "a APPEND {1}\r\na {10}", PARSE_DONE, IMAP_APPEND, false },
    { "a APPEND a {2}\r\nxy", PARSE_DONE, IMAP_APPEND, false },
    { "a APPEND a {2}\r\nx", PARSE_BAD, IMAP_APPEND, false },
    { "a APPEND a \"2020-01-01\" {10}", PARSE_BAD, IMAP_APPEND, false },
    { "a APPEND a (\\Seen) x {10}", PARSE_BAD, IMAP_APPEND, false },
    { "a APPEND a", PARSE_BAD, IMAP_APPEND, false },
    { "a APPEND a {}", PARSE_BAD, IMAP_APPEND, false },
    { "a APPEND a ~{10}", PARSE_BAD, IMAP_APPEND, false },
    { "a APPEND a {9223372036854775808}", PARSE_BAD, IMAP_APPEND, false },
    { "a SEARCH ALL", PARSE_DONE, IMAP_SEARCH, false },
    { "a UID SEARCH UNSEEN", PARSE_DONE, IMAP_SEARCH, true },
    { "a SEARCH", PARSE_BAD, IMAP_SEARCH, false },
    { "a FETCH 1 FLAGS", PARSE_DONE, IMAP_FETCH, false },
    { "a uid fetch 1:* (FLAGS BODY[])", PARSE_DONE, IMAP_FETCH, true },
    { "a FETCH 1", PARSE_BAD, IMAP_FETCH, false },
    { "a FETCH x FLAGS", PARSE_BAD, IMAP_FETCH, false },
    { "a FETCH 1 FLAGS UID", PARSE_BAD, IMAP_FETCH, false },
    { "a STORE 1 FLAGS (\\Seen)", PARSE_DONE, IMAP_STORE, false },
    { "a UID STORE 1,3 +flags.silent \\Deleted x", PARSE_DONE, IMAP_STORE, true },
    { "a STORE 1 -FLAGS ()", PARSE_DONE, IMAP_STORE, false },
    { "a STORE 1 XFLAGS ()", PARSE_BAD, IMAP_STORE, false },
    { "a STORE 1 FLAGS", PARSE_BAD, IMAP_STORE, false },
    { "a COPY 1:3 a", PARSE_DONE, IMAP_COPY, false },
    { "a UID COPY 1 \"a\"", PARSE_DONE, IMAP_COPY, true },
    { "a UID MOVE 1 a", PARSE_DONE, IMAP_MOVE, true },
    { "a COPY 1", PARSE_BAD, IMAP_COPY, false },
    { "a EXPUNGE", PARSE_DONE, IMAP_EXPUNGE, false },
    { "a EXPUNGE 1", PARSE_BAD, IMAP_EXPUNGE, false },
    { "a UID EXPUNGE 1:3", PARSE_DONE, IMAP_EXPUNGE, true },
    { "a UID EXPUNGE", PARSE_BAD, IMAP_EXPUNGE, true },
    { "a UID NOOP", PARSE_BAD, IMAP_UNKNOWN, true },
    { "a UID", PARSE_BAD, IMAP_UNKNOWN, true },
    { "a ID NIL", PARSE_DONE, IMAP_ID, false },
    { "a ID (\"name\" \"x\" \"version\" NIL)", PARSE_DONE, IMAP_ID, false },
    { "a ID ()", PARSE_DONE, IMAP_ID, false },
    { "a ID (\"name\")", PARSE_BAD, IMAP_ID, false },
    { "a ID x", PARSE_BAD, IMAP_ID, false },
    { "a ENABLE CONDSTORE X", PARSE_DONE, IMAP_ENABLE, false },
    { "a ENABLE", PARSE_BAD, IMAP_ENABLE, false },
    { "a XYZZY", PARSE_BAD, IMAP_UNKNOWN, false },
    { "a", PARSE_BAD, IMAP_UNKNOWN, false },
    { "a ", PARSE_BAD, IMAP_UNKNOWN, false },
    { "", PARSE_BAD, IMAP_UNKNOWN, false },
    { " NOOP", PARSE_BAD, IMAP_UNKNOWN, false },
    { "a+b NOOP", PARSE_BAD, IMAP_UNKNOWN, false },
    { "(a NOOP", PARSE_BAD, IMAP_UNKNOWN, false },
    { "DONE", PARSE_BAD, IMAP_UNKNOWN, false },
};

static void rows_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        arena mem = arena_new(0);
        imap_command c;
        parse p = imap_command_parse(str_c(rows[i].in), &mem, &c);
        if (p != rows[i].want || c.verb != rows[i].verb || c.is_uid != rows[i].is_uid)
            fail_msg("%s: %s", rows[i].in, c.problem ? c.problem : "no problem");
        assert_int_equal(c.problem == NULL, p == PARSE_DONE);
        if (p == PARSE_DONE)
            assert_true(c.legal_in != 0);
        arena_free(&mem);
    }
}

static void truncated_rows_stay_inside(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t n = 0; n < strlen(rows[i].in); n++) {
            arena mem = arena_new(0);
            imap_command c;
            char *copy = malloc(n ? n : 1);
            memcpy(copy, rows[i].in, n);
            imap_command_parse((str){ copy, n }, &mem, &c);
            free(copy);
            arena_free(&mem);
        }
}

static arena mem;
static imap_command c;

static void read(const char *in)
{
    arena_free(&mem);
    if (imap_command_parse(str_c(in), &mem, &c) != PARSE_DONE)
        fail_msg("%s: %s", in, c.problem);
}

static void values_of_logins_arrive(void **state)
{
    (void)state;
    read("a1 LOGIN {4}\r\nu er \"p\\\"w\"");
    assert_true(str_equal(c.tag, STR("a1")));
    assert_true(str_equal(c.login.user, STR("u er")));
    assert_true(str_equal(c.login.password.hidden, STR("p\"w")));
    assert_int_equal(c.legal_in, IMAP_NOT_AUTHENTICATED);
    read("a AUTHENTICATE plain AHUAcA==");
    assert_true(str_equal(c.authenticate.mechanism, STR("plain")));
    assert_true(str_equal(c.authenticate.initial, STR("AHUAcA==")));
    read("a AUTHENTICATE plain");
    assert_null(c.authenticate.initial.p);
    read("a ID (\"name\" \"x\" \"version\" NIL)");
    assert_int_equal(c.id.n, 4);
    assert_true(str_equal(c.id.pairs[1], STR("x")));
    assert_null(c.id.pairs[3].p);
    read("a ENABLE A B ");
    assert_int_equal(c.enable.n, 2);
}

static void values_of_mailboxes_arrive(void **state)
{
    (void)state;
    read("a RENAME &APw-/x b");
    assert_true(str_equal(c.mailbox.name, STR("\xc3\xbc/x")));
    assert_true(str_equal(c.rename.to.name, STR("b")));
    read("a SELECT &AC8-");
    assert_false(c.mailbox.is_valid);
    assert_true(str_equal(c.mailbox.wire, STR("&AC8-")));
    read("a SELECT \"\"");
    assert_false(c.mailbox.is_valid);
    read("a SELECT {3}\r\na\r\n");
    assert_false(c.mailbox.is_valid);
    read("a LIST \"\" &APw-/%");
    assert_true(c.list.reference.is_valid && c.list.reference.name.n == 0);
    assert_true(str_equal(c.list.pattern.name, STR("\xc3\xbc/%")));
    read("a STATUS a (UNSEEN UIDNEXT)");
    assert_int_equal(c.status.items, IMAP_STATUS_UNSEEN | IMAP_STATUS_UIDNEXT);
    read("a APPEND a (\\Draft k) \"01-Jan-1970 00:01:00 +0000\" {10+}");
    assert_int_equal(c.flags.system, IMAP_DRAFT);
    assert_int_equal(c.flags.keyword_n, 1);
    assert_true(c.append.has_date && c.append.date_s == 60);
    assert_true(c.append.message_bytes == 10 && !c.append.is_sync && c.append.message.p == NULL);
    read("a APPEND a {2}\r\nxy");
    assert_true(str_equal(c.append.message, STR("xy")));
}

static void values_of_messages_arrive(void **state)
{
    (void)state;
    read("a UID STORE 3,1:2 -FLAGS.SILENT (\\Seen k)");
    assert_true(c.is_uid && c.legal_in == IMAP_SELECTED);
    assert_true(c.set.n == 1 && c.set.ranges[0].first == 1 && c.set.ranges[0].last == 3);
    assert_true(c.store.action == IMAP_STORE_REMOVE && c.store.is_silent);
    assert_int_equal(c.flags.system, IMAP_SEEN);
    read("a FETCH 1:* (UID FLAGS)");
    assert_true(c.set.has_star && c.fetch.n == 2);
    read("a UID COPY 5 Trash");
    assert_true(str_equal(c.mailbox.name, STR("Trash")));
    read("a SEARCH CHARSET UTF-8 UNSEEN");
    assert_int_equal(c.search.n, 2);
    assert_true(str_equal(imap_verb_name(c.verb), STR("SEARCH")));
}

/* A name has a limit of its own, whatever the literal had. */
static void mailbox_names_have_a_limit(void **state)
{
    (void)state;
    for (size_t n = IMAP_MAILBOX_MAX - 1; n <= IMAP_MAILBOX_MAX + 1; n++) {
        buf in = buf_new(2000);
        buf_append(&in, STR("a SELECT "));
        while (in.n < n + 9)
            buf_append_char(&in, 'x');
        read(buf_c(&in));
        assert_int_equal(c.mailbox.is_valid, n <= IMAP_MAILBOX_MAX);
        buf_free(&in);
    }
}

static int forget(void **state)
{
    (void)state;
    arena_free(&mem);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_hold),
        cmocka_unit_test(truncated_rows_stay_inside),
        cmocka_unit_test(values_of_logins_arrive),
        cmocka_unit_test(values_of_mailboxes_arrive),
        cmocka_unit_test(values_of_messages_arrive),
        cmocka_unit_test(mailbox_names_have_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, forget);
}
