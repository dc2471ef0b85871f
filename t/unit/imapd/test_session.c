/* SOURCES: imapd/worker/server.c imapd/worker/session.c imapd/worker/verbs.c imapd/worker/simple.c imapd/worker/news.c imapd/worker/flags.c imapd/worker/select.c imapd/worker/folders.c imapd/worker/list.c imapd/worker/append.c imapd/worker/copy.c imapd/worker/idle.c imapd/worker/pick.c imapd/worker/fetch.c imapd/worker/fetch_items.c imapd/worker/reading.c imapd/worker/search.c imapd/worker/search_keys.c imapd/worker/search_text.c  NEEDS: store worker */
/* Whole sessions: each dialogue runs whole, and byte by byte. */
#include "imapd/worker/server.h"
#include "t/unit/imapd/dialog.h"

#define HELLO "From: Ada <ada@a.example>\r\nTo: bob@b.example\r\nSubject: Hello =?utf-8?q?W=C3=B6rld?=\r\n" \
              "Date: Tue, 3 Mar 2020 10:11:12 +0100\r\nMessage-ID: <1@a.example>\r\n\r\nFirst line\r\nSecond line\r\n"
#define PARTS "From: x@y.example\r\nSubject: Parts\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=bb\r\n\r\n" \
              "pre\r\n--bb\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" \
              "caf=E9 open=\r\nsesame\r\n--bb\r\nContent-Type: message/rfc822\r\n\r\nSubject: Inner\r\n\r\nDeep text\r\n--bb--\r\n"


static const exchange basics[] = {
    { "a1 NOOP\r\n", "a1 ", "a1 OK NOOP completed\r\n" },
    { "a2 CAPABILITY\r\n", "a2 ",
      "* CAPABILITY IMAP4rev1 LITERAL+ ID ENABLE IDLE NAMESPACE CHILDREN UIDPLUS UNSELECT MOVE\r\n"
      "a2 OK Capability completed\r\n" },
    { "a3 FETCH 1 FLAGS\r\n", "a3 ", "a3 BAD No mailbox selected\r\n" },
    { "a4 LOGIN a b\r\n", "a4 ", "a4 BAD Already logged in\r\n" },
    { "a5 XYZZY\r\n", "a5 ", "a5 BAD Unknown command\r\n" },
    { "a6 SELECT nowhere\r\n", "a6 ", "a6 NO [NONEXISTENT] no such mailbox\r\n" },
    { "a7 ID NIL\r\n", "a7 ", "* ID (\"name\" \"Postrider\")\r\na7 OK ID completed\r\n" },
    { "a8 NAMESPACE\r\n", "a8 ", "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\na8 OK Namespace completed\r\n" },
    { "a9 ENABLE CONDSTORE\r\n", "a9 ", "* ENABLED\r\na9 OK Enabled\r\n" },
    { "b1 LIST \"\" \"\"\r\n", "b1 ", "* LIST (\\Noselect) \"/\" \"\"\r\nb1 OK List completed\r\n" },
};

static const exchange folders[] = {
    { "a1 CREATE one/two\r\n", "a1 ", "a1 OK Create completed\r\n" },
    { "a2 CREATE inbox\r\n", "a2 ", "a2 NO [ALREADYEXISTS] the mailbox exists already\r\n" },
    { "a3 LIST \"\" *\r\n", "a3 ",
      "* LIST (\\HasNoChildren) \"/\" INBOX\r\n* LIST (\\Noselect \\HasChildren) \"/\" one\r\n"
      "* LIST (\\HasNoChildren) \"/\" one/two\r\na3 OK List completed\r\n" },
    { "a4 LIST one/ %\r\n", "a4 ", "* LIST (\\HasNoChildren) \"/\" one/two\r\na4 OK List completed\r\n" },
    { "a5 SUBSCRIBE one/two\r\n", "a5 ", "a5 OK Subscribe completed\r\n" },
    { "a6 LSUB \"\" %\r\n", "a6 ", "* LSUB (\\Noselect) \"/\" one\r\na6 OK Lsub completed\r\n" },
    { "a7 LSUB \"\" *\r\n", "a7 ", "* LSUB () \"/\" one/two\r\na7 OK Lsub completed\r\n" },
    { "a8 RENAME one/two {5+}\r\nthree\r\n", "a8 ", "a8 OK Rename completed\r\n" },
    { "a9 RENAME one/two four\r\n", "a9 ", "a9 NO [NONEXISTENT] no such mailbox\r\n" },
    { "b1 STATUS INBOX (MESSAGES UNSEEN RECENT UIDNEXT)\r\n", "b1 ",
      "* STATUS INBOX (MESSAGES 2 RECENT 2 UIDNEXT 3 UNSEEN 2)\r\nb1 OK Status completed\r\n" },
    { "b2 DELETE three\r\n", "b2 ", "b2 OK Delete completed\r\n" },
    { "b3 DELETE three\r\n", "b3 ", "b3 NO [NONEXISTENT] no such mailbox\r\n" },
    { "b4 CREATE up//down\r\n", "b4 ", "b4 NO [CANNOT] not a mailbox name\r\n" },
    { "b5 CREATE \"&AOT\"\r\n", "b5 ", "b5 NO [CANNOT] Not the name of a mailbox\r\n" },
    { "b6 CREATE \"T&AOQ-st\"\r\n", "b6 ", "b6 OK Create completed\r\n" },
    { "b7 LIST \"\" T*\r\n", "b7 ", "* LIST (\\HasNoChildren) \"/\" T&AOQ-st\r\nb7 OK List completed\r\n" },
};

static const exchange fetches[] = {
    { "a0 EXAMINE INBOX\r\n", "a0 OK [READ-ONLY] Examine completed\r\n", NULL },
    { "a1 FETCH 1 (UID FLAGS RFC822.SIZE)\r\n", "a1 ", "* 1 FETCH (UID 1 FLAGS (\\Recent) RFC822.SIZE 177)\r\na1 OK Fetch completed\r\n" },
    { "a2 FETCH 1 ENVELOPE\r\n", "a2 ",
      "* 1 FETCH (ENVELOPE (\"Tue, 3 Mar 2020 10:11:12 +0100\" \"Hello =?utf-8?q?W=C3=B6rld?=\" "
      "((\"Ada\" NIL \"ada\" \"a.example\")) ((\"Ada\" NIL \"ada\" \"a.example\")) ((\"Ada\" NIL \"ada\" \"a.example\")) "
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
      "* 2 FETCH (UID 2 BODY[1] {20}\r\ncaf=E9 open=\r\nsesame BODY[2.HEADER] {18}\r\nSubject: Inner\r\n\r\n BODY[2.TEXT] {9}\r\n"
      "Deep text BODY[2.1] {9}\r\nDeep text BODY[3] NIL)\r\na8 OK Fetch completed\r\n" },
    { "a9 UID FETCH 2 (BODY[1.MIME])\r\n", "a9 ",
      "* 2 FETCH (UID 2 BODY[1.MIME] {93}\r\nContent-Type: text/plain; charset=iso-8859-1\r\n"
      "Content-Transfer-Encoding: quoted-printable\r\n\r\n)\r\na9 OK Fetch completed\r\n" },
    { "b1 FETCH 1 RFC822.HEADER\r\n", "b1 ",
      "* 1 FETCH (RFC822.HEADER {152}\r\nFrom: Ada <ada@a.example>\r\nTo: bob@b.example\r\n"
      "Subject: Hello =?utf-8?q?W=C3=B6rld?=\r\nDate: Tue, 3 Mar 2020 10:11:12 +0100\r\nMessage-ID: <1@a.example>\r\n\r\n)\r\n"
      "b1 OK Fetch completed\r\n" },
    { "b2 FETCH 3 FLAGS\r\n", "b2 ", "b2 BAD There are only 2 messages\r\n" },
    { "b3 UID FETCH 3 FLAGS\r\n", "b3 ", "b3 OK Fetch completed\r\n" },
    { "b4 FETCH 1:* (FLAGS)\r\n", "b4 ", "* 1 FETCH (FLAGS (\\Recent))\r\n* 2 FETCH (FLAGS (\\Recent))\r\nb4 OK Fetch completed\r\n" },
    { "b5 STORE 1 +FLAGS (\\Seen)\r\n", "b5 ", "b5 NO [READ-ONLY] The mailbox was opened with EXAMINE\r\n" },
    { "b6 CLOSE\r\n", "b6 ", "b6 OK Close completed\r\n" },
};

static const exchange changes[] = {
    { "a0 SELECT INBOX\r\n", "a0 OK [READ-WRITE] Select completed\r\n", NULL },
    { "a1 STORE 1 +FLAGS (\\Flagged $Later)\r\n", "a1 ",
      "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Later)\r\n"
      "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\* $Later)] Limited\r\n"
      "* 1 FETCH (FLAGS (\\Flagged \\Recent $Later))\r\na1 OK Store completed\r\n" },
    { "a2 UID STORE 1 -FLAGS.SILENT $Later\r\n", "a2 ", "a2 OK Store completed\r\n" },
    { "a3 FETCH 1:2 BODY[]<0.4>\r\n", "a3 ",
      "* 1 FETCH (BODY[]<0> {4}\r\nFrom FLAGS (\\Flagged \\Seen \\Recent))\r\n"
      "* 2 FETCH (BODY[]<0> {4}\r\nFrom FLAGS (\\Seen \\Recent))\r\na3 OK Fetch completed\r\n" },
    { "a4 COPY 1 nowhere\r\n", "a4 ", "a4 NO [TRYCREATE] no such mailbox\r\n" },
    { "a5 CREATE there\r\n", "a5 ", "a5 OK Create completed\r\n" },
    { "a6 STORE 2 FLAGS (\\Deleted)\r\n", "a6 ", "* 2 FETCH (FLAGS (\\Deleted \\Recent))\r\na6 OK Store completed\r\n" },
    { "a7 UID EXPUNGE 1\r\n", "a7 ", "a7 OK Expunge completed\r\n" },
    { "a8 EXPUNGE\r\n", "a8 ", "* 2 EXPUNGE\r\na8 OK Expunge completed\r\n" },
    { "a9 EXPUNGE\r\n", "a9 ", "a9 OK Expunge completed\r\n" },
    { "b1 APPEND INBOX (\\Draft) \"17-Jul-1996 02:44:25 -0700\" {15}\r\n", "+ ", "+ OK\r\n" },
    { "Subject: x\r\n\r\ny\r\n", "b1 ", NULL },
    { "b2 FETCH 2 (FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])\r\n", "b2 ",
      "* 2 FETCH (FLAGS (\\Draft) INTERNALDATE \"17-Jul-1996 09:44:25 +0000\" RFC822.SIZE 15 BODY[] {15}\r\n"
      "Subject: x\r\n\r\ny)\r\nb2 OK Fetch completed\r\n" },
    { "b3 APPEND nowhere {3+}\r\nabc\r\n", "b3 ", "b3 NO [TRYCREATE] no such mailbox\r\n" },
    { "b4 APPEND there {0+}\r\n\r\n", "b4 ", "b4 NO [CANNOT] An empty message is none\r\n" },
    { "b5 APPEND there {3+}\r\nabc) x\r\n", "b5 ", "b5 BAD Something stands behind the message\r\n" },
    { "b6 STATUS there (MESSAGES)\r\n", "b6 ", "* STATUS there (MESSAGES 0)\r\nb6 OK Status completed\r\n" },
    { "b7 UNSELECT\r\n", "b7 ", "b7 OK Unselect completed\r\n" },
};

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

static void dialogue(const exchange *rows, size_t n)
{
    for (unsigned is_bytewise = 0; is_bytewise < 2; is_bytewise++) {
        dialog d;
        client c;
        dialog_open(&d);
        dialog_deliver(&d, HELLO);
        dialog_deliver(&d, PARTS);
        client_open(&c, &d);
        assert_non_null(strstr(client_read(&c, "t0 "), "t0 OK [CAPABILITY IMAP4rev1 "));
        client_run(&c, rows, n, is_bytewise);
        client_close(&c);
        dialog_close(&d);
    }
}

#define DIALOGUE(name)                                                                                                 \
    static void name##_hold(void **state)                                                                              \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        dialogue(name, COUNT_OF(name));                                                                                \
    }
DIALOGUE(basics)
DIALOGUE(folders)
DIALOGUE(fetches)
DIALOGUE(changes)
DIALOGUE(searches)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(basics_hold),   cmocka_unit_test(folders_hold),  cmocka_unit_test(fetches_hold),
        cmocka_unit_test(changes_hold),  cmocka_unit_test(searches_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
