/* SOURCES:  NEEDS: mail */
#include "mail/address.h"
#include "mail/address_list.h"
#include <stdlib.h>

static void path_try(str in, arena *mem)
{
    address a, again;

    if (address_parse(in, &a) != PARSE_DONE)
        return;
    str text = address_text(&a, mem);
    if (text.n > ADDRESS_MAX || address_parse(text, &again) != PARSE_DONE)
        abort();
    if (!str_equal(address_key(&a, mem), address_key(&again, mem)) || !str_equal(text, address_text(&again, mem)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    str in = { (const char *)data, n };
    arena mem = arena_new(0);
    address_list list = address_list_open(in, &mem);
    address_entry e;

    path_try(in, &mem);
    while (address_list_next(&list, &e))
        if (e.kind == ADDRESS_MAILBOX)
            path_try(address_entry_path(&e, &mem), &mem);
    if (list.at != n || list.looked > 8 * n + 64)
        abort();
    arena_free(&mem);
    return 0;
}
