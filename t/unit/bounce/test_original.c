/* SOURCES: bounce/original.c  NEEDS: os mail */
/* The message, read in pieces: what is found must not depend on where a piece ends. */
#include "bounce/original.h"
#include "base/buf.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

enum { PIECE = 32 * 1024, SIZE = 3 * PIECE + 100 };
#define BOUNDARY "4X.0123456789abcdef0123456789abcdef"

static char bytes[SIZE];
static original o;

static void open_bytes(bool is_whole)
{
    if (o.fd > 0)
        close(o.fd);
    o = (original){
        .fd = memfd_create("m", MFD_CLOEXEC), .offset = 10, .bytes = SIZE, .is_whole = is_whole, .limit = SIZE
    };
    assert_int_equal(pwrite(o.fd, bytes, SIZE, 10), SIZE);
}

static fault collect(void *context, str piece)
{
    buf_append(context, piece);
    return NO_FAULT;
}

static void all_of_it_in_order(void **state)
{
    buf out = buf_new(SIZE);
    (void)state;
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (char)(i * 7 + i / 256);
    open_bytes(true);
    assert_false(is_fault(original_read(&o, collect, &out)));
    assert_int_equal(out.n, SIZE);
    assert_memory_equal(out.p, bytes, SIZE);
    buf_free(&out);
}

static void its_header_alone(void **state)
{
    buf out = buf_new(SIZE);
    (void)state;
    memset(bytes, 'x', SIZE);
    memcpy(bytes, "A: b\r\n\r\n", 8);
    open_bytes(false);
    assert_false(is_fault(original_read(&o, collect, &out)));
    assert_string_equal(buf_c(&out), "A: b\r\n");
    buf_free(&out);
}

static void a_header_over_many_pieces(void **state)
{
    buf out = buf_new(2 * SIZE);
    (void)state;
    memset(bytes, 'x', SIZE);
    for (size_t i = 0; i + 100 <= SIZE; i += 100) {
        memcpy(bytes + i, "Field:", 6);
        memcpy(bytes + i + 98, "\r\n", 2);
    }
    open_bytes(false);
    assert_false(is_fault(original_read(&o, collect, &out)));
    assert_int_equal(out.n, SIZE - SIZE % 100);
    buf_free(&out);
}

static void a_boundary_is_seen_wherever_it_stands(void **state)
{
    original_facts facts;
    (void)state;
    for (size_t at = PIECE - 40; at < PIECE + 5; at++) {
        memset(bytes, 'x', SIZE);
        open_bytes(true);
        assert_false(is_fault(original_look(&o, STR(BOUNDARY), &facts)));
        assert_false(facts.has_boundary);
        memcpy(bytes + at, BOUNDARY, sizeof BOUNDARY - 1);
        open_bytes(true);
        assert_false(is_fault(original_look(&o, STR(BOUNDARY), &facts)));
        assert_true(facts.has_boundary && !facts.is_8bit);
    }
    memset(bytes, 'x', SIZE);
    memcpy(bytes + SIZE - (sizeof BOUNDARY - 1), BOUNDARY, sizeof BOUNDARY - 1);
    open_bytes(true);
    assert_false(is_fault(original_look(&o, STR(BOUNDARY), &facts)));
    assert_true(facts.has_boundary);
}

/* Small pieces come of a header that is copied line by line. */
static void a_boundary_over_several_lines_is_none(void **state)
{
    original_facts facts;
    (void)state;
    memset(bytes, 'x', SIZE);
    memcpy(bytes, "A: 4X.0123\r\nB: x" BOUNDARY "x\r\n\xe9: y\r\n\r\n\xe9", 12 + 5 + sizeof BOUNDARY + 10);
    open_bytes(false);
    assert_false(is_fault(original_look(&o, STR(BOUNDARY), &facts)));
    assert_true(facts.has_boundary);
    assert_false(facts.is_8bit); /* it stands in the body, and where no field can be */
}

static void a_byte_above_127_is_seen(void **state)
{
    static const size_t places[] = { 0, PIECE - 1, PIECE, SIZE - 1 };
    original_facts facts;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        memset(bytes, 'x', SIZE);
        bytes[places[i]] = '\x80';
        open_bytes(true);
        assert_false(is_fault(original_look(&o, STR(BOUNDARY), &facts)));
        assert_true(facts.is_8bit);
    }
}

static void its_identifier(void **state)
{
    static const struct {
        str header, want;
    } rows[] = {
        { STR_ROW("A: b\r\nmessage-id:\r\n <a@b>\r\n\r\n"), STR_ROW("<a@b>") },
        { STR_ROW("A: b\r\n\r\nMessage-ID: <a@b>\r\n"), STR_ROW("") },
        { STR_ROW("Message-ID: none\r\n\r\n"), STR_ROW("") },
        { STR_ROW(""), STR_ROW("") },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        arena a = arena_new(0);
        str id;
        memcpy(bytes, rows[i].header.p, rows[i].header.n);
        open_bytes(true);
        o.bytes = rows[i].header.n;
        assert_false(is_fault(original_message_id(&o, &a, &id)));
        assert_true(str_equal(id, rows[i].want));
        arena_free(&a);
    }
}

static void a_file_that_ends_too_soon(void **state)
{
    original_facts facts;
    arena a = arena_new(0);
    str id;
    (void)state;
    memset(bytes, 'x', SIZE);
    open_bytes(true);
    o.bytes = SIZE + 1;
    assert_int_equal(original_look(&o, STR(BOUNDARY), &facts).kind, FAULT_TRY_LATER);
    o.offset = SIZE;
    assert_int_equal(original_message_id(&o, &a, &id).kind, FAULT_TRY_LATER);
    close(o.fd);
    o.fd = -1;
    assert_int_equal(original_look(&o, STR(BOUNDARY), &facts).kind, FAULT_TRY_LATER);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_it_in_order),
        cmocka_unit_test(its_header_alone),
        cmocka_unit_test(a_header_over_many_pieces),
        cmocka_unit_test(a_boundary_is_seen_wherever_it_stands),
        cmocka_unit_test(a_boundary_over_several_lines_is_none),
        cmocka_unit_test(a_byte_above_127_is_seen),
        cmocka_unit_test(its_identifier),
        cmocka_unit_test(a_file_that_ends_too_soon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
