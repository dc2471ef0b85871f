/* What a user's worker says: results, what it forwards, and the lock that it needs in the spool. Runs in: local. */
#include "base/log.h"
#include "base/memory.h"
#include "conf/list.h"
#include "local/local.h"
#include <stdlib.h>

enum { MOVES_MAX = 3 };

static local *local_of(const pool_worker *w)
{
    return w->pool->process->state;
}

static job *job_of(pool_worker *w, uint32_t ref)
{
    job *j = refs_get(&local_of(w)->jobs, ref);
    return j && j->state == JOB_GIVEN && j->worker == w ? j : NULL;
}

static bool on_result(void *context, channel *ch, received *r)
{
    pool_worker *w = context;
    deliver_result m;
    (void)ch;
    if (deliver_result_decode(r->bytes, &m) != PARSE_DONE || m.outcome > FAULT_BUG)
        return false;
    job *j = job_of(w, r->ref);
    if (j == NULL || j->queue_id != m.queue_id)
        return false;
    fault f = deliver_outcome(&m);
    j->is_of_mailbox = m.is_destination;
    job_end(j, f, 0, m.reason);
    return true;
}

/* What .forward may name besides addresses; a virtual user has no account that could act. */
static bool may(const pool_worker *w, str list)
{
    const mailbox *m = w->context;
    return m->is_system && list_has(list, STR("forward"));
}

static bool on_want(void *context, channel *ch, received *r)
{
    pool_worker *w = context;
    local *l = local_of(w);
    const config *c = daemon_config(l->process);
    const mailbox *m = w->context;
    deliver_result asked;
    job *j = job_of(w, r->ref);
    if (deliver_result_decode(r->bytes, &asked) != PARSE_DONE || j == NULL || j->copy)
        return false;
    bool has_command = m->is_system && c->mailbox_command.n;
    j->copy = forward_begin(&l->desk, l->process,
                            &(forward_order){ .request = &j->request, .worker = ch, .ref = j->ref, .job = j,
                                              .may_command = has_command || may(w, c->allow_mail_to_commands),
                                              .may_file = may(w, c->allow_mail_to_files),
                                              .may_include = m->is_system });
    return true;
}

/* "|" alone is mailbox_command, which the worker does not know. */
static bool on_member(void *context, channel *ch, received *r)
{
    pool_worker *w = context;
    const config *c = daemon_config(local_of(w)->process);
    const mailbox *box = w->context;
    deliver_member m;
    job *j = job_of(w, r->ref);
    (void)ch;
    if (deliver_member_decode(r->bytes, &m) != PARSE_DONE || j == NULL || j->copy == NULL)
        return false;
    if (str_equal(m.member, STR("|"))) {
        if (!box->is_system || c->mailbox_command.n == 0)
            return false;
        m.member = arena_printf(&j->arena, "|%.*s", STR_ARG(c->mailbox_command));
    } else if (m.member.n && m.member.p[0] == '|' && !may(w, c->allow_mail_to_commands)) {
        return false;
    }
    return forward_member(j->copy, &m);
}

static bool on_copied(void *context, channel *ch, received *r)
{
    pool_worker *w = context;
    deliver_copied m;
    job *j = job_of(w, r->ref);
    (void)ch;
    if (deliver_copied_decode(r->bytes, &m) != PARSE_DONE || j == NULL || j->copy == NULL)
        return false;
    return forward_copied(j->copy, &m);
}

void workers_copy_ended(void *of, fault outcome, uint32_t action, str reason)
{
    job *j = of;
    j->local->forwarded += !is_fault(outcome);
    job_end(j, outcome, action, reason);
}

static bool on_lock(void *context, channel *ch, received *r)
{
    pool_worker *w = context;
    mailbox *box = w->context;
    deliver_lock m;
    if (deliver_lock_decode(r->bytes, &m) != PARSE_DONE || box->lock.n == 0 || box->has_lock)
        return false;
    fault f = dotlock_take(box, daemon_config(local_of(w)->process)->stale_lock_time);
    m = (deliver_lock){ .outcome = f.kind, .reason = str_c(f.text) };
    channel_put(ch, DELIVER_LOCKED, r->ref, deliver_lock, &m);
    return true;
}

static bool on_unlock(void *context, channel *ch, received *r)
{
    pool_worker *w = context;
    mailbox *box = w->context;
    deliver_lock m;
    (void)ch;
    if (deliver_lock_decode(r->bytes, &m) != PARSE_DONE || !box->has_lock)
        return false;
    dotlock_give(box);
    return true;
}

const talk_row worker_rows[] = {
    { DELIVER_RESULT, 0, 0, on_result }, { DELIVER_WANT, 0, 0, on_want },   { DELIVER_MEMBER, 0, 0, on_member },
    { DELIVER_COPIED, 0, 0, on_copied }, { DELIVER_LOCK, 0, 0, on_lock },   { DELIVER_UNLOCK, 0, 0, on_unlock },
};
const size_t worker_row_count = COUNT_OF(worker_rows);

static void rules_put(pool_worker *w)
{
    const config *c = daemon_config(local_of(w)->process);
    const mailbox *box = w->context;
    str kinds = c->mailbox_delivery_lock;
    deliver_rules m = { .flags = (may(w, c->allow_mail_to_commands) ? DELIVER_MAY_COMMAND : 0u) |
                                 (may(w, c->allow_mail_to_files) ? DELIVER_MAY_FILE : 0u) |
                                 (box->is_system && c->mailbox_command.n ? DELIVER_HAS_COMMAND : 0u) |
                                 (c->local_extension_folders ? DELIVER_TO_FOLDER : 0u) |
                                 (list_has(kinds, STR("fcntl")) ? DELIVER_LOCKS_FCNTL : 0u) |
                                 (list_has(kinds, STR("dotlock")) ? DELIVER_LOCKS_DOT : 0u) |
                                 (box->lock.n ? DELIVER_ASKS_FOR_LOCK : 0u),
                        .lock_attempts = (uint32_t)c->deliver_lock_attempts,
                        .lock_delay_s = (uint32_t)c->deliver_lock_delay,
                        .stale_lock_s = (uint32_t)c->stale_lock_time,
                        .mailbox_bytes = c->mailbox_size_limit };
    channel_put(&w->channel, DELIVER_RULES, 0, deliver_rules, &m);
}

void worker_meet(pool_worker *w, const pool_user *u)
{
    const config *c = daemon_config(local_of(w)->process);
    mailbox *box = memory_get(sizeof *box);
    *box = (mailbox){ .is_mbox = u->mbox.n > 0, .is_system = u->is_system };
    if (spool_has(c, u->mbox)) {
        str ending = STR(".lock");
        char *path = memory_get(u->mbox.n + ending.n + 1);
        memcpy(path, u->mbox.p, u->mbox.n);
        memcpy(path + u->mbox.n, ending.p, ending.n);
        box->lock = (str){ path, u->mbox.n + ending.n };
    }
    w->context = box;
    rules_put(w);
}

void workers_rules(local *l)
{
    for (pool_worker *w = l->pool.workers; w; w = w->next)
        if (w->context)
            rules_put(w);
}

static fault end_of(const pool_worker *w)
{
    if (w->had_no_folder)
        return fault_make(FAULT_TRY_LATER, "2.0", "the mail folder cannot be opened");
    if (w->had_moved)
        return fault_make(FAULT_TRY_LATER, "2.0",
                          "there is no mailbox, and it cannot be made (mail_spool_directory; mail_gids must have its group)");
    return fault_make(FAULT_TRY_LATER, "3.0", "the delivery worker ended");
}

/* What it had: forwarded already, given to the next worker when the mailbox only moved, or tried again later. */
void workers_lost(pool_worker *w)
{
    local *l = local_of(w);
    size_t cursor = 0;
    for (job *j; (j = refs_next(&l->jobs, &cursor)) != NULL;) {
        if (j->worker != w)
            continue;
        if (forward_is_committing(j->copy)) {
            j->worker = NULL;
            j->state = JOB_COPIED;
        } else if (w->had_moved && j->fd >= 0 && j->moves++ < MOVES_MAX) {
            j->worker = NULL;
            j->state = JOB_ASKING;
            user_ask(j);
        } else {
            j->is_of_mailbox = w->had_no_folder || w->had_moved;
            job_fail(j, end_of(w));
        }
    }
}

void workers_gone(pool_worker *w)
{
    mailbox *box = w->context;
    if (box == NULL)
        return;
    dotlock_give(box);
    free((char *)(uintptr_t)box->lock.p);
    free(box);
}
