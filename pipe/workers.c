/* What workers are told and what they say. Runs in: pipe, which believes of them what concerns their own user alone. */
#include "base/log.h"
#include "conf/list.h"
#include "ipc/talk/program.h"
#include "pipe/pipe.h"

static void rules_put(pool_worker *w)
{
    const carrier *c = w->pool->process->state;
    const config *conf = daemon_config(c->process);
    const account *a = account_find(c, w->user);
    str locks = conf->mailbox_delivery_lock;
    program_rules m = {
        .account = a ? a->name : w->user,
        .shell = a && a->shell.n ? a->shell : STR("/bin/sh"),
        .filter = conf->command_expansion_filter,
        .delimiters = conf->recipient_delimiter,
        .time_limit_s = conf->command_time_limit,
        .mailbox_bytes = conf->mailbox_size_limit,
        .lock_attempts = (uint32_t)conf->deliver_lock_attempts,
        .lock_delay_s = (uint32_t)conf->deliver_lock_delay,
        .stale_lock_s = (uint32_t)conf->stale_lock_time,
        .flags = (list_has(conf->allow_mail_to_commands, STR("include")) ? PROGRAM_LISTS_COMMANDS : 0u) |
                 (list_has(conf->allow_mail_to_files, STR("include")) ? PROGRAM_LISTS_FILES : 0u) |
                 (list_has(locks, STR("fcntl")) ? PROGRAM_LOCKS_FCNTL : 0u) |
                 (list_has(locks, STR("dotlock")) ? PROGRAM_LOCKS_DOT : 0u),
    };
    channel_put(&w->channel, PROGRAM_RULES, 0, program_rules, &m);
}

void worker_meet(pool_worker *w)
{
    w->context = w->pool->process->state;
    rules_put(w);
}

void workers_rules(carrier *c)
{
    for (pool_worker *w = c->pool.workers; w; w = w->next)
        rules_put(w);
}

/* Only of a job that this worker has. */
static job *job_of(const pool_worker *w, uint32_t ref)
{
    const carrier *c = w->pool->process->state;
    job *j = refs_get(&c->jobs, ref);
    return j && j->worker == w ? j : NULL;
}

static bool on_result(void *context, channel *ch, received *r)
{
    deliver_result m;
    (void)ch;
    if (deliver_result_decode(r->bytes, &m) != PARSE_DONE || m.outcome > FAULT_BUG)
        return false;
    job *j = job_of(context, r->ref);
    if (j == NULL || j->queue_id != m.queue_id)
        return false;
    fault f = deliver_outcome(&m);
    j->is_of_file = m.is_destination;
    job_end(j, f, 0, m.reason);
    return true;
}

static bool on_want(void *context, channel *ch, received *r)
{
    const pool_worker *w = context;
    carrier *c = w->pool->process->state;
    const config *conf = daemon_config(c->process);
    deliver_result m;
    job *j = job_of(w, r->ref);
    if (deliver_result_decode(r->bytes, &m) != PARSE_DONE || j == NULL || j->copy || j->request.member.p[0] != ':')
        return false;
    j->copy = forward_begin(&c->desk, c->process,
                            &(forward_order){ .request = &j->request, .worker = ch, .ref = j->ref, .job = j,
                                              .may_command = list_has(conf->allow_mail_to_commands, STR("include")),
                                              .may_file = list_has(conf->allow_mail_to_files, STR("include")) });
    return true;
}

/* Who acts for an alias has no mailbox of his own to name. */
static bool on_member(void *context, channel *ch, received *r)
{
    deliver_member m;
    job *j = job_of(context, r->ref);
    (void)ch;
    if (deliver_member_decode(r->bytes, &m) != PARSE_DONE || j == NULL || j->copy == NULL ||
        (m.is_final && j->request.user.p[0] == '#'))
        return false;
    return forward_member(j->copy, &m);
}

static bool on_copied(void *context, channel *ch, received *r)
{
    deliver_copied m;
    job *j = job_of(context, r->ref);
    (void)ch;
    return deliver_copied_decode(r->bytes, &m) == PARSE_DONE && j && j->copy && forward_copied(j->copy, &m);
}

void workers_copy_ended(void *of, fault outcome, uint32_t action, str reason)
{
    job_end(of, outcome, action, reason);
}

const talk_row worker_rows[] = {
    { DELIVER_RESULT, 0, 0, on_result }, { DELIVER_WANT, 0, 0, on_want },
    { DELIVER_MEMBER, 0, 0, on_member }, { DELIVER_COPIED, 0, 0, on_copied },
};
const size_t worker_row_count = COUNT_OF(worker_rows);

void workers_lost(pool_worker *w)
{
    carrier *c = w->pool->process->state;
    fault f = fault_make(FAULT_TRY_LATER, "3.0", "the worker that acts for the user ended");
    size_t cursor = 0;
    for (job *j; (j = refs_next(&c->jobs, &cursor)) != NULL;)
        if (j->worker != w)
            continue;
        else if (forward_is_committing(j->copy))
            j->worker = NULL; /* it ends without the worker */
        else
            job_end(j, f, 0, str_c(f.text));
}
