#include "ctl/common/ask.h"
#include "base/memory.h"
#include "ipc/channel.h"
#include "ipc/talk/admin.h"
#include <stdlib.h>

struct ask_line {
    loop *loop;
    channel channel;
    ask_row *each;
    void *context;
    ask_answer answer;
};

static bool on_row(void *context, channel *ch, received *r)
{
    ask_line *l = context;
    admin_row m;
    (void)ch;
    if (admin_row_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    if (l->each)
        l->each(l->context, m.row, r->fds, r->fd_count);
    return true;
}

static void put(ask_line *l, str verb, str argument)
{
    admin_ask m = { .verb = verb, .argument = argument };
    channel_put(&l->channel, ADMIN_ASK, 0, admin_ask, &m);
}

static bool on_end(void *context, channel *ch, received *r)
{
    ask_line *l = context;
    admin_end m;
    char status[8] = "";
    (void)ch;
    if (admin_end_decode(r->bytes, &m) != PARSE_DONE || m.outcome > FAULT_BUG)
        return false;
    l->answer.count += m.count;
    if (m.outcome == FAULT_NONE && str_equal(m.reason, STR("more"))) {
        put(l, STR("more"), STR_NONE);
        return true;
    }
    l->answer.is_ended = true;
    str word = str_upto(m.status, sizeof status - 1);
    if (word.n)
        memcpy(status, word.p, word.n);
    if (m.outcome != FAULT_NONE)
        l->answer.fault = fault_make((fault_kind)m.outcome, status, "%.*s", STR_ARG(m.reason));
    loop_stop(l->loop);
    return true;
}

static void on_closed(void *context, channel *ch)
{
    ask_line *l = context;
    (void)ch;
    loop_stop(l->loop);
}

static const talk_row rows[] = { { ADMIN_ROW, 0, CHANNEL_FDS_MAX, on_row }, { ADMIN_END, 0, 0, on_end } };
static const talk ask_talk = { "admin", rows, COUNT_OF(rows), on_closed };

ask_line *ask_open(const config *c, const char *socket, ask_answer *out)
{
    int fd;
    *out = (ask_answer){ 0 };
    public_result r = public_connect(c, socket, &fd, &out->fault);
    out->is_running = r != PUBLIC_NOT_RUNNING;
    if (r != PUBLIC_CONNECTED)
        return NULL;
    ask_line *l = memory_get(sizeof *l);
    l->loop = loop_new();
    channel_open(&l->channel, l->loop, fd, &ask_talk, l);
    return l;
}

ask_answer ask_next(ask_line *l, str verb, str argument, ask_row *each, void *context)
{
    l->answer = (ask_answer){ .is_running = true };
    l->each = each;
    l->context = context;
    put(l, verb, argument);
    if (channel_is_open(&l->channel))
        loop_run(l->loop);
    if (!l->answer.is_ended)
        l->answer.fault = fault_make(FAULT_TRY_LATER, "3.0", "the suite closed the connection before it had answered");
    return l->answer;
}

void ask_close(ask_line *l)
{
    if (l == NULL)
        return;
    channel_close(&l->channel);
    loop_free(l->loop);
    free(l);
}

ask_answer ask(const config *c, const char *socket, str verb, str argument, ask_row *each, void *context)
{
    ask_answer a;
    ask_line *l = ask_open(c, socket, &a);
    if (l)
        a = ask_next(l, verb, argument, each, context);
    ask_close(l);
    return a;
}
