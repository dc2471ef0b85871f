#include "loop/stream.h"
#include <assert.h>
#include <errno.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_BYTES = 64 * 1024, WRITE_NOW = 256 * 1024 };

static _Alignas(4096) char scratch[READ_BYTES]; /* what is being read: one loop, one thread */

void stream_rest(void)
{
    madvise(scratch, sizeof scratch, MADV_DONTNEED);
}

static void end_task(void *context)
{
    stream *s = context;
    s->handler->on_end(s->context);
}

static void stream_release(stream *s)
{
    if (s->is_ended)
        return;
    s->is_ended = true;
    watch_close(&s->watch);
    timer_close(&s->idle);
    task_cancel(s->loop, &s->flush);
    task_cancel(s->loop, &s->again);
    if (s->transport)
        s->transport->close(s->transport_context);
    s->transport = NULL;
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
    buf_free(&s->in);
    buf_free(&s->out);
    task_put(s->loop, &s->end, end_task, s);
}

/* Two things are asked of the kernel only when they last: output that is flushed at the end of this round needs no watch, and
 * most pauses are over before anything comes. What comes during a pause ends the watch (on_ready). */
static void watch_update(stream *s)
{
    unsigned wants = 0;
    if (s->is_ended)
        return;
    if (!s->is_closing && !s->is_peer_done)
        wants |= s->is_paused ? s->watch.wanted & s->read_wants : s->read_wants;
    if (s->out.n && !s->flush.is_queued)
        wants |= s->write_wants;
    watch_want(&s->watch, wants);
}

static ssize_t transport_read(stream *s, void *bytes, size_t n)
{
    s->read_wants = WATCH_READ;
    return s->transport ? s->transport->read(s->transport_context, bytes, n, &s->read_wants) : read(s->fd, bytes, n);
}

static ssize_t transport_write(stream *s, str bytes)
{
    s->write_wants = WATCH_WRITE;
    return s->transport ? s->transport->write(s->transport_context, bytes.p, bytes.n, &s->write_wants)
                        : send(s->fd, bytes.p, bytes.n, MSG_NOSIGNAL);
}

/* Gives `bytes` to the owner and keeps what it did not take. `bytes` is not within s->in. */
static void deliver(stream *s, str bytes)
{
    s->discards = false;
    s->is_calling = true;
    size_t taken = s->handler->on_input(s->context, bytes);
    s->is_calling = false;
    assert(taken <= bytes.n);
    if (s->is_ended || s->discards || taken == bytes.n)
        return;
    if (!buf_append(&s->in, str_from(bytes, taken)))
        stream_abort(s);
}

static void deliver_kept(stream *s)
{
    buf kept = s->in;
    s->in = buf_new(kept.max);
    deliver(s, buf_str(&kept));
    buf_free(&kept);
}

static bool may_read(const stream *s)
{
    return !s->is_ended && !s->is_paused && !s->is_closing && !s->is_peer_done;
}

static bool is_pending(const stream *s)
{
    return s->transport && s->transport->pending && s->transport->pending(s->transport_context);
}

static void peer_done(stream *s)
{
    if (s->is_ended || s->is_paused || s->is_closing)
        return; /* stream_resume tells it */
    if (s->handler->on_peer_done)
        s->handler->on_peer_done(s->context);
    else
        stream_finish(s);
}

static void again_task(void *context);

static void read_ready(stream *s)
{
    char *bytes = scratch;
    size_t room = s->in.max - s->in.n < READ_BYTES ? s->in.max - s->in.n : READ_BYTES;
    if (room == 0) {
        stream_abort(s); /* the owner asks for more and has taken nothing of a full buffer */
        return;
    }
    ssize_t n = transport_read(s, bytes, room);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        s->is_peer_done = true;
        if (!s->again.is_queued) /* else the owner first gets what it left */
            peer_done(s);
        return;
    }
    if (s->idle_ms)
        timer_set(&s->idle, s->idle_ms);
    if (s->in.n == 0) {
        deliver(s, (str){ bytes, (size_t)n });
    } else {
        buf_append(&s->in, (str){ bytes, (size_t)n });
        deliver_kept(s);
    }
    if (may_read(s) && is_pending(s))
        task_put(s->loop, &s->again, again_task, s);
}

/* What the socket will not announce: bytes that the owner left, bytes within TLS, an end that came during a pause. */
static void again_task(void *context)
{
    stream *s = context;
    if (s->is_ended || s->is_paused || s->is_closing)
        return;
    if (s->in.n)
        deliver_kept(s);
    if (s->is_peer_done)
        peer_done(s);
    else if (may_read(s) && (is_pending(s) || s->read_wants != WATCH_READ))
        read_ready(s);
    watch_update(s);
}

bool stream_send(stream *s)
{
    while (!s->is_ended && s->out.n) {
        ssize_t n = transport_write(s, buf_str(&s->out));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return false;
        if (n <= 0) {
            stream_release(s);
            return false;
        }
        buf_consume(&s->out, (size_t)n);
    }
    return !s->is_ended;
}

static void write_ready(stream *s)
{
    stream_send(s);
    if (s->is_ended)
        return;
    if (may_read(s) && s->read_wants != WATCH_READ) /* a handshake that stood in a read may have gone on in the write */
        task_put(s->loop, &s->again, again_task, s);
    if (s->out.n) {
        watch_update(s);
        return;
    }
    buf_free(&s->out);
    if (s->is_closing) {
        stream_release(s);
        return;
    }
    if (s->handler->on_drained)
        s->handler->on_drained(s->context);
    watch_update(s);
}

static void flush_task(void *context)
{
    write_ready(context);
}

static void on_ready(void *context, unsigned ready)
{
    stream *s = context;
    if ((ready & s->write_wants) && s->out.n)
        write_ready(s);
    if (s->is_paused && (ready & s->read_wants))
        watch_want(&s->watch, s->watch.wanted & ~s->read_wants);
    if (may_read(s) && (ready & s->read_wants))
        read_ready(s);
    if (!s->is_ended && s->out.n && s->write_wants != WATCH_WRITE) /* the same the other way round */
        task_put(s->loop, &s->flush, flush_task, s);
    if (!s->is_ended)
        watch_update(s);
}

static void on_idle(void *context)
{
    stream *s = context;
    if (!s->is_ended && s->handler->on_idle)
        s->handler->on_idle(s->context);
}

void stream_open(stream *s, loop *l, int fd, size_t in_max, size_t out_max, const stream_handler *h, void *context)
{
    *s = (stream){ .loop = l, .fd = fd, .handler = h, .context = context, .in = buf_new(in_max), .out = buf_new(out_max),
                   .read_wants = WATCH_READ, .write_wants = WATCH_WRITE };
    watch_open(&s->watch, l, fd, on_ready, s);
    timer_open(&s->idle, l, on_idle, s);
    watch_update(s);
}

void stream_set_idle(stream *s, uint64_t idle_s)
{
    if (s->is_ended) /* its timer must not outlive it */
        return;
    s->idle_ms = idle_s * 1000;
    if (s->idle_ms)
        timer_set(&s->idle, s->idle_ms);
    else
        timer_stop(&s->idle);
}

static void after_write(stream *s)
{
    if (s->out.overflow)
        stream_abort(s);
    else if (s->out.n > WRITE_NOW && s->write_wants == WATCH_WRITE && !s->is_calling)
        write_ready(s);
    else
        task_put(s->loop, &s->flush, flush_task, s);
}

void stream_write(stream *s, str bytes)
{
    if (s->is_ended || s->is_closing)
        return;
    buf_append(&s->out, bytes);
    after_write(s);
}

void stream_printf(stream *s, const char *format, ...)
{
    if (s->is_ended || s->is_closing)
        return;
    va_list args;
    va_start(args, format);
    buf_vprintf(&s->out, format, args);
    va_end(args);
    after_write(s);
}

size_t stream_unsent(const stream *s)
{
    return s->out.n;
}

void stream_pause(stream *s)
{
    s->is_paused = true;
    watch_update(s);
}

void stream_resume(stream *s)
{
    if (!s->is_paused || s->is_ended)
        return;
    s->is_paused = false;
    if (s->in.n || s->is_peer_done || is_pending(s))
        task_put(s->loop, &s->again, again_task, s);
    watch_update(s);
}

void stream_feed(stream *s, str bytes)
{
    if (s->is_ended || bytes.n == 0)
        return;
    if (!buf_append(&s->in, bytes))
        stream_abort(s);
    else
        task_put(s->loop, &s->again, again_task, s);
}

void stream_discard_input(stream *s)
{
    s->discards = true;
    buf_free(&s->in);
}

void stream_set_transport(stream *s, const transport *t, void *transport_context)
{
    s->transport = t;
    s->transport_context = transport_context;
    s->read_wants = WATCH_READ;
    watch_update(s);
}

void stream_finish(stream *s)
{
    if (s->is_ended || s->is_closing)
        return;
    s->is_closing = true;
    if (s->out.n)
        task_put(s->loop, &s->flush, flush_task, s);
    else
        stream_release(s);
    watch_update(s);
}

void stream_abort(stream *s)
{
    s->is_closing = true;
    stream_release(s);
}

int stream_detach(stream *s, buf *left)
{
    int fd = s->fd;
    buf_append(left, buf_str(&s->in));
    watch_close(&s->watch);
    s->fd = -1;
    s->is_closing = true;
    stream_release(s);
    return fd;
}
