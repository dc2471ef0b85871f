#include "ctl/sendmail/submit.h"
#include "base/memory.h"
#include "ctl/common/public.h"
#include "ipc/channel.h"
#include "ipc/talk/cleanup.h"
#include "os/fd.h"
#include <stdlib.h>

enum { REF = 1 };

struct submit_state {
    loop *loop;
    channel channel;
    int fd;
    bool is_done, is_lost;
    uint64_t queue_id;
    fault outcome;
};

static bool on_ready(void *context, channel *ch, received *r)
{
    submit_state *s = context;
    cleanup_ready m;
    (void)ch;
    if (cleanup_ready_decode(r->bytes, &m) != PARSE_DONE || s->fd >= 0)
        return false;
    s->fd = r->fds[0];
    r->fds[0] = -1;
    loop_stop(s->loop);
    return true;
}

static bool on_done(void *context, channel *ch, received *r)
{
    submit_state *s = context;
    cleanup_done m;
    char status[8];
    (void)ch;
    if (cleanup_done_decode(r->bytes, &m) != PARSE_DONE || m.outcome > FAULT_BUG)
        return false;
    s->is_done = true;
    s->queue_id = m.queue_id;
    if (m.outcome != FAULT_NONE) {
        size_t n = m.status.n < sizeof status - 1 ? m.status.n : sizeof status - 1;
        memcpy(status, m.status.p, n);
        status[n] = '\0';
        s->outcome = fault_make((fault_kind)m.outcome, status, "%.*s", STR_ARG(m.reason));
    }
    loop_stop(s->loop);
    return true;
}

static void on_closed(void *context, channel *ch)
{
    submit_state *s = context;
    (void)ch;
    s->is_lost = true;
    loop_stop(s->loop);
}

static const talk_row rows[] = { { CLEANUP_READY, 1, 1, on_ready }, { CLEANUP_DONE, 0, 0, on_done } };
static const talk submit_talk = { "submit", rows, COUNT_OF(rows), on_closed };

static fault lost(void)
{
    return fault_make(FAULT_TRY_LATER, "3.0", "the suite went away before it had the message");
}

/* Until something came, or the other side is gone. */
static void wait(submit_state *s)
{
    if (!s->is_lost && !s->is_done)
        loop_run(s->loop);
}

fault submit_open(submit *s, const config *c, uint64_t expected_bytes)
{
    fault f = NO_FAULT;
    int fd;
    *s = (submit){ .fd = -1 };
    if (public_connect(c, "submit", &fd, &f) != PUBLIC_CONNECTED)
        return f;
    s->state = memory_get(sizeof *s->state);
    s->state->fd = -1;
    s->state->loop = loop_new();
    channel_open(&s->state->channel, s->state->loop, fd, &submit_talk, s->state);
    cleanup_begin m = { .expected_bytes = expected_bytes };
    channel_put(&s->state->channel, CLEANUP_BEGIN, REF, cleanup_begin, &m);
    wait(s->state);
    s->fd = s->state->fd;
    if (s->fd >= 0)
        return NO_FAULT;
    f = is_fault(s->state->outcome) ? s->state->outcome : lost();
    submit_close(s);
    return f;
}

fault submit_finish(submit *s, const envelope *e, const recipients *to, uint32_t notify, uint64_t bytes,
                    uint32_t checksum, uint64_t *out_id)
{
    channel *ch = &s->state->channel;
    bool fits = channel_put(ch, CLEANUP_ENVELOPE, REF, envelope, e);
    for (size_t i = 0; i < to->rows.n && fits; i++) {
        envelope_recipient r = { .address = to->rows.p[i], .original = to->rows.p[i], .notify = notify };
        fits = channel_put(ch, CLEANUP_RECIPIENT, REF, envelope_recipient, &r);
    }
    cleanup_commit m = { .content_bytes = bytes,
                         .content_checksum = checksum,
                         .recipient_count = (uint32_t)to->rows.n };
    fits = fits && channel_put(ch, CLEANUP_COMMIT, REF, cleanup_commit, &m);
    if (!fits && channel_is_open(ch))
        return fault_make(FAULT_REFUSED, "5.3", "the envelope is too large");
    wait(s->state);
    *out_id = s->state->queue_id;
    return s->state->is_done ? s->state->outcome : lost();
}

void submit_close(submit *s)
{
    fd_close(&s->fd);
    if (s->state == NULL)
        return;
    channel_close(&s->state->channel);
    loop_free(s->state->loop);
    free(s->state);
    s->state = NULL;
}
