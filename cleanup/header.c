/* The header of a message as it came, and the addresses in it for which policy is asked. Runs in: cleanup. */
#include "cleanup/cleanup.h"
#include "cleanup/filter.h"
#include "conf/list.h"
#include "mail/header.h"
#include "queue/file.h"
#include <unistd.h>

enum { HEADER_READ_MAX = 1024 * 1024 };

static fault header_copy(intake *i)
{
    header_scan scan = { 0 };
    size_t used;
    parse p = header_scan_feed(&scan, i->content, &used);
    buf_append(&i->header, p == PARSE_DONE ? str_upto(i->content, used) : i->content);
    return NO_FAULT;
}

fault header_read(intake *i)
{
    buf *out = &i->header;
    header_scan scan = { 0 };
    parse p = PARSE_MORE;

    *out = buf_new(HEADER_READ_MAX);
    if (i->is_enclosed)
        return header_copy(i);
    while (p == PARSE_MORE && out->n < i->commit.content_bytes) {
        uint64_t left = i->commit.content_bytes - out->n;
        size_t n = left < 64 * 1024 ? (size_t)left : 64 * 1024;
        if (!buf_reserve(out, n))
            break;
        ssize_t got = pread(i->file.read_write, out->p + out->n, n, (off_t)(QUEUE_CONTENT_START + out->n));
        if (got < 0)
            return fault_errno("read the header");
        if (got == 0)
            break;
        size_t used;
        p = header_scan_feed(&scan, (str){ out->p + out->n, (size_t)got }, &used);
        out->n += p == PARSE_DONE ? used : (size_t)got;
    }
    return NO_FAULT;
}

typedef struct gathering {
    intake *intake;
    enum policy_rewrite_line class;
} gathering;

static str line_note(void *context, str path)
{
    const gathering *g = context;
    const config *c = daemon_config(g->intake->bringer->cleanup->process);
    if (g->intake->lines.n < c->header_address_token_limit && rewrite_is_asked(g->intake, path))
        rewrite_line_add(g->intake, g->class, path);
    return STR_NONE;
}

static void addresses_gather(intake *i, const header_field *f, bool is_sender)
{
    gathering g = { i, is_sender ? REWRITE_HEADER_SENDER : REWRITE_HEADER_RECIPIENT };
    arena a = arena_new(0);
    buf nothing = buf_new(f->value.n + 1);
    address_edit(f->value, line_note, &g, &a, &nothing, NULL);
    buf_free(&nothing);
    arena_free(&a);
}

static void field_gather(intake *i, const header_field *f, bool has_context)
{
    const config *c = daemon_config(i->bringer->cleanup->process);
    bool is_sender;

    if (!f->is_valid)
        return;
    if (list_has(c->message_drop_headers, f->name))
        i->is_filtered = true;
    else if (has_context && filter_has_addresses(f->name, &is_sender))
        addresses_gather(i, f, is_sender);
}

/* What a check will put in a field's place: its addresses are rewritten like others. */
static void replacement_gather(intake *i, str raw, bool has_context)
{
    arena a = arena_new(0);
    check_action action;
    fault unknown;

    if (content_check(&i->bringer->cleanup->checks, CHECKS_HEADER, filter_field_text(raw, &a), &a, &action, &unknown) &&
        action.verb == CHECK_REPLACE) {
        header_walk walk = header_open(action.text);
        header_field f;
        if (header_next(&walk, &f))
            field_gather(i, &f, has_context);
    }
    arena_free(&a);
}

void header_gather(intake *i)
{
    const config *c = daemon_config(i->bringer->cleanup->process);
    bool has_context = i->is_local || c->remote_header_rewrite_domain.n;
    bool is_checked = has_context && i->bringer->cleanup->checks.lists[CHECKS_HEADER].n;
    header_walk walk = header_open(buf_str(&i->header));
    header_field f;

    while (header_next(&walk, &f)) {
        field_gather(i, &f, has_context);
        if (is_checked)
            replacement_gather(i, str_upto(str_from(walk.block, f.start), f.end - f.start), has_context);
    }
}
