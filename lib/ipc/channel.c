#include "ipc/channel.h"
#include "base/log.h"
#include "base/memory.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    PACKET_BYTES = 64 * 1024,
    PACKET_BYTES_FULL = PACKET_BYTES - CHANNEL_FRAME_MAX - 64, /* a packet past this takes no more frames */
    PACKET_FDS = 240,                                          /* SCM_MAX_FD is 253 */
    QUEUED_BYTES_MAX = 64 * 1024 * 1024,                       /* a peer that does not read for so long is dropped */
    AGAIN_MS = 20,
};

typedef struct frame_head {
    uint32_t bytes;
    uint16_t type;
    uint16_t fd_count;
    uint32_t ref;
} frame_head;

struct channel_packet {
    channel_packet *next;
    frame frame; /* all frames of the packet */
    size_t fd_count, start;
    frame_head head;
    int fds[PACKET_FDS];
    unsigned char bytes[PACKET_BYTES];
};

typedef union control_bytes {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int) * 253)];
} control_bytes;

/* The packet that is being read: one loop, one thread; handlers copy what they keep. */
static _Alignas(4096) unsigned char scratch[PACKET_BYTES];

/* Among other data: in front of `scratch`, which is aligned, it would keep a page of its own in each worker that rests. */
static channel_packet *spare __attribute__((section(".data"))); /* the next packet of this process needs no allocation */

static channel_packet *packet_new(void)
{
    channel_packet *p = spare ? spare : memory_resize(NULL, 1, sizeof *p);
    spare = NULL;
    p->next = NULL;
    p->frame = (frame){ p->bytes, 0, sizeof p->bytes, false };
    p->fd_count = 0;
    return p;
}

static void packet_free(channel_packet *p)
{
    for (size_t i = 0; i < p->fd_count; i++)
        close(p->fds[i]);
    secret_wipe(p->bytes, p->frame.n); /* some frames carry passwords; it costs next to nothing */
    if (spare)
        free(p);
    else
        spare = p;
}

static void closed_task(void *context)
{
    channel *c = context;
    if (c->talk->on_closed)
        c->talk->on_closed(c->context, c);
}

void channel_close(channel *c)
{
    if (c->loop)
        task_cancel(c->loop, &c->gone);
    if (c->loop == NULL || c->fd < 0)
        return;
    watch_close(&c->watch);
    timer_close(&c->again);
    task_cancel(c->loop, &c->flush);
    close(c->fd);
    c->fd = -1;
    while (c->first) {
        channel_packet *next = c->first->next;
        packet_free(c->first);
        c->first = next;
    }
    c->last = &c->first;
    c->queued_bytes = 0;
}

static void channel_drop(channel *c, const char *why)
{
    if (c->fd < 0)
        return;
    if (why)
        log_event(LOG_WARNING, "peer-dropped", LOG_C("conversation", c->talk->name), LOG_C("reason", why));
    channel_close(c);
    task_put(c->loop, &c->gone, closed_task, c);
}

bool channel_is_open(const channel *c)
{
    return c->loop && c->fd >= 0;
}

static channel_packet *packet_to_fill(channel *c)
{
    channel_packet *p = c->first;
    while (p && p->next)
        p = p->next;
    if (p && p->frame.n < PACKET_BYTES_FULL && p->fd_count + CHANNEL_FDS_MAX <= PACKET_FDS)
        return p;
    p = packet_new();
    *c->last = p;
    c->last = &p->next;
    return p;
}

frame *channel_begin(channel *c, uint16_t type, uint32_t ref)
{
    static frame nowhere; /* of no size: what is put for a closed channel overflows and goes nowhere */
    if (!channel_is_open(c)) {
        nowhere = (frame){ 0 };
        return &nowhere;
    }
    channel_packet *p = packet_to_fill(c);
    p->start = p->frame.n;
    p->head = (frame_head){ .type = type, .ref = ref };
    frame_put(&p->frame, &p->head, sizeof p->head);
    p->frame.max = p->frame.n + CHANNEL_FRAME_MAX;
    return &p->frame;
}

static void flush_task(void *context)
{
    channel_flush(context);
}

static bool refuse(const int *fds, size_t fd_count)
{
    for (size_t i = 0; i < fd_count; i++)
        close(fds[i]);
    return false;
}

bool channel_end(channel *c, bool is_whole, const int *fds, size_t fd_count)
{
    if (!channel_is_open(c))
        return refuse(fds, fd_count);
    channel_packet *p = c->first;
    while (p->next)
        p = p->next;
    p->frame.max = sizeof p->bytes;
    if (!is_whole || fd_count > CHANNEL_FDS_MAX) {
        p->frame.n = p->start;
        p->frame.overflow = false;
        return refuse(fds, fd_count);
    }
    p->head.bytes = (uint32_t)(p->frame.n - p->start - sizeof p->head);
    p->head.fd_count = (uint16_t)fd_count;
    memcpy(p->bytes + p->start, &p->head, sizeof p->head);
    for (size_t i = 0; i < fd_count; i++)
        p->fds[p->fd_count++] = fds[i];
    c->queued_bytes += p->frame.n - p->start;
    if (c->queued_bytes > QUEUED_BYTES_MAX) {
        channel_drop(c, "it does not read");
        return false;
    }
    task_put(c->loop, &c->flush, flush_task, c);
    return true;
}

static ssize_t packet_send(int fd, channel_packet *p)
{
    control_bytes control = { 0 };
    struct iovec bytes = { p->bytes, p->frame.n };
    struct msghdr m = { .msg_iov = &bytes, .msg_iovlen = 1 };
    if (p->fd_count) {
        m.msg_control = control.bytes;
        m.msg_controllen = CMSG_SPACE(sizeof(int) * p->fd_count);
        struct cmsghdr *head = CMSG_FIRSTHDR(&m);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(sizeof(int) * p->fd_count);
        memcpy(CMSG_DATA(head), p->fds, sizeof(int) * p->fd_count);
    }
    return sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* False: sent as far as it goes now. A socket that takes bytes but no descriptors is always ready: then time tells. */
static bool may_go_on(channel *c, int error)
{
    if (error == EINTR)
        return true;
    if (error == EAGAIN)
        watch_want(&c->watch, WATCH_READ | WATCH_WRITE);
    else if (error == ENOBUFS || error == ETOOMANYREFS) {
        watch_want(&c->watch, WATCH_READ);
        timer_set(&c->again, AGAIN_MS);
    } else
        channel_drop(c, error == EPIPE || error == ECONNRESET ? NULL : strerror(error));
    return false;
}

void channel_flush(channel *c)
{
    while (c->fd >= 0 && c->first && c->first->frame.n > 0) {
        channel_packet *p = c->first;
        if (packet_send(c->fd, p) < 0) {
            if (may_go_on(c, errno))
                continue;
            return;
        }
        c->queued_bytes -= p->frame.n;
        c->first = p->next;
        if (c->first == NULL)
            c->last = &c->first;
        packet_free(p);
    }
    watch_want(&c->watch, WATCH_READ);
}

static const talk_row *row_find(const talk *t, uint16_t type)
{
    for (size_t i = 0; i < t->row_count; i++)
        if (t->rows[i].type == type)
            return &t->rows[i];
    return NULL;
}

static size_t descriptors_take(struct msghdr *m, int *fds, size_t max)
{
    size_t n = 0;
    for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h; h = CMSG_NXTHDR(m, h)) {
        if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(h) + i * sizeof fd, sizeof fd);
            if (n < max)
                fds[n++] = fd;
            else
                close(fd);
        }
    }
    return n;
}

/* One frame from the front of *bytes. False: the packet is wrong from here on. */
static bool frame_dispatch(channel *c, str *bytes, int *fds, size_t fd_count, size_t *fd_at)
{
    frame_head head;
    if (bytes->n < sizeof head)
        return false;
    memcpy(&head, bytes->p, sizeof head);
    *bytes = str_from(*bytes, sizeof head);
    const talk_row *row = row_find(c->talk, head.type);
    if (row == NULL || head.bytes > bytes->n || head.bytes > CHANNEL_FRAME_MAX || head.fd_count > fd_count - *fd_at ||
        head.fd_count < row->fds_min || head.fd_count > row->fds_max || head.fd_count > CHANNEL_FDS_MAX)
        return false;
    received r = { .ref = head.ref, .bytes = str_upto(*bytes, head.bytes), .fd_count = head.fd_count };
    *bytes = str_from(*bytes, head.bytes);
    for (size_t i = 0; i < r.fd_count; i++) {
        r.fds[i] = fds[*fd_at];
        fds[(*fd_at)++] = -1;
    }
    bool is_good = row->handle(c->context, c, &r);
    for (size_t i = 0; i < r.fd_count; i++)
        if (r.fds[i] >= 0)
            close(r.fds[i]);
    return is_good;
}

static void packet_dispatch(channel *c, str bytes, int *fds, size_t fd_count)
{
    size_t fd_at = 0;
    bool is_good = true;
    while (is_good && bytes.n > 0 && c->fd >= 0)
        is_good = frame_dispatch(c, &bytes, fds, fd_count, &fd_at);
    bool is_stray = is_good && c->fd >= 0 && fd_at < fd_count;
    for (size_t i = 0; i < fd_count; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    if (!is_good || is_stray)
        channel_drop(c, is_stray ? "a descriptor without a frame" : "a frame that is not permitted or not whole");
}

bool channel_receive(channel *c)
{
    unsigned char *bytes = scratch;
    control_bytes control;
    int fds[253];
    if (c->fd < 0)
        return false;
    struct iovec room = { bytes, PACKET_BYTES };
    struct msghdr m = {
        .msg_iov = &room, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes
    };
    ssize_t n = recvmsg(c->fd, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    size_t fd_count = n >= 0 ? descriptors_take(&m, fds, COUNT_OF(fds)) : 0;
    if (n <= 0) {
        while (fd_count)
            close(fds[--fd_count]);
        channel_drop(c, NULL);
        return false;
    }
    if (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
        while (fd_count)
            close(fds[--fd_count]);
        channel_drop(c, "a packet that was cut");
        return false;
    }
    packet_dispatch(c, (str){ (char *)bytes, (size_t)n }, fds, fd_count);
    secret_wipe(bytes, (size_t)n);
    return true;
}

static void on_ready(void *context, unsigned ready)
{
    channel *c = context;
    if (ready & WATCH_WRITE)
        channel_flush(c);
    if (ready & WATCH_READ)
        (void)channel_receive(c);
}

void channel_open(channel *c, loop *l, int fd, const talk *t, void *context)
{
    *c = (channel){ .loop = l, .fd = fd, .talk = t, .context = context };
    c->last = &c->first;
    watch_open(&c->watch, l, fd, on_ready, c);
    timer_open(&c->again, l, flush_task, c);
    watch_want(&c->watch, WATCH_READ);
}

void channel_rest(void)
{
    free(spare);
    spare = NULL;
    madvise(scratch, sizeof scratch, MADV_DONTNEED);
}

bool channel_pair(int out[2])
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, out) == 0;
}
