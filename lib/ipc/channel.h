/* One end of a conversation between two processes: a SEQPACKET socket that carries frames and descriptors. Frames that are put
 * in one loop round leave in one packet at its end. What the other end may say is a const table; anything else, and any frame
 * that does not decode, drops that peer. The channel owns its socket. */
#pragma once
#include "ipc/message.h"
#include "loop/loop.h"

enum { CHANNEL_FRAME_MAX = 48 * 1024, CHANNEL_FDS_MAX = 4 };

typedef struct channel channel; /* zeroed: closed */
typedef struct channel_packet channel_packet;

typedef struct received {
    uint32_t ref;          /* the asker's number, which the answer repeats */
    str bytes;             /* lives during the call */
    int fds[CHANNEL_FDS_MAX]; /* the handler takes one with received_take; what is left is closed */
    size_t fd_count;
} received;

/* The descriptor is the caller's from now on. */
static inline int received_take(received *r, size_t i)
{
    int fd = r->fds[i];
    r->fds[i] = -1;
    return fd;
}

/* False: the frame was wrong; the peer is dropped. */
typedef bool channel_handler(void *context, channel *c, received *r);

typedef struct talk_row {
    uint16_t type;
    size_t fds_min, fds_max;
    channel_handler *handle;
} talk_row;

typedef struct talk {
    const char *name; /* for the log: "cleanup-qmgr" */
    const talk_row *rows;
    size_t row_count;
    void (*on_closed)(void *context, channel *c); /* the peer is gone, or was dropped; the channel is closed already */
} talk;

struct channel {
    loop *loop;
    int fd; /* -1: closed */
    const talk *talk;
    void *context;
    watch watch;
    timer again; /* when the kernel has no room for descriptors on their way */
    task flush, gone;
    channel_packet *first, **last; /* waiting to go out; the last is being filled */
    size_t queued_bytes;
};

/* Takes the descriptor. `context` goes to every handler. */
void channel_open(channel *c, loop *l, int fd, const talk *t, void *context);
void channel_close(channel *c); /* drops what is queued; on_closed is not called */
bool channel_is_open(const channel *c);

/* Puts one frame: channel_put(c, DELIVER_REQUEST, ref, deliver_request, &message, NULL, 0). Descriptors are taken
 * and closed when the packet is gone. False: the channel is closed or the frame is too large. */
#define channel_put(c, type, ref, message, m) channel_put_fds((c), (type), (ref), message, (m), NULL, 0)
#define channel_put_fds(c, type, ref, message, m, fds, fd_count)                                                       \
    channel_end((c), message##_encode((m), channel_begin((c), (type), (ref))), (fds), (fd_count))

frame *channel_begin(channel *c, uint16_t type, uint32_t ref);
bool channel_end(channel *c, bool is_whole, const int *fds, size_t fd_count); /* takes the descriptors, also when it fails */

void channel_flush(channel *c); /* sends now; happens by itself at the end of the round */

/* Takes one packet, if one is there already: for a task that wants all that has come before it does something slow. Not for a
 * handler. False: there is none, or the channel is closed now. */
bool channel_receive(channel *c);

/* Gives back what is kept for the next packet; for processes that will be idle. */
void channel_rest(void);

/* Two connected SEQPACKET sockets, close-on-exec and non-blocking. False: errno says why. */
bool channel_pair(int out[2]);
