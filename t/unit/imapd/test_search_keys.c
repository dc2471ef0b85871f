/* SOURCES: imapd/worker/append.c imapd/worker/copy.c imapd/worker/fetch.c imapd/worker/fetch_items.c imapd/worker/flags.c imapd/worker/folders.c imapd/worker/idle.c imapd/worker/list.c imapd/worker/news.c imapd/worker/pick.c imapd/worker/reading.c imapd/worker/search.c imapd/worker/search_keys.c imapd/worker/search_text.c imapd/worker/select.c imapd/worker/server.c imapd/worker/session.c imapd/worker/simple.c imapd/worker/verbs.c  NEEDS: store worker */
/* Every kind of key. */
#include "t/unit/imapd/imap.h"

static const exchange searches[] = {
    { "a0 SELECT INBOX\r\n", "a0 OK [READ-WRITE] Select completed\r\n", NULL },
    { "a1 SEARCH ALL\r\n", "a1 ", "* SEARCH 1 2\r\na1 OK Search completed\r\n" },
    { "a2 SEARCH SUBJECT w\303\266rld\r\n", "a2 ", NULL },
    { "a3 SEARCH CHARSET UTF-8 SUBJECT {6+}\r\nw\303\266rld\r\n", "a3 ", "* SEARCH 1\r\na3 OK Search completed\r\n" },
    { "a4 SEARCH BODY \"SECOND\"\r\n", "a4 ", "* SEARCH 1\r\na4 OK Search completed\r\n" },
    { "a5 SEARCH BODY \"opensesame\"\r\n", "a5 ", "* SEARCH 2\r\na5 OK Search completed\r\n" },
    { "a6 SEARCH CHARSET UTF-8 BODY {5+}\r\ncaf\303\251\r\n", "a6 ", "* SEARCH 2\r\na6 OK Search completed\r\n" },
    { "a7 SEARCH TEXT deep\r\n", "a7 ", "* SEARCH 2\r\na7 OK Search completed\r\n" },
    { "a8 SEARCH BODY inner\r\n", "a8 ", "* SEARCH 2\r\na8 OK Search completed\r\n" },
    { "a9 SEARCH BODY quoted-printable\r\n", "a9 ", "* SEARCH\r\na9 OK Search completed\r\n" },
    { "b1 SEARCH TEXT quoted-printable\r\n", "b1 ", "* SEARCH 2\r\nb1 OK Search completed\r\n" },
    { "b2 SEARCH NOT FROM ada\r\n", "b2 ", "* SEARCH 2\r\nb2 OK Search completed\r\n" },
    { "b3 SEARCH OR FROM ada FROM x@y\r\n", "b3 ", "* SEARCH 1 2\r\nb3 OK Search completed\r\n" },
    { "b4 SEARCH SENTON 3-Mar-2020\r\n", "b4 ", "* SEARCH 1\r\nb4 OK Search completed\r\n" },
    { "b5 SEARCH SENTBEFORE 3-Mar-2020\r\n", "b5 ", "* SEARCH\r\nb5 OK Search completed\r\n" },
    { "b6 SEARCH LARGER 200 UNSEEN\r\n", "b6 ", "* SEARCH 2\r\nb6 OK Search completed\r\n" },
    { "b7 UID SEARCH 2:*\r\n", "b7 ", "* SEARCH 2\r\nb7 OK Search completed\r\n" },
    { "b8 SEARCH UID 1 HEADER Message-ID \"\"\r\n", "b8 ", "* SEARCH 1\r\nb8 OK Search completed\r\n" },
    { "b9 SEARCH CHARSET KOI8-R TEXT x\r\n", "b9 ", "b9 NO [BADCHARSET (US-ASCII UTF-8)] Charset not known\r\n" },
    { "c1 SEARCH KEYWORD none\r\n", "c1 ", "* SEARCH\r\nc1 OK Search completed\r\n" },
    { "c2 SEARCH (NEW NOT (SEEN)) SINCE 1-Jan-2020\r\n", "c2 ", "* SEARCH 1 2\r\nc2 OK Search completed\r\n" },
};

static void searches_hold(void **state)
{
    (void)state;
    dialogue(searches, COUNT_OF(searches));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(searches_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
