#include "ctl/common/ask.h"
#include "ipc/channel.h"
#include "ipc/talk/admin.h"

typedef struct asking {
    loop *loop;
    channel channel;
    ask_row *each;
    void *context;
    ask_answer answer;
} asking;

static bool on_row(void *context, channel *ch, received *r)
{
    asking *a = context;
    admin_row m;
    (void)ch;
    if (admin_row_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    if (a->each)
        a->each(a->context, m.row, r->fd_count ? r->fds[0] : -1);
    return true;
}

static void put(asking *a, str verb, str argument)
{
    admin_ask m = { .verb = verb, .argument = argument };
    channel_put(&a->channel, ADMIN_ASK, 0, admin_ask, &m);
}

static bool on_end(void *context, channel *ch, received *r)
{
    asking *a = context;
    admin_end m;
    (void)ch;
    if (admin_end_decode(r->bytes, &m) != PARSE_DONE || m.outcome > FAULT_BUG)
        return false;
    a->answer.count += m.count;
    if (m.outcome == FAULT_NONE && str_equal(m.reason, STR("more"))) {
        put(a, STR("more"), STR_NONE);
        return true;
    }
    a->answer.is_ended = true;
    if (m.outcome != FAULT_NONE)
        a->answer.fault = fault_make((fault_kind)m.outcome, "3.0", "%.*s", STR_ARG(m.reason));
    loop_stop(a->loop);
    return true;
}

static void on_closed(void *context, channel *ch)
{
    asking *a = context;
    (void)ch;
    loop_stop(a->loop);
}

static const talk_row rows[] = { { ADMIN_ROW, 0, 1, on_row }, { ADMIN_END, 0, 0, on_end } };
static const talk ask_talk = { "admin", rows, COUNT_OF(rows), on_closed };

ask_answer ask(const config *c, const char *socket, str verb, str argument, ask_row *each, void *context)
{
    asking a = { .each = each, .context = context };
    int fd;
    public_result r = public_connect(c, socket, &fd, &a.answer.fault);
    if (r != PUBLIC_CONNECTED)
        return (ask_answer){ .is_running = r == PUBLIC_FAILED, .fault = a.answer.fault };
    a.answer.is_running = true;
    a.loop = loop_new();
    channel_open(&a.channel, a.loop, fd, &ask_talk, &a);
    put(&a, verb, argument);
    loop_run(a.loop);
    channel_close(&a.channel);
    loop_free(a.loop);
    if (!a.answer.is_ended)
        a.answer.fault = fault_make(FAULT_TRY_LATER, "3.0", "the suite closed the connection before it had answered");
    return a.answer;
}
