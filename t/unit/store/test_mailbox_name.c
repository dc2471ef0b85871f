#include "store/mailbox_name.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

typedef struct row {
    str name, folder;
} row;

static const row rows[] = {
    { STR_ROW("INBOX"), STR_ROW("") },
    { STR_ROW("Sent"), STR_ROW(".Sent") },
    { STR_ROW("a/b/c"), STR_ROW(".a.b.c") },
    { STR_ROW("INBOX/a"), STR_ROW(".INBOX.a") },
    { STR_ROW("v1.2"), STR_ROW(".v1&AC4-2") },
    { STR_ROW("../x"), STR_ROW(".&AC4ALg-.x") },
    { STR_ROW("R&D"), STR_ROW(".R&-D") },
    { STR_ROW("Entw\xc3\xbcrfe"), STR_ROW(".Entw&APw-rfe") },
    { STR_ROW("\xe5\x8f\xb0\xe5\x8c\x97/\xe6\x97\xa5"), STR_ROW(".&U,BTFw-.&ZeU-") },
    { STR_ROW("\xf0\x9f\x93\xac"), STR_ROW(".&2D3c7A-") },
    { STR_ROW("~user"), STR_ROW(".~user") },
    { STR_ROW("postrider/index"), STR_ROW(".postrider.index") },
};

static void rows_hold_both_ways(void **state)
{
    buf folder = buf_new(4000), name = buf_new(4000);
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_true(mailbox_name_to_folder(rows[i].name, &folder));
        assert_true(str_equal(buf_str(&folder), rows[i].folder));
        if (rows[i].folder.n == 0)
            continue;
        assert_true(mailbox_name_from_folder(rows[i].folder, &name));
        assert_true(str_equal(buf_str(&name), rows[i].name));
        for (size_t cut = 0; cut < rows[i].folder.n; cut++) { /* whatever is read comes back the same */
            char *copy = malloc(cut + 1);
            memcpy(copy, rows[i].folder.p, cut);
            if (mailbox_name_from_folder((str){ copy, cut }, &name)) {
                assert_true(mailbox_name_to_folder(buf_str(&name), &folder));
                assert_true(str_equal(buf_str(&folder), (str){ copy, cut }));
            }
            free(copy);
        }
    }
    buf_free(&folder);
    buf_free(&name);
}

static void bad_names_are_refused(void **state)
{
    static const str bad[] = {
        STR_ROW(""),         STR_ROW("/"),
        STR_ROW("/etc"),     STR_ROW("a//b"),
        STR_ROW("a/"),       STR_ROW("a\nb"),
        STR_ROW("a\0b"),     STR_ROW("a\tb"),
        STR_ROW("\x7f"),     STR_ROW("\xff"),
        STR_ROW("\xc0\xaf"), STR_ROW("\xed\xa0\x80"),
        STR_ROW("\xe2\x82"), STR_ROW("\xf4\x90\x80\x80"),
    };
    buf folder = buf_new(4000);
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(mailbox_name_to_folder(bad[i], &folder));
    char longest[10000];
    memset(longest, 'a', sizeof longest);
    assert_true(mailbox_name_to_folder((str){ longest, 254 }, &folder));
    assert_false(mailbox_name_to_folder((str){ longest, 255 }, &folder));
    assert_false(mailbox_name_to_folder((str){ longest, sizeof longest }, &folder));
    for (size_t i = 1; i < sizeof longest; i += 2)
        longest[i] = '/';
    assert_false(mailbox_name_to_folder((str){ longest, 1999 }, &folder)); /* depth 1,000 */
    buf_free(&folder);
}

static void folders_that_are_not_canonical_are_no_mailboxes(void **state)
{
    static const str bad[] = {
        STR_ROW("Sent"),        STR_ROW("."),         STR_ROW(".."),     STR_ROW("..a"),    STR_ROW(".a..b"),
        STR_ROW(".a."),         STR_ROW(".&AGE-"),    STR_ROW(".a&"),    STR_ROW(".&AC8-"), STR_ROW(".\xc3\xbc"),
        STR_ROW(".&2D0-"),      STR_ROW(".&3C3YPQ-"), STR_ROW(".&APx-"), STR_ROW(".inbox"), STR_ROW(".INBOX"),
        STR_ROW(".Inbox.a"),    STR_ROW(".a\n"),      STR_ROW(".&AAo-"), STR_ROW(".&AAA-"), STR_ROW(".&AP"),
        STR_ROW(".&APw-&APw-"), STR_ROW(".&AP w-"),
    };
    buf name = buf_new(4000);
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (mailbox_name_from_folder(bad[i], &name))
            fail_msg("%.*s was taken for a mailbox", STR_ARG(bad[i]));
    buf_free(&name);
}

static void inbox_has_no_case(void **state)
{
    buf folder = buf_new(100);
    (void)state;
    assert_true(mailbox_name_to_folder(STR("iNbOx"), &folder));
    assert_int_equal(folder.n, 0);
    assert_true(mailbox_name_to_folder(STR("inbox/A"), &folder));
    assert_string_equal(buf_c(&folder), ".INBOX.A");
    buf_free(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_hold_both_ways),
        cmocka_unit_test(bad_names_are_refused),
        cmocka_unit_test(folders_that_are_not_canonical_are_no_mailboxes),
        cmocka_unit_test(inbox_has_no_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
