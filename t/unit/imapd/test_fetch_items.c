/* SOURCES: imapd/worker/append.c imapd/worker/copy.c imapd/worker/fetch.c imapd/worker/fetch_items.c imapd/worker/flags.c imapd/worker/folders.c imapd/worker/idle.c imapd/worker/list.c imapd/worker/news.c imapd/worker/pick.c imapd/worker/reading.c imapd/worker/search.c imapd/worker/search_keys.c imapd/worker/search_text.c imapd/worker/select.c imapd/worker/server.c imapd/worker/session.c imapd/worker/simple.c imapd/worker/verbs.c  NEEDS: store worker */
/* Every item of FETCH, and sections of every kind. */
#include "t/unit/imapd/imap.h"

static const exchange fetches[] = {
    { "a0 EXAMINE INBOX\r\n", "a0 OK [READ-ONLY] Examine completed\r\n", NULL },
    { "a1 FETCH 1 (UID FLAGS RFC822.SIZE)\r\n", "a1 ",
      "* 1 FETCH (UID 1 FLAGS (\\Recent) RFC822.SIZE 177)\r\na1 OK Fetch completed\r\n" },
    { "a2 FETCH 1 ENVELOPE\r\n", "a2 ",
      "* 1 FETCH (ENVELOPE (\"Tue, 3 Mar 2020 10:11:12 +0100\" \"Hello =?utf-8?q?W=C3=B6rld?=\" "
      "((\"Ada\" NIL \"ada\" \"a.example\")) ((\"Ada\" NIL \"ada\" \"a.example\")) ((\"Ada\" NIL \"ada\" "
      "\"a.example\")) "
      "((NIL NIL \"bob\" \"b.example\")) NIL NIL NIL \"<1@a.example>\"))\r\na2 OK Fetch completed\r\n" },
    { "a3 FETCH 1 (BODY BODY.PEEK[TEXT])\r\n", "a3 ",
      "* 1 FETCH (BODY (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 25 2) BODY[TEXT] {25}\r\n"
      "First line\r\nSecond line\r\n)\r\na3 OK Fetch completed\r\n" },
    { "a4 FETCH 1 BODY[TEXT]<6.4>\r\n", "a4 ", "* 1 FETCH (BODY[TEXT]<6> {4}\r\nline)\r\na4 OK Fetch completed\r\n" },
    { "a5 FETCH 1 BODY[TEXT]<24.100>\r\n", "a5 ", "* 1 FETCH (BODY[TEXT]<24> {1}\r\n\n)\r\na5 OK Fetch completed\r\n" },
    { "a6 FETCH 1 BODY[TEXT]<25.1>\r\n", "a6 ", "* 1 FETCH (BODY[TEXT]<25> {0}\r\n)\r\na6 OK Fetch completed\r\n" },
    { "a7 FETCH 1 BODY[HEADER.FIELDS (to X-none)]\r\n", "a7 ",
      "* 1 FETCH (BODY[HEADER.FIELDS (to X-none)] {21}\r\nTo: bob@b.example\r\n\r\n)\r\na7 OK Fetch completed\r\n" },
    { "a8 UID FETCH 2 (BODY[1] BODY[2.HEADER] BODY[2.TEXT] BODY[2.1] BODY[3])\r\n", "a8 ",
      "* 2 FETCH (UID 2 BODY[1] {20}\r\ncaf=E9 open=\r\nsesame BODY[2.HEADER] {18}\r\nSubject: Inner\r\n\r\n "
      "BODY[2.TEXT] {9}\r\n"
      "Deep text BODY[2.1] {9}\r\nDeep text BODY[3] NIL)\r\na8 OK Fetch completed\r\n" },
    { "a9 UID FETCH 2 (BODY[1.MIME])\r\n", "a9 ",
      "* 2 FETCH (UID 2 BODY[1.MIME] {93}\r\nContent-Type: text/plain; charset=iso-8859-1\r\n"
      "Content-Transfer-Encoding: quoted-printable\r\n\r\n)\r\na9 OK Fetch completed\r\n" },
    { "b1 FETCH 1 RFC822.HEADER\r\n", "b1 ",
      "* 1 FETCH (RFC822.HEADER {152}\r\nFrom: Ada <ada@a.example>\r\nTo: bob@b.example\r\n"
      "Subject: Hello =?utf-8?q?W=C3=B6rld?=\r\nDate: Tue, 3 Mar 2020 10:11:12 +0100\r\nMessage-ID: "
      "<1@a.example>\r\n\r\n)\r\n"
      "b1 OK Fetch completed\r\n" },
    { "b2 FETCH 3 FLAGS\r\n", "b2 ", "b2 BAD There are only 2 messages\r\n" },
    { "b3 UID FETCH 3 FLAGS\r\n", "b3 ", "b3 OK Fetch completed\r\n" },
    { "b4 FETCH 1:* (FLAGS)\r\n", "b4 ",
      "* 1 FETCH (FLAGS (\\Recent))\r\n* 2 FETCH (FLAGS (\\Recent))\r\nb4 OK Fetch completed\r\n" },
    { "b5 STORE 1 +FLAGS (\\Seen)\r\n", "b5 ", "b5 NO [READ-ONLY] The mailbox was opened with EXAMINE\r\n" },
    { "b6 CLOSE\r\n", "b6 ", "b6 OK Close completed\r\n" },
};

static void fetches_hold(void **state)
{
    (void)state;
    dialogue(fetches, COUNT_OF(fetches));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fetches_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
