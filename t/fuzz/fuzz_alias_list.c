/* SOURCES:  NEEDS: mail */
#include "mail/address.h"
#include "mail/alias_list.h"
#include <assert.h>

static void check_member(const alias_member *m)
{
    address a;
    if (m->kind == MEMBER_ADDRESS || m->kind == MEMBER_FINAL)
        assert(address_parse(m->text, &a) == PARSE_DONE && !a.is_null);
    for (size_t i = 0; i < m->text.n && m->kind != MEMBER_BAD; i++)
        assert((unsigned char)m->text.p[i] >= ' ' && m->text.p[i] != 0x7f);
    if (m->kind == MEMBER_COMMAND || m->kind == MEMBER_FILE)
        assert(m->text.n > 1 && m->text.p[0] == (m->kind == MEMBER_FILE ? '/' : '|'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    arena mem = arena_new(0);
    alias_member m;
    size_t members = 0;
    str rest = alias_list_open((str){ (const char *)data, n }, &mem);

    while (alias_list_next(&rest, &mem, &m)) {
        check_member(&m);
        members++;
    }
    assert(members <= n);
    arena_free(&mem);
    return 0;
}
