#include "pipe/worker/actor.h"
#include "base/memory.h"
#include <stdlib.h>
#include <unistd.h>

void actor_answer(actor *a, uint32_t ref, uint64_t queue_id, fault outcome, str reason, bool is_destination)
{
    deliver_result m = { .queue_id = queue_id,
                         .outcome = outcome.kind,
                         .status = is_fault(outcome) ? str_c(outcome.status) : STR("0.0"),
                         .reason = reason,
                         .is_destination = is_destination };
    channel_put(&a->worker->pool, DELIVER_RESULT, ref, deliver_result, &m);
    worker_end(a->worker);
}

void request_keep(const deliver_request *m, arena *a, deliver_request *out)
{
    *out = *m;
    str *texts[] = { &out->reverse_path, &out->recipient,   &out->original,       &out->user,  &out->member,
                     &out->extension,    &out->client_name, &out->client_address, &out->helo,  &out->protocol,
                     &out->login,        &out->envelope_id, &out->returns,        &out->orcpt, &out->forwarders };
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        *texts[i] = arena_copy(a, *texts[i]);
}

letter_job *letter_job_new(uint32_t ref, const deliver_request *m, int fd)
{
    letter_job *j = memory_get(sizeof *j);
    *j = (letter_job){ .ref = ref, .fd = fd };
    request_keep(m, &j->arena, &j->request);
    return j;
}

void letter_job_free(letter_job *j)
{
    close(j->fd);
    vec_free(&j->members);
    arena_free(&j->arena);
    free(j);
}

void letter_job_end(actor *a, letter_job *j, fault outcome, const char *done)
{
    buf reason = buf_new(1024);
    buf_printf(&reason, "%s%s%.*s", is_fault(outcome) ? outcome.text : done, is_fault(outcome) ? "" : ": ",
               is_fault(outcome) ? 0 : (int)str_upto(j->request.member, 200).n, j->request.member.p);
    actor_answer(a, j->ref, j->request.queue_id, outcome, buf_str(&reason), j->is_of_file);
    buf_free(&reason);
    letter_job_free(j);
}

static bool on_rules(void *context, channel *ch, received *r)
{
    worker *w = context;
    actor *a = w->state;
    program_rules m;
    (void)ch;
    if (program_rules_decode(r->bytes, &m) != PARSE_DONE || m.time_limit_s == 0)
        return false;
    arena_clear(&a->rules_arena);
    str *texts[] = { &m.account, &m.shell, &m.filter, &m.delimiters };
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        *texts[i] = arena_copy(&a->rules_arena, *texts[i]);
    a->rules = m;
    a->has_rules = true;
    return true;
}

/* What it ends at, at once or later, is said by actor_answer. */
static void act(actor *a, uint32_t ref, const deliver_request *m, int fd)
{
    switch (m->member.p[0]) {
    case '|': command_run(a, ref, m, fd); break;
    case '/': file_put(a, ref, m, fd); break;
    default: list_read(a, ref, m, fd); break;
    }
}

static bool on_request(void *context, channel *ch, received *r)
{
    worker *w = context;
    actor *a = w->state;
    deliver_request m;
    (void)ch;
    if (deliver_request_decode(r->bytes, &m) != PARSE_DONE || m.member.n < 2 || !a->has_rules)
        return false;
    worker_begin(w);
    act(a, r->ref, &m, received_take(r, 0));
    return true;
}

const talk_row actor_rows[] = { { DELIVER_REQUEST, 1, 1, on_request },
                                { PROGRAM_RULES, 0, 0, on_rules },
                                { DELIVER_PAPER, 0, 1, list_on_paper } };
const size_t actor_row_count = COUNT_OF(actor_rows);
