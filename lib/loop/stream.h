/* A connection of a session: bytes in to one handler, bytes out batched per loop round, a limit on each, an idle timer, and a
 * transport that may change under it (TLS). An idle stream holds no buffers. The owner embeds it and frees it in on_end only. */
#pragma once
#include "base/buf.h"
#include "base/fault.h"
#include "loop/loop.h"
#include <sys/types.h>

/* How bytes get to the socket. read and write act like the system calls; -1 with EAGAIN sets *wants to WATCH_… bits. */
typedef struct transport {
    ssize_t (*read)(void *context, void *bytes, size_t n, unsigned *wants);
    ssize_t (*write)(void *context, const void *bytes, size_t n, unsigned *wants);
    void (*close)(void *context); /* frees context; may say goodbye on the socket, which is still open */
    bool (*pending)(void *context); /* bytes are here that the socket will not announce; may be NULL */
} transport;

typedef struct stream stream;

typedef struct stream_handler {
    size_t (*on_input)(void *context, str bytes); /* returns how many it took; the rest comes again with more */
    void (*on_drained)(void *context);            /* all output is with the kernel; may be NULL */
    void (*on_idle)(void *context);               /* nothing came in for the idle time */
    void (*on_end)(void *context);                /* the stream is closed: free its owner */
    void (*on_peer_done)(void *context);          /* no more input; may come twice; output still goes. NULL: stream_finish */
} stream_handler;

struct stream {
    loop *loop;
    int fd;
    const stream_handler *handler;
    void *context;
    const transport *transport; /* NULL: the socket itself */
    void *transport_context;
    buf in, out;
    watch watch;
    timer idle;
    task flush, end, again;
    uint64_t idle_ms;
    unsigned read_wants, write_wants;
    bool is_paused, is_closing, is_ended, is_peer_done, is_calling, discards;
};

/* Takes the descriptor (non-blocking). `in_max`: unread input kept at most; `out_max`: unsent output kept at most, past which the
 * stream ends. `idle_s` 0: no limit. */
void stream_open(stream *s, loop *l, int fd, size_t in_max, size_t out_max, const stream_handler *h, void *context);
void stream_set_idle(stream *s, uint64_t idle_s);

void stream_write(stream *s, str bytes);
void stream_printf(stream *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
size_t stream_unsent(const stream *s);
bool stream_send(stream *s); /* sends what goes now, without a call to the owner; true: nothing is left */

void stream_pause(stream *s);  /* no on_input until stream_resume; the kernel holds the peer back */
void stream_resume(stream *s); /* what was left comes at the end of this round */

/* Input that was read elsewhere, before the stream was opened here: comes first, at the end of this round. */
void stream_feed(stream *s, str bytes);

/* Forgets what was read and not taken yet, the rest of the current call's bytes included (before TLS begins). */
void stream_discard_input(stream *s);
void stream_set_transport(stream *s, const transport *t, void *transport_context);

void stream_finish(stream *s); /* closes when the output is sent */
void stream_abort(stream *s);  /* closes now; both call on_end at the end of the round */

/* Takes the descriptor out, for another process; what was read and not taken is in *left (append). on_end follows. */
int stream_detach(stream *s, buf *left);

/* Gives back the pages that all streams of the process read into; for processes that will be idle. */
void stream_rest(void);
