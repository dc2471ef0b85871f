/* What becomes of a message's addresses and content between COMMIT and its recipients' routes: policy is asked once for all
 * addresses that may have another form, then the content is filtered, then blind copies are added. Runs in: cleanup. Nothing of
 * it is done where nothing of it is configured. */
#include "base/log.h"
#include "cleanup/cleanup.h"
#include "cleanup/filter.h"
#include "mail/address.h"
#include "queue/file.h"
#include "queue/id.h"

static const config *config_of(const intake *i)
{
    return daemon_config(i->bringer->cleanup->process);
}

static bool has_maps(const config *c)
{
    return c->canonical_maps.n || c->sender_canonical_maps.n || c->recipient_canonical_maps.n ||
           c->masquerade_domains.n;
}

bool rewrite_is_asked(const intake *i, str path)
{
    const config *c = config_of(i);
    address a;

    if (address_parse(path, &a) != PARSE_DONE || a.is_null || str_has(path, '\n'))
        return false;
    bool is_short = a.domain.n && !a.is_literal && !str_has(a.domain, '.');
    return has_maps(c) || (a.domain.n == 0 && c->append_at_myorigin) || (is_short && c->append_dot_mydomain);
}

static str line_key(enum policy_rewrite_line class, str path, buf *key)
{
    buf_append_char(key, (char)class);
    buf_append(key, path);
    return buf_str(key);
}

void rewrite_line_add(intake *i, enum policy_rewrite_line class, str path)
{
    buf key = buf_new(path.n + 1);
    str k = line_key(class, path, &key);

    if (map_get(&i->line_of, k) == NULL) {
        *vec_add(&i->lines) = (rewrite_line){ .class = class, .path = arena_copy(&i->arena, path) };
        map_put(&i->line_of, k, (void *)(uintptr_t)i->lines.n);
    }
    buf_free(&key);
}

str rewrite_other(const intake *i, enum policy_rewrite_line class, str path)
{
    buf key = buf_new(path.n + 1);
    size_t at = (uintptr_t)map_get(&i->line_of, line_key(class, path, &key));

    buf_free(&key);
    return at ? i->lines.p[at - 1].to : STR_NONE;
}

static void envelope_gather(intake *i)
{
    const config *c = config_of(i);
    str sender = i->envelope.reverse_path;

    if (sender.n && (rewrite_is_asked(i, sender) || c->sender_bcc_maps.n))
        rewrite_line_add(i, REWRITE_ENVELOPE_SENDER, sender);
    for (size_t k = 0; c->recipient_bcc_maps.n && k < i->originals.n; k++)
        rewrite_line_add(i, REWRITE_ENVELOPE_RECIPIENT, i->originals.p[k]);
}

static void bcc_add(intake *i, str to)
{
    for (size_t k = 0; k < i->bcc.n; k++)
        if (str_equal_nocase(i->bcc.p[k], to))
            return;
    *vec_add(&i->bcc) = arena_copy(&i->arena, to);
}

static void answers_take(intake *i)
{
    bool has_other = false;

    for (size_t k = 0; k < i->lines.n; k++) {
        const rewrite_line *l = &i->lines.p[k];
        bool is_other = l->to.p && !str_equal(l->to, l->path);
        if (l->bcc.n)
            bcc_add(i, l->bcc);
        if (l->class == REWRITE_ENVELOPE_SENDER && is_other)
            i->envelope.reverse_path = l->to;
        has_other =
            has_other || (is_other && (l->class == REWRITE_HEADER_SENDER || l->class == REWRITE_HEADER_RECIPIENT));
    }
    i->is_filtered = i->is_filtered || has_other;
}

static void recipient_bring(intake *i, str to)
{
    *vec_add(&i->brought) = (envelope_recipient){ .address = to, .original = to, .notify = NOTIFY_NEVER };
}

/* The one of REDIRECT, or those who get blind copies beside the others. */
static void recipients_change(intake *i, const message_filter *f)
{
    const config *c = config_of(i);

    if (f->redirect.n) {
        recipients_clear(i);
        recipient_bring(i, f->redirect);
        return;
    }
    for (size_t k = 0; k < f->bcc.n; k++)
        bcc_add(i, f->bcc.p[k]);
    if (c->always_bcc.n && !i->bringer->is_internal)
        bcc_add(i, c->always_bcc);
    for (size_t k = 0; k < i->bcc.n; k++)
        recipient_bring(i, i->bcc.p[k]);
}

static void go_on(intake *i)
{
    if (i->brought.n && !is_fault(i->problem))
        resolve_start(i);
    else
        intake_finish(i);
}

void rewrite_settle(intake *i)
{
    message_filter f = { 0 };

    answers_take(i);
    if (i->is_filtered && !is_fault(i->problem))
        i->problem = content_filter(i, &f);
    bool is_discarded = f.is_discarded && !is_fault(i->problem);
    if (f.is_held)
        i->envelope.flags |= ENVELOPE_HOLD;
    if (!is_discarded)
        recipients_change(i, &f);
    filter_close(&f);
    if (is_discarded)
        intake_discard(i);
    else
        go_on(i);
}

static bool has_checks(const cleanup *c)
{
    for (size_t k = 0; k < CHECK_KINDS; k++)
        if (c->checks.lists[k].n)
            return true;
    return false;
}

/* What a process of ours brings has been through here, or is a report of ours: it is kept as it is (Postfix does the same). */
static void gather(intake *i)
{
    i->is_local = client_is_local(i);
    if (i->bringer->is_internal)
        return;
    i->is_filtered = has_checks(i->bringer->cleanup);
    envelope_gather(i);
    header_gather(i);
}

void rewrite_start(intake *i)
{
    i->content_start = QUEUE_CONTENT_START;
    i->content_bytes = i->commit.content_bytes;
    i->content_checksum = i->commit.content_checksum;
    i->state = INTAKE_REWRITING;
    if (!is_fault(i->problem))
        i->problem = intake_content_check(i);
    if (!is_fault(i->problem))
        i->problem = header_read(i);
    if (!is_fault(i->problem))
        gather(i);
    if (!is_fault(i->problem) && i->lines.n)
        i->problem = rewrite_ask(i);
    if (i->to_answer == 0)
        rewrite_settle(i);
}
