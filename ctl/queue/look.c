/* postrider queue show, cat: one message after the other, by its id or, for any file of the format, by its path. Runs in:
 * postrider. */
#include "base/clock.h"
#include "ctl/queue/queue.h"
#include "os/file.h"
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

typedef struct showing {
    bool is_json;
    uint64_t now_s;
    fault fault; /* of the content */
} showing;

static void entry_show(void *context, const queue_entry *e)
{
    showing *s = context;
    if (s->is_json)
        queue_json_print(e);
    else
        queue_entry_print(e, s->now_s);
}

/* As it is in the file: with what was added in front, lines ending in CRLF. */
static void content_show(void *context, const queue_entry *e)
{
    static char piece[64 * 1024];
    const queue_head *h = &e->file.head;
    showing *s = context;
    s->fault = e->fault;
    for (uint64_t done = 0; done < h->content_bytes && !is_fault(s->fault);) {
        uint64_t left = h->content_bytes - done;
        size_t wanted = left < sizeof piece ? (size_t)left : sizeof piece, got;
        if (!file_pread_all(e->fd, piece, wanted, (off_t)(h->content_offset + done), &got) || got == 0)
            s->fault = fault_errno("read the queue file");
        else
            fwrite(piece, 1, got, stdout);
        done += got;
    }
}

static fault file_look(const char *path, queue_entry_fn *each, showing *s)
{
    queue_entry e = { .place = QUEUE_CORRUPT };
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return fault_errno("open %s", path);
    arena a = arena_new(0);
    queue_entry_read(fd, &a, &e);
    e.id = e.file.head.id;
    if (!is_fault(e.fault))
        each(s, &e);
    arena_free(&a);
    close(fd);
    return e.fault;
}

static fault id_look(queue_view *v, str name, queue_entry_fn *each, showing *s)
{
    uint64_t id;
    size_t count = 0;
    fault f = queue_id_read(name, &id) ? queue_view_files(v, &id, 1, each, s, &count) : NO_FAULT;
    if (!is_fault(f) && count == 0)
        f = fault_make(FAULT_REFUSED, "5.1", "no such message: %.*s", STR_ARG(str_upto(name, 80)));
    return f;
}

static int look(invocation *in, queue_entry_fn *each, showing *s)
{
    queue_view v;
    int status;
    bool is_open = queue_begin(in, NULL, true, VIEW_LOOK, &v, &status);
    for (int i = 0; i < in->argc && is_open; i++) {
        const char *name = in->argv[i];
        s->fault = NO_FAULT;
        fault f = strchr(name, '/') ? file_look(name, each, s) : id_look(&v, str_c(name), each, s);
        int one = queue_fault(in, is_fault(f) ? f : s->fault);
        status = one ? one : status;
    }
    queue_view_close(&v);
    return status;
}

int queue_show(invocation *in)
{
    showing s = { .now_s = clock_s() };
    const option_row rows[] = { { "json", 'j', &s.is_json, NULL } };
    return options_take(in, rows, COUNT_OF(rows), 1, 100000) ? look(in, entry_show, &s) : EX_USAGE;
}

int queue_cat(invocation *in)
{
    showing s = { 0 };
    return options_take(in, NULL, 0, 1, 100000) ? look(in, content_show, &s) : EX_USAGE;
}
