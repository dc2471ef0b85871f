/* Structures as text: (type/subtype;param=value header body lines children…), sizes as IMAP counts them. Each row runs
 * whole, in two pieces split at every byte, byte by byte, with LF line ends, and truncated at every byte. */
#include "mail/mime.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdlib.h>

typedef struct row {
    const char *message, *want;
} row;

#define N "\r\n"

static const row rows[] = {
    { "", "(text/plain;charset=us-ascii 0 0 0)" },
    { "a: b", "(text/plain;charset=us-ascii 4 0 0)" },
    { N, "(text/plain;charset=us-ascii 2 0 0)" },
    { N "body", "(text/plain;charset=us-ascii 2 4 0)" },
    { "a: b" N N "body" N "x", "(text/plain;charset=us-ascii 8 7 1)" },
    { "Content-Type: text/html (c); Charset=\"x\\\"y\" ;format=flowed" N N "b" N,
      "(text/html;Charset=x\"y;format=flowed 62 3 1)" },
    { "CONTENT-TYPE : Text/HTML" N N, "(Text/HTML 28 0 0)" },
    { "Content-Type: text" N N, "(text/plain;charset=us-ascii 22 0 0)" },
    { "Content-Type: text/html" N "Content-Type: image/png" N N, "(text/html 52 0 0)" },
    { "Content-Type:" N " text/" N "\thtml;" N " a=b" N N, "(text/html;a=b 39 0 0)" },
    { "Content-Type: multipart/mixed; boundary=b" N N "pre" N "--b" N N "one" N "--b" N "X: y" N N "two" N N "--b--" N
      "post" N,
      "(multipart/mixed;boundary=b 45 50 11 (text/plain;charset=us-ascii 2 3 0)(text/plain;charset=us-ascii 8 5 1))" },
    { "Content-Type: multipart/mixed; boundary=b" N N "--b" N N "--b" N N "--b--",
      "(multipart/mixed;boundary=b 45 19 4 (text/plain;charset=us-ascii 2 0 0)(text/plain;charset=us-ascii 2 0 0))" },
    { "Content-Type: multipart/mixed; boundary=b" N N "--b" N "A: b" N "--b" N "--b--" N,
      "(multipart/mixed;boundary=b 45 23 4 (text/plain;charset=us-ascii 4 0 0)(text/plain;charset=us-ascii 0 0 0))" },
    { "Content-Type: multipart/mixed; boundary=b" N N "no boundary" N, "(multipart/mixed;boundary=b 45 13 1)" },
    { "Content-Type: multipart/mixed" N N "--" N "x" N, "(multipart/mixed 33 7 2)" },
    { "Content-Type: multipart/mixed; boundary=\"\"" N N "--" N "x" N, "(multipart/mixed;boundary= 46 7 2)" },
    { "Content-Type: multipart/a; boundary=b" N N "--b" N "Content-Type: multipart/b; boundary=bc" N N "--bc" N N "1" N
      "--bc--" N "--b" N N "2" N "--b--" N,
      "(multipart/a;boundary=b 41 83 11 (multipart/b;boundary=bc 42 17 3 (text/plain;charset=us-ascii 2 1 "
      "0))(text/plain;charset=us-ascii 2 1 0))" },
    { "Content-Type: multipart/a; boundary=o" N N "--o" N "Content-Type: multipart/b; boundary=i" N N "--i" N N "1" N
      "--o" N N "2" N,
      "(multipart/a;boundary=o 41 66 9 (multipart/b;boundary=i 41 8 2 (text/plain;charset=us-ascii 2 1 "
      "0))(text/plain;charset=us-ascii 2 3 1))" },
    { "Content-Type: multipart/a; boundary=bc" N N "--bc" N "Content-Type: multipart/b; boundary=b" N N "--b" N N "1" N
      "--bc" N N "2" N "--bc--" N,
      "(multipart/a;boundary=bc 42 76 10 (multipart/b;boundary=b 41 8 2 (text/plain;charset=us-ascii 2 1 "
      "0))(text/plain;charset=us-ascii 2 1 0))" },
    { "Content-Type: multipart/digest; boundary=b" N N "--b" N N "Subject: in" N N "x" N "--b--" N,
      "(multipart/digest;boundary=b 46 32 6 (message/rfc822 2 16 2 (text/plain;charset=us-ascii 15 1 0 [in])))" },
    { "Subject: out" N "Content-Type: message/rfc822" N N "Subject: in" N "Content-Type: multipart/x; boundary=b" N N
      "--b" N N "y" N "--b--",
      "(message/rfc822 46 69 6 (multipart/x;boundary=b 54 15 3 [in] (text/plain;charset=us-ascii 2 1 0)) [out])" },
    { "Content-Type: message/rfc822" N N, "(message/rfc822 32 0 0 (text/plain;charset=us-ascii 0 0 0))" },
    { "Content-Type: multipart/x; boundary=b" N N "--b" N "Content-Type: message/rfc822" N "--b--" N,
      "(multipart/x;boundary=b 41 42 3 (message/rfc822 28 0 0 (text/plain;charset=us-ascii 0 0 0)))" },
    { "Content-Type: multipart/x; boundary*1=d; boundary*0=\"b \"" N N "--b dxyz" N N "1" N "--b d-- " N,
      "(multipart/x;boundary=b d 60 25 4 (text/plain;charset=us-ascii 2 1 0))" },
};

static void dump(const mime_part *p, buf *out)
{
    mime_mark h = mime_header_size(p), b = mime_body_size(p);

    buf_printf(out, "(%.*s/%.*s", STR_ARG(p->type), STR_ARG(p->subtype));
    for (size_t i = 0; i < p->params.n; i++)
        buf_printf(out, ";%.*s=%.*s", STR_ARG(p->params.p[i].name), STR_ARG(p->params.p[i].value));
    buf_printf(out, " %d %d %d", (int)h.crlf, (int)b.crlf, (int)b.lines);
    if (p->envelope && p->envelope->subject.p && p->parent)
        buf_printf(out, " [%.*s]", STR_ARG(p->envelope->subject));
    if (p->child)
        buf_append_char(out, ' ');
    for (const mime_part *c = p->child; c; c = c->next)
        dump(c, out);
    if (p->envelope && p->envelope->subject.p && !p->parent)
        buf_printf(out, " [%.*s]", STR_ARG(p->envelope->subject));
    buf_append_char(out, ')');
}

/* Children lie inside their parent, one behind the other. */
static void check_nesting(const mime_part *p, uint64_t size)
{
    assert_true(p->header.stored <= p->body.stored && p->body.stored <= p->end.stored && p->end.stored <= size);
    assert_true(p->header.crlf <= p->body.crlf && p->body.crlf <= p->end.crlf);
    assert_true(p->header.lines <= p->body.lines && p->body.lines <= p->end.lines);
    uint64_t at = p->body.stored;
    for (const mime_part *c = p->child; c; c = c->next) {
        assert_ptr_equal(c->parent, p);
        assert_true(c->header.stored >= at && c->end.stored <= p->end.stored);
        at = c->end.stored;
        check_nesting(c, size);
    }
}

static void read_split(str message, size_t first, size_t step, buf *out)
{
    arena mem = arena_new(0);
    mime m;

    mime_open(&m, &mem, NULL);
    mime_feed(&m, str_upto(message, first));
    for (size_t at = first; at < message.n; at += step)
        mime_feed(&m, str_upto(str_from(message, at), step));
    const mime_part *root = mime_close(&m);
    assert_int_equal(m.at.stored, message.n);
    check_nesting(root, message.n);
    dump(root, out);
    arena_free(&mem);
}

static void check_split(str message, size_t first, size_t step, const char *want)
{
    buf got = buf_new(1 << 20);
    read_split(message, first, step, &got);
    if (strcmp(buf_c(&got), want) != 0)
        fail_msg("%.*s\nsplit at %zu by %zu: got\n%s, want\n%s", STR_ARG(message), first, step, buf_c(&got), want);
    buf_free(&got);
}

static void rows_hold_in_every_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        str message = str_c(rows[i].message);
        for (size_t first = 0; first <= message.n; first++)
            check_split(message, first, message.n + 1, rows[i].want);
        check_split(message, 0, 1, rows[i].want);
        check_split(message, 0, 3, rows[i].want);
    }
}

static void line_ends_of_either_kind_count_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char *copy = malloc(strlen(rows[i].message) + 1);
        size_t n = 0;
        for (const char *p = rows[i].message; *p; p++)
            if (*p != '\r')
                copy[n++] = *p;
        check_split((str){ copy, n }, n, 1, rows[i].want);
        check_split((str){ copy, n }, 0, 1, rows[i].want);
        free(copy);
    }
}

static void truncated_rows_have_a_structure_too(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t n = 0; n <= strlen(rows[i].message); n++) {
            char *copy = malloc(n ? n : 1);
            buf whole = buf_new(1 << 20), bytes = buf_new(1 << 20);
            memcpy(copy, rows[i].message, n);
            read_split((str){ copy, n }, n, 1, &whole);
            read_split((str){ copy, n }, 0, 1, &bytes);
            assert_string_equal(buf_c(&whole), buf_c(&bytes));
            buf_free(&whole);
            buf_free(&bytes);
            free(copy);
        }
}

static const str with_fields =
    STR_ROW("Date: Thu, 1 Jan 1970 00:00:00 +0000" N "Subject:  folded" N "\tsubject  " N "From: a@b" N "To: c@d" N
            "TO: e@f" N "Cc:" N "Subject: second" N "Message-ID: <1@b>" N "In-Reply-To: <0@b>" N "Content-ID: <i@b>" N
            "Content-Description: d e" N "Content-Transfer-Encoding: Base64 (x)" N "Content-MD5: abc==" N
            "Content-Location: http://x/" N "Content-Language: en, de (x)" N
            "Content-Disposition: attachment; filename*=utf-8''%e2%82%ac; size=1" N N);

static void fields_are_kept(void **state)
{
    arena mem = arena_new(0);
    mime m;

    (void)state;
    mime_open(&m, &mem, NULL);
    for (size_t i = 0; i < with_fields.n; i++)
        mime_feed(&m, str_upto(str_from(with_fields, i), 1));
    const mime_part *p = mime_close(&m);
    const mime_envelope *e = p->envelope;
    const struct {
        str got, want;
    } checks[] = {
        { e->date, STR("Thu, 1 Jan 1970 00:00:00 +0000") },
        { e->subject, STR("folded\tsubject") },
        { e->from, STR("a@b") },
        { e->to, STR("c@d, e@f") },
        { e->cc, STR("") },
        { e->message_id, STR("<1@b>") },
        { e->in_reply_to, STR("<0@b>") },
        { p->id, STR("<i@b>") },
        { p->description, STR("d e") },
        { p->encoding, STR("Base64") },
        { p->md5, STR("abc==") },
        { p->location, STR("http://x/") },
        { p->disposition, STR("attachment") },
        { mime_param_find(&p->disposition_params, STR("SIZE"), NULL), STR("1") },
    };
    for (size_t i = 0; i < COUNT_OF(checks); i++)
        if (!str_equal(checks[i].got, checks[i].want))
            fail_msg("%zu: %.*s", i, STR_ARG(checks[i].got));
    assert_null(e->bcc.p);
    assert_null(e->sender.p);
    assert_non_null(e->cc.p);
    assert_int_equal(p->language_n, 2);
    assert_true(str_equal(p->languages[1], STR("de")));
    bool is_extended = false;
    assert_null(mime_param_find(&p->disposition_params, STR("filename"), NULL).p);
    str name = mime_param_find(&p->disposition_params, STR("filename"), &is_extended);
    assert_true(is_extended && str_equal(name, STR("utf-8''%e2%82%ac")));
    arena_free(&mem);
}

static size_t part_count(const mime_part *root)
{
    size_t n = 0;
    for (const mime_part *p = root; p;) {
        n++;
        if (p->child) {
            p = p->child;
            continue;
        }
        while (p && !p->next)
            p = p->parent;
        p = p ? p->next : NULL;
    }
    return n;
}

typedef struct made {
    uint64_t looked;
    size_t parts, deepest, bytes, arena_bytes;
} made;

/* front, n times unit with its number where it has %d, back. */
static made measure(const char *front, const char *unit, size_t n, const char *back, const mime_limits *limits)
{
    arena mem = arena_new(0);
    buf bytes = buf_new(64 << 20);
    made out = { 0 };
    mime m;

    buf_append(&bytes, str_c(front));
    const char *mark = strstr(unit, "%d");
    for (size_t i = 0; i < n; i++) {
        buf_append(&bytes, mark ? (str){ unit, (size_t)(mark - unit) } : str_c(unit));
        if (mark)
            buf_printf(&bytes, "%06zu", i);
        if (mark)
            buf_append(&bytes, str_c(mark + 2));
    }
    buf_append(&bytes, str_c(back));
    assert_false(bytes.overflow);
    mime_open(&m, &mem, limits);
    for (size_t at = 0; at < bytes.n; at += 4096)
        mime_feed(&m, str_upto(str_from(buf_str(&bytes), at), 4096));
    const mime_part *root = mime_close(&m);
    out = (made){ .looked = m.looked, .parts = part_count(root), .bytes = bytes.n, .arena_bytes = mem.used };
    for (const mime_part *p = root; p; p = p->child)
        out.deepest++;
    buf_free(&bytes);
    arena_free(&mem);
    return out;
}

static const struct {
    const char *front, *unit, *back;
} floods[] = {
    { "Subject: ", "x ", N N },
    { "Content-Type: text/plain", "; a=b", N N },
    { "Content-Type: text/plain", "; n*%d*=b", N N },
    { "Content-Type: text/plain", "; n*%d=b; m*0=x", N N },
    { "Content-Type: text/plain", "; n%d*0=b", N N },
    { "Content-Type: text/plain; x=", "(", N N },
    { "Content-Type: text/plain; x=", "()\"", N N },
    { "To: ", "a@b, ", N N },
    { "", "To: a@b" N, N },
    { "", "X: y" N, N },
    { "", "Content-Type: text/x" N, N },
    { "Content-Type: multipart/x; boundary=b" N N, "--b" N N "x" N, "--b--" N },
    { "Content-Type: multipart/x; boundary=b" N N, "--b" N, "" },
    { "Content-Type: multipart/digest; boundary=b" N N, "--b" N N, "" },
    { "", "Content-Type: multipart/x; boundary=b%d" N N "--b%d" N, "" },
    { "", "Content-Type: message/rfc822" N N, "" },
    { N, "--b" N, "" },
    { N, "\n", "" },
    { N, "\r", "" },
};

static void time_and_memory_are_linear(void **state)
{
    const mime_limits wide = { .depth = 100, .parts = 10000000, .field_bytes = 16 << 20, .kept_bytes = 64 << 20 };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(floods); i++)
        for (int is_wide = 0; is_wide < 2; is_wide++) {
            const mime_limits *limits = is_wide ? &wide : NULL;
            size_t n =
                strstr(floods[i].front, "To: ") ? 300 : 50000; /* joined fields: bounded by the bytes that are kept */
            n = strcmp(floods[i].unit, "To: a@b" N) == 0 ? 300000 : n;
            if (is_wide && n == 300000)
                continue;
            made once = measure(floods[i].front, floods[i].unit, n, floods[i].back, limits);
            made twice = measure(floods[i].front, floods[i].unit, 2 * n, floods[i].back, limits);
            assert_true(once.looked >= once.bytes);
            if (twice.looked * 10 >= once.looked * 25 || twice.looked > 120 * twice.bytes)
                fail_msg("%s%s: %lu, then %lu", floods[i].front, floods[i].unit, once.looked, twice.looked);
            if (!is_wide && twice.arena_bytes > (32 << 20))
                fail_msg("%s%s: %zu bytes of arena", floods[i].front, floods[i].unit, twice.arena_bytes);
        }
}

static void beyond_the_limits_is_one_opaque_part(void **state)
{
    made deep = measure("", "Content-Type: message/rfc822" N N, 10000, "", NULL);
    made wide = measure("Content-Type: multipart/x; boundary=b" N N, "--b" N N "x" N, 100000, "", NULL);
    made nested = measure("", "Content-Type: multipart/x; boundary=\"b%d\"" N N "--b000000" N, 10000, "", NULL);

    (void)state;
    assert_int_equal(deep.deepest, 100);
    assert_int_equal(deep.parts, 100);
    assert_int_equal(wide.parts, 10000);
    assert_true(nested.parts <= 10001);
}

static void an_opaque_part_says_so(void **state)
{
    const mime_limits small = { .depth = 2, .parts = 3, .field_bytes = 100, .kept_bytes = 1000 };
    const str message =
        STR("Content-Type: multipart/x; boundary=b" N N "--b" N "Content-Type: multipart/y; boundary=c" N N "--c" N N
            "--b" N "Content-Type: text/html" N N "z" N "--b" N "z" N "--b--" N);
    arena mem = arena_new(0);
    mime m;

    (void)state;
    mime_open(&m, &mem, &small);
    mime_feed(&m, message);
    const mime_part *root = mime_close(&m), *deep = root->child, *last = deep->next;
    assert_int_equal(root->kind, MIME_MULTIPART);
    assert_true(deep->is_opaque && deep->kind == MIME_LEAF && deep->child == NULL);
    assert_true(str_equal(deep->type, STR("application")) && str_equal(deep->subtype, STR("octet-stream")));
    assert_true(last->is_opaque && last->next == NULL);
    assert_int_equal(mime_header_size(last).stored, 0);
    assert_int_equal(last->end.stored, message.n);
    arena_free(&mem);
}

static void parts_are_found_by_imap_numbers(void **state)
{
    const str message =
        STR("Content-Type: multipart/x; boundary=b" N N "--b" N N "1" N "--b" N "Content-Type: message/rfc822" N N
            "Subject: two" N N "text" N "--b" N "Content-Type: message/rfc822" N N
            "Content-Type: multipart/y; boundary=c" N N "--c" N N "3.1" N "--c" N N "3.2" N "--c--" N "--b--" N);
    const uint32_t n1[] = { 1 }, n11[] = { 1, 1 }, n2[] = { 2 }, n21[] = { 2, 1 }, n22[] = { 2, 2 }, n32[] = { 3, 2 },
                   n4[] = { 4 }, n0[] = { 0 }, n211[] = { 2, 1, 1 };
    arena mem = arena_new(0);
    mime m;

    (void)state;
    mime_open(&m, &mem, NULL);
    mime_feed(&m, message);
    const mime_part *root = mime_close(&m);
    assert_ptr_equal(mime_find(root, NULL, 0), root);
    assert_ptr_equal(mime_find(root, n1, 1), root->child);
    assert_null(mime_find(root, n11, 2));
    const mime_part *two = mime_find(root, n2, 1);
    assert_int_equal(two->kind, MIME_MESSAGE);
    assert_true(str_equal(two->child->envelope->subject, STR("two")));
    assert_ptr_equal(mime_find(root, n21, 2), two->child);
    assert_null(mime_find(root, n22, 2));
    assert_null(mime_find(root, n211, 3));
    const mime_part *leaf = mime_find(root, n32, 2);
    assert_true(str_equal(str_upto(str_from(message, leaf->body.stored), mime_body_size(leaf).stored), STR("3.2")));
    assert_null(mime_find(root, n4, 1));
    assert_null(mime_find(root, n0, 1));
    assert_ptr_equal(mime_find(two->child, n1, 1), two->child);
    arena_free(&mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_hold_in_every_split),
        cmocka_unit_test(line_ends_of_either_kind_count_the_same),
        cmocka_unit_test(truncated_rows_have_a_structure_too),
        cmocka_unit_test(fields_are_kept),
        cmocka_unit_test(time_and_memory_are_linear),
        cmocka_unit_test(beyond_the_limits_is_one_opaque_part),
        cmocka_unit_test(an_opaque_part_says_so),
        cmocka_unit_test(parts_are_found_by_imap_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
