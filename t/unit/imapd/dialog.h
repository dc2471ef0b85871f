/* A client and a user's sessions in one process: bytes in, bytes out, over a socketpair and a Maildir of its own. The test includes the
 * server.h of the worker that it tests in front of this. */
#pragma once
#include "t/unit/store/temp_store.h"
#include "os/fd.h"
#include <stdlib.h>
#include <sys/socket.h>

typedef struct dialog {
    temp t;
    loop *loop;
    server v;
    unsigned closed, left; /* sessions that ended, clients that went */
} dialog;

typedef struct client {
    dialog *d;
    int fd;
    watch watch;
    buf got; /* all that was said since the last take */
    const char *wanted;
    bool is_at_end;
} client;

static inline void dialog_closed(void *context, const session_closed *m)
{
    dialog *d = context;
    (void)m;
    d->closed++;
    loop_stop(d->loop);
}

static inline void dialog_open(dialog *d)
{
    *d = (dialog){ .t = temp_open() };
    d->loop = loop_new();
    server_open(&d->v, d->loop, d->t.s);
    d->v.on_closed = dialog_closed;
    d->v.context = d;
}

/* A line that begins so is there, whole. */
static inline bool client_has(client *c)
{
    if (c->wanted == NULL || c->wanted[0] == '\0')
        return c->wanted != NULL;
    for (const char *at = buf_c(&c->got); (at = strstr(at, c->wanted)) != NULL; at++)
        if ((at == c->got.p || at[-1] == '\n') && strstr(at, "\r\n"))
            return true;
    return false;
}

static inline void client_watch(void *context, unsigned ready)
{
    client *c = context;
    char bytes[65536];
    ssize_t n = read(c->fd, bytes, sizeof bytes);
    (void)ready;
    if (n > 0)
        buf_append(&c->got, (str){ bytes, (size_t)n });
    if (n == 0 || (n < 0 && errno != EAGAIN)) {
        c->is_at_end = true;
        watch_want(&c->watch, 0);
    }
    if (c->is_at_end || client_has(c))
        loop_stop(c->d->loop);
}

static inline void client_open_with(client *c, dialog *d, const session_open *m)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    *c = (client){ .d = d, .fd = pair[0], .got = buf_new(1 << 28) };
    watch_open(&c->watch, d->loop, c->fd, client_watch, c);
    server_give(&d->v, m, pair[1]);
}

/* All that is said up to `wanted`, or to the end; the next call begins behind it. */
static inline const char *client_read(client *c, const char *wanted)
{
    buf_clear(&c->got);
    c->wanted = wanted;
    if (!c->is_at_end) {
        watch_want(&c->watch, WATCH_READ);
        loop_run(c->d->loop);
        while (!c->is_at_end && !client_has(c))
            loop_run(c->d->loop); /* another session ended */
        watch_want(&c->watch, 0);
    }
    return buf_c(&c->got);
}

static inline void client_write(client *c, str bytes)
{
    for (size_t at = 0; at < bytes.n;) {
        ssize_t n = write(c->fd, bytes.p + at, bytes.n - at);
        if (n > 0) {
            at += (size_t)n;
            continue;
        }
        assert_true(n < 0 && errno == EAGAIN);
        client_read(c, ""); /* the other side reads when it has been read */
    }
}

static inline void client_open(client *c, dialog *d)
{
    client_open_with(
        c, d, &(session_open){ .session = STR("s1"), .tag = STR("t0"), .verb = STR("LOGIN"), .timeout_s = 1800 });
}

static inline void client_close(client *c)
{
    watch_close(&c->watch);
    close(c->fd);
    buf_free(&c->got);
    for (c->d->left++; c->d->closed < c->d->left;)
        loop_run(c->d->loop);
}

static inline void dialog_stop(void *context)
{
    loop_stop(context);
}

/* Gives the sessions a turn. */
static inline void dialog_turn(dialog *d)
{
    timer stop;
    timer_open(&stop, d->loop, dialog_stop, d->loop);
    timer_set(&stop, 0);
    loop_run(d->loop);
    timer_close(&stop);
}

static inline void client_say(client *c, const char *text, bool is_bytewise)
{
    if (!is_bytewise)
        client_write(c, str_c(text));
    for (; is_bytewise && *text; text++) {
        client_write(c, (str){ text, 1 });
        dialog_turn(c->d);
    }
}

/* What the client says, up to what line it then hears, and all of that (NULL: never mind). */
typedef struct exchange {
    const char *say, *until, *hear;
} exchange;

static inline void client_run(client *c, const exchange *rows, size_t n, bool is_bytewise)
{
    for (size_t i = 0; i < n; i++) {
        client_say(c, rows[i].say, is_bytewise);
        const char *got = client_read(c, rows[i].until);
        if (rows[i].hear && strcmp(got, rows[i].hear) != 0)
            fail_msg("said: %s\nwanted: %s\ngot: %s", rows[i].say, rows[i].hear, got);
    }
}

/* It has its UID when this returns. */
static inline void dialog_deliver(dialog *d, const char *content)
{
    mailbox_status status;
    temp_deliver(&d->t, content);
    OK(store_status(d->t.s, STR("INBOX"), &status));
}

static inline void dialog_close(dialog *d)
{
    assert_null(d->v.sessions);
    server_close(&d->v);
    loop_free(d->loop);
    temp_close(&d->t);
}
