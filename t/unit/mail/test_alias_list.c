/* SOURCES:  NEEDS: mail */
#include "mail/alias_list.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static const char kinds[] = "a\\|/:?"; /* by alias_kind */

/* "a:x@y |:|cmd" and so on, one word for each member. */
static void read_all(str text, char *out, size_t room)
{
    arena mem = arena_new(0);
    alias_member m;
    str rest = alias_list_open(text, &mem);
    size_t n = 0;
    out[0] = '\0';
    while (alias_list_next(&rest, &mem, &m) && n < room)
        n += (size_t)snprintf(out + n, room - n, "%s%c<%.*s>", n ? " " : "", kinds[m.kind], STR_ARG(m.text));
    arena_free(&mem);
}

static const struct row {
    const char *text, *members;
} rows[] = {
    { "", "" },
    { "\n\n  \n", "" },
    { "jo", "a<jo>" },
    { "jo, ann@x.example", "a<jo> a<ann@x.example>" },
    { "jo\nann\r\n\r\nben", "a<jo> a<ann> a<ben>" },
    { "jo,\n  ann,\n\tben", "a<jo> a<ann> a<ben>" },
    { "# jo\n  # ann, ben\nben", "a<ben>" },
    { "jo,\n# between\n ann", "a<jo> a<ann>" },
    { "\\jo", "\\<jo>" },
    { "\\jo@x.example, \"\\\\jo\"", "\\<jo@x.example> \\<jo>" },
    { "|/bin/cat -n", "|<|/bin/cat -n>" },
    { "\"|/bin/cat a, \\\"b\\\"\", jo", "|<|/bin/cat a, \"b\"> a<jo>" },
    { "|\"/bin/cat a, b\"", "|<|/bin/cat a, b>" },
    { "/var/mail/x, \"/with blank\"", "/</var/mail/x> /</with blank>" },
    { ":include:/a/list, \":include:/b list\", :INCLUDE: /c", ":<:include:/a/list> :<:include:/b list> :<:include:/c>" },
    { ":include:relative", "?<:include:relative>" },
    { "Jo Doe <jo@x.example>, \"Doe, Jo\" <jo@y.example>, jo@z.example (Jo)", "a<jo@x.example> a<jo@y.example> a<jo@z.example>" },
    { "\"jo\"", "a<jo>" },
    { "\"a b\"@x.example", "a<\"a b\"@x.example>" },
    { "no address here", "?<no address here>" },
    { "<>, |, /, \\, @x", "?<<>> ?<|> ?</> ?<\\> ?<@x>" },
    { "\"never closed, jo\nann", "?<\"never closed, jo> a<ann>" },
    { "\"a, b\" \"c <d@x.example>", "?<\"a, b\" \"c <d@x.example>>" },
    { "|a\001b, jo", "?<|a\001b> a<jo>" },
};

static void each_form_gives_its_members(void **state)
{
    char found[1000];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        read_all(str_c(rows[i].text), found, sizeof found);
        if (strcmp(found, rows[i].members) != 0)
            fail_msg("%s gives %s", rows[i].text, found);
    }
}

/* Cut anywhere it gives some members, and ends. */
static void any_part_is_read(void **state)
{
    char found[1000];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        str text = str_c(rows[i].text);
        for (size_t n = 0; n <= text.n; n++)
            read_all(str_upto(text, n), found, sizeof found);
    }
}

static void a_long_list_is_read_whole(void **state)
{
    enum { MEMBERS = 200000 };
    arena mem = arena_new(0);
    char *text = arena_get(&mem, MEMBERS * 3);
    alias_member m;
    size_t n = 0;
    (void)state;
    for (size_t i = 0; i < MEMBERS; i++)
        memcpy(text + 3 * i, i % 2 ? "a,\n" : "b, ", 3);
    str rest = alias_list_open((str){ text, MEMBERS * 3 }, &mem);
    while (alias_list_next(&rest, &mem, &m))
        n += m.kind == MEMBER_ADDRESS;
    assert_int_equal(n, MEMBERS);
    arena_free(&mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_form_gives_its_members),
        cmocka_unit_test(any_part_is_read),
        cmocka_unit_test(a_long_list_is_read_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
