/* SOURCES:  NEEDS: proto */
#include "proto/imap_command.h"
#include "proto/imap_input.h"
#include "proto/imap_section.h"
#include "proto/imap_structure.h"
#include "proto/imap_write.h"
#include <stdlib.h>

static bool leaf(void *context, const imap_search_node *n)
{
    return (++*(size_t *)context + n->key) % 3 != 0;
}

static void search_try(const imap_search *s)
{
    size_t asked = 0;

    imap_search_matches(s, leaf, &asked);
    if (asked == 0 || asked > s->n)
        abort();
}

/* A FETCH item that was read and written is the same item when it is read again. */
static void fetch_try(const imap_fetch *f, arena *mem)
{
    for (size_t i = 0; i < f->n; i++) {
        buf once = buf_new(1 << 20), twice = buf_new(1 << 20);
        imap_fetch again;
        imap_fetch_write_name(&once, &f->items[i]);
        if (f->items[i].has_partial) {
            once.n--;
            buf_append(&once, STR(".1>"));
        }
        imap_lexer l = { .in = buf_str(&once), .mem = mem };
        if (!imap_fetch_parse(&l, &again) || !imap_lex_is_end(&l) || again.n != 1)
            abort();
        imap_fetch_write_name(&twice, &again.items[0]);
        if (f->items[i].has_partial)
            once.n -= 2;
        if (!str_equal(str_upto(buf_str(&once), once.n - f->items[i].has_partial),
                       str_upto(buf_str(&twice), twice.n - f->items[i].has_partial)))
            abort();
        buf_free(&once);
        buf_free(&twice);
    }
}

static void command_try(str text)
{
    arena mem = arena_new(0);
    imap_command c;

    if (imap_command_parse(text, &mem, &c) != PARSE_DONE) {
        if (c.problem == NULL)
            abort();
    } else if (c.verb == IMAP_SEARCH) {
        search_try(&c.search);
    } else if (c.verb == IMAP_FETCH) {
        fetch_try(&c.fetch, &mem);
    }
    arena_free(&mem);
}

/* Runs a session; returns a sum over what it saw, so that two splits can be compared. */
static uint64_t session(str in, size_t piece, bool refuses)
{
    imap_input i = imap_input_new((imap_limits){ 2000, 3000, 1000 });
    uint64_t sum = 0;
    bool in_message = false;

    for (size_t at = 0, end = 0; end < in.n && !i.is_fatal;) {
        end = end + piece < in.n ? end + piece : in.n;
        while (at < end && !i.is_fatal) {
            size_t used = 0;
            str rest = { in.p + at, end - at }, view = STR_NONE;
            parse p = in_message ? imap_input_message(&i, rest, &view, &used) : imap_input_feed(&i, rest, &used);
            at += used;
            for (size_t k = 0; k < view.n; k++)
                sum = sum * 31 + (unsigned char)view.p[k];
            if (p == PARSE_MORE)
                continue;
            sum = sum * 31 + (uint64_t)p * 7 + i.problem;
            if (p == PARSE_DONE && !in_message && piece > 1)
                command_try(imap_input_command(&i));
            for (size_t k = 0; p == PARSE_DONE && !in_message && k < i.command.n; k++)
                sum = sum * 31 + (unsigned char)i.command.p[k];
            bool begins = p == PARSE_DONE && !in_message && i.has_message;
            in_message = begins && !refuses;
            if (in_message)
                imap_input_accept(&i);
            else if (begins)
                imap_input_refuse(&i);
            if (!in_message)
                imap_input_next(&i);
        }
    }
    imap_input_free(&i);
    return sum;
}

static void structure_try(str in)
{
    arena mem = arena_new(0);
    buf out = buf_new(64 << 20);
    mime m;
    imap_bytes bytes;
    uint32_t parts[] = { 1, 1 };
    imap_section section = { .kind = IMAP_SECTION_HEADER, .parts = parts, .part_n = 2 };

    mime_open(&m, &mem, NULL);
    mime_feed(&m, in);
    const mime_part *root = mime_close(&m);
    if (!imap_structure_write(&out, root, true, &mem))
        abort();
    if (imap_section_find(root, &section, &bytes) && bytes.from.stored > bytes.to.stored)
        abort();
    buf_free(&out);
    arena_free(&mem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    str in = { (const char *)data, n };

    if (session(in, n, false) != session(in, 1, false) || session(in, n, true) != session(in, 1, true))
        abort();
    command_try(in);
    structure_try(in);
    return 0;
}
