#include "mail/address_edit.h"
#include "mail/lexer.h"

/* Moves over one word, quoted string, literal or special. */
static void token_pass(lexer *l)
{
    char c = lexer_peek(l);

    if (c == '"')
        lexer_enclosed(l, '"');
    else if (c == '[')
        lexer_enclosed(l, ']');
    else if (lexer_run(l, "()<>[]:;@\\,.\"").n == 0)
        l->at++;
}

/* The new address stands where the first word of the old one stood; comments between its words stay. */
static void replace(str value, const address_entry *e, str by, buf *out)
{
    lexer l = { .in = str_upto(value, e->end), .at = e->start };

    buf_append(out, by);
    while (lexer_has(&l)) {
        token_pass(&l);
        size_t before = l.at;
        lexer_skip(&l);
        str gap = lexer_from(&l, before);
        if (str_has(gap, '('))
            buf_append(out, gap);
    }
}

bool address_edit(str value, address_other *other, void *context, arena *mem, buf *out, size_t *changed)
{
    address_list list = address_list_open(value, mem);
    address_entry e;
    size_t copied = 0;

    while (address_list_next(&list, &e)) {
        if (e.kind != ADDRESS_MAILBOX || e.is_broken || e.end <= e.start)
            continue;
        str path = address_entry_path(&e, mem), by = other(context, path);
        if (by.p == NULL || str_equal(by, path))
            continue;
        buf_append(out, str_upto(str_from(value, copied), e.start - copied));
        replace(value, &e, by, out);
        copied = e.end;
        if (changed)
            (*changed)++;
    }
    buf_append(out, str_from(value, copied));
    return !out->overflow;
}
