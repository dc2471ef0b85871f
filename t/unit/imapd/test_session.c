/* SOURCES: imapd/worker/append.c imapd/worker/copy.c imapd/worker/fetch.c imapd/worker/fetch_items.c imapd/worker/flags.c imapd/worker/folders.c imapd/worker/idle.c imapd/worker/list.c imapd/worker/news.c imapd/worker/pick.c imapd/worker/reading.c imapd/worker/search.c imapd/worker/search_keys.c imapd/worker/search_text.c imapd/worker/select.c imapd/worker/server.c imapd/worker/session.c imapd/worker/simple.c imapd/worker/verbs.c  NEEDS: store worker */
/* Limits of a session: pipelining, a client that does not read, bad input, time. */
#include "base/num.h"
#include "t/unit/imapd/imap.h"

/* All of `bytes` in, whatever comes out meanwhile is kept in *got. */
static void pump(fixture *f, str bytes, buf *got)
{
    char piece[65536];
    while (bytes.n) {
        ssize_t n = write(f->c.fd, bytes.p, bytes.n);
        bytes = str_from(bytes, n > 0 ? (size_t)n : 0);
        dialog_turn(&f->d);
        n = read(f->c.fd, piece, sizeof piece);
        if (n > 0)
            buf_append(got, (str){ piece, (size_t)n });
    }
}

static void pipelined_commands_are_answered_in_order(void **state)
{
    enum { COMMANDS = 10000 };
    fixture f;
    buf all = buf_new(1 << 20), wanted = buf_new(1 << 20), got = buf_new(1 << 20);
    (void)state;
    fixture_open(&f);
    ask(&f.c, "a SELECT INBOX\r\n", "a ");
    for (unsigned i = 0; i < COMMANDS; i++) {
        buf_printf(&all, "x%u %s\r\n", i, i % 2 ? "UID FETCH 1 UID" : "NOOP");
        buf_printf(&wanted, "%sx%u OK %s completed\r\n", i % 2 ? "* 1 FETCH (UID 1)\r\n" : "", i,
                   i % 2 ? "Fetch" : "NOOP");
    }
    pump(&f, buf_str(&all), &got);
    if (got.n < wanted.n)
        buf_append(&got, str_c(client_read(&f.c, "x9999 ")));
    assert_true(str_equal(buf_str(&got), buf_str(&wanted)));
    buf_free(&got);
    buf_free(&all);
    buf_free(&wanted);
    fixture_close(&f);
}

static void a_client_that_does_not_read_holds_little(void **state)
{
    enum { LINES = 50000 };
    fixture f;
    char *text = malloc(LINES * 22 + 64), *at = text + snprintf(text, 32, "Subject: large\r\n\r\n");
    (void)state;
    for (unsigned i = 0; i < LINES; i++)
        at += snprintf(at, 32, "line %014u\r\n", i);
    fixture_open(&f);
    dialog_deliver(&f.d, text);
    ask(&f.c, "a SELECT INBOX\r\n", "a ");
    client_write(
        &f.c, STR("a1 FETCH 3 BODY.PEEK[]\r\na2 FETCH 3 (BODY.PEEK[] BODY.PEEK[TEXT]<1000000.1000>)\r\na3 NOOP\r\n"));
    for (unsigned i = 0; i < 100; i++) {
        dialog_turn(&f.d);
        assert_true(stream_unsent(&f.d.v.sessions->stream) < 256 * 1024);
    }
    buf got = buf_new(1 << 24);
    buf_append(&got, str_c(client_read(&f.c, "a3 ")));
    size_t n = strlen(text);
    str head = STR("* 3 FETCH (BODY[] {1050018}\r\n");
    assert_int_equal(n, 1050018);
    assert_true(str_starts(buf_str(&got), head));
    assert_memory_equal(got.p + head.n, text, n);
    str rest = str_from(buf_str(&got), head.n + n);
    str second = STR(")\r\na1 OK Fetch completed\r\n* 3 FETCH (BODY[] {1050018}\r\n");
    assert_true(str_starts(rest, second));
    rest = str_from(rest, second.n);
    assert_memory_equal(rest.p, text, n);
    rest = str_from(rest, n);
    str third = STR(" BODY[TEXT]<1000000> {1000}\r\n");
    assert_true(str_starts(rest, third));
    assert_memory_equal(rest.p + third.n, text + 18 + 1000000, 1000);
    assert_true(
        str_equal(str_from(rest, third.n + 1000), STR(")\r\na2 OK Fetch completed\r\na3 OK NOOP completed\r\n")));
    buf_free(&got);
    free(text);
    fixture_close(&f);
}

static void a_slow_client_gets_the_rest_after_a_sleep(void **state)
{
    fixture f;
    buf text = buf_new(1 << 24);
    (void)state;
    buf_append(&text, STR("Subject: large\r\n\r\n"));
    for (unsigned i = 0; i < 100000; i++)
        buf_printf(&text, "line %014u\r\n", i);
    fixture_open(&f);
    dialog_deliver(&f.d, buf_c(&text));
    ask(&f.c, "a SELECT INBOX\r\n", "a ");
    client_write(&f.c, STR("a1 FETCH 3 BODY.PEEK[]\r\n"));
    while (!f.d.v.is_asleep)
        dialog_turn(&f.d);
    const char *got = client_read(&f.c, "a1 ");
    assert_memory_equal(strchr(got, '\n') + 1, text.p, text.n);
    assert_non_null(strstr(got, "\r\n)\r\na1 OK"));
    buf_free(&text);
    fixture_close(&f);
}

static void a_large_message_comes_in_pieces_of_any_size(void **state)
{
    fixture f;
    buf text = buf_new(1 << 20), whole = buf_new(1 << 20), line = buf_new(100);
    (void)state;
    buf_append(&text, STR("Subject: x\r\n\r\n"));
    for (unsigned i = 0; i < 9000; i++)
        buf_printf(&text, "%u%s", i * 7919, i % 5 ? " " : "\r\n");
    fixture_open(&f);
    dialog_deliver(&f.d, buf_c(&text));
    ask(&f.c, "a SELECT INBOX\r\n", "a ");
    for (size_t at = 0, n = 1; at < text.n; at += n, n = n * 3 % 5003 + 1) {
        buf_clear(&line);
        buf_printf(&line, "p FETCH 3 BODY.PEEK[]<%zu.%zu>\r\n", at, n);
        const char *got = ask(&f.c, buf_c(&line), "p OK");
        const char *start = strchr(got, '\n') + 1;
        uint64_t length = 0;
        str digits = str_c(strchr(got, '{') + 1);
        assert_true(num_parse(str_upto(digits, str_find(digits, '}')), 0, SIZE_MAX, &length));
        buf_append(&whole, (str){ start, (size_t)length });
    }
    assert_true(str_equal(buf_str(&whole), buf_str(&text)));
    buf_free(&whole);
    buf_free(&text);
    buf_free(&line);
    fixture_close(&f);
}

static void what_came_behind_the_login_is_served(void **state)
{
    dialog d;
    client c;
    (void)state;
    dialog_open(&d);
    client_open_with(
        &c, &d,
        &(session_open){ .session = STR("s"), .tag = STR("x"), .input = STR("a NOOP\r\nb NO"), .timeout_s = 60 });
    client_read(&c, "a OK");
    assert_string_equal(ask(&c, "OP\r\n", "b "), "b OK NOOP completed\r\n");
    client_close(&c);
    dialog_close(&d);
}

/* Each is answered with BAD or NO, and the session lives on. */
static const char *const hostile[] = {
    "h FETCH 1 BODY[\r\n",
    "h FETCH 0 UID\r\n",
    "h FETCH 4294967296 UID\r\n",
    "h SEARCH ((((((\r\n",
    "h STORE 1 FLAGS (\\\r\n",
    "h SELECT \"\\x\"\r\n",
    "h SELECT \"a\rb\"\r\n",
    "h LIST (\r\n",
    "h FETCH 1 BODY[1.0]\r\n",
    "h APPEND INBOX {99999999999999999999+}\r\n",
    "h CREATE \"&AGE-\"\r\n",
    "h CREATE {3+}\r\na\nb\r\n",
    "h RENAME INBOX INBOX\r\n",
    "h UID EXPUNGE 1\r\n",
    "h COPY 1:4294967295 INBOX\r\n",
    "h STATUS INBOX ()\r\n",
    "h SEARCH BEFORE 1-Foo-2000\r\n",
};

static void hostile_commands_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(hostile); i++) {
        fixture f;
        fixture_open(&f);
        ask(&f.c, "a EXAMINE INBOX\r\n", "a ");
        client_write(&f.c, str_c(hostile[i]));
        client_write(&f.c, STR("z NOOP\r\n"));
        const char *got = client_read(&f.c, "z ");
        bool is_refused =
            strstr(got, "h BAD ") || strstr(got, "h NO ") || strstr(got, "* BAD ") || strstr(got, "* BYE ");
        if (!is_refused)
            fail_msg("said: %s\ngot: %s", hostile[i], got);
        fixture_close(&f);
    }
}

static void many_bad_commands_end_a_session(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f);
    for (unsigned i = 0; i < BAD_COMMANDS_MAX; i++)
        client_write(&f.c, STR("x y\r\n"));
    assert_non_null(strstr(client_read(&f.c, "never"), "* BYE Too many invalid commands\r\n"));
    assert_true(f.c.is_at_end);
    fixture_close(&f);
}

static void a_cut_off_append_leaves_nothing(void **state)
{
    fixture f;
    mailbox_status status;
    (void)state;
    fixture_open(&f);
    ask(&f.c, "a APPEND INBOX {100}\r\n", "+ OK");
    client_write(&f.c, STR("Subject: half"));
    client_close(&f.c);
    OK(store_status(f.d.t.s, STR("INBOX"), &status));
    assert_int_equal(status.messages, 2);
    assert_int_equal(temp_count(&f.d.t, "tmp", NULL), 0);
    dialog_close(&f.d);
}

static void a_silent_client_is_sent_away(void **state)
{
    dialog d;
    client c;
    (void)state;
    dialog_open(&d);
    client_open_with(&c, &d, &(session_open){ .session = STR("s"), .tag = STR("x"), .timeout_s = 1 });
    assert_non_null(strstr(client_read(&c, "never"), "* BYE Autologout; idle for too long\r\n"));
    client_close(&c);
    dialog_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pipelined_commands_are_answered_in_order),
        cmocka_unit_test(a_client_that_does_not_read_holds_little),
        cmocka_unit_test(a_slow_client_gets_the_rest_after_a_sleep),
        cmocka_unit_test(a_large_message_comes_in_pieces_of_any_size),
        cmocka_unit_test(what_came_behind_the_login_is_served),
        cmocka_unit_test(hostile_commands_are_refused),
        cmocka_unit_test(many_bad_commands_end_a_session),
        cmocka_unit_test(a_cut_off_append_leaves_nothing),
        cmocka_unit_test(a_silent_client_is_sent_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
