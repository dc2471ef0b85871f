/* postrider queue: what is in the queue, and changes to it, whether the suite runs or not. Runs in: postrider. */
#include "ctl/queue.h"
#include "base/clock.h"
#include "ctl/commands.h"
#include "os/file.h"
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

typedef struct showing {
    bool is_json;
    uint64_t now_s;
    size_t count;
    uint64_t bytes;
} showing;

static void line_show(void *context, const queue_entry *e)
{
    showing *s = context;
    if (s->is_json)
        queue_json_print(e);
    else
        queue_line_print(e, s->now_s);
    s->count++;
    s->bytes += e->file.head.content_bytes;
}

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
    fault *out = context;
    *out = e->fault;
    for (uint64_t done = 0; done < h->content_bytes && !is_fault(*out);) {
        uint64_t left = h->content_bytes - done;
        size_t wanted = left < sizeof piece ? (size_t)left : sizeof piece, got;
        if (!file_pread_all(e->fd, piece, wanted, (off_t)(h->content_offset + done), &got) || got == 0)
            *out = fault_errno("read the queue file");
        else
            fwrite(piece, 1, got, stdout);
        done += got;
    }
}

static int list(invocation *in)
{
    showing s = { .now_s = clock_s() };
    const option_row rows[] = { { "json", 'j', &s.is_json, NULL } };
    if (!options_take(in, rows, COUNT_OF(rows), 0, 0))
        return EX_USAGE;
    const config *c = command_config(in, false);
    if (c == NULL)
        return EX_CONFIG;
    queue_looked l = queue_look(c, line_show, &s);
    if (!is_fault(l.fault) && !s.is_json) {
        if (s.count == 0)
            puts("the queue is empty");
        else
            printf("\n%zu message%s, %llu bytes%s\n", s.count, s.count == 1 ? "" : "s", (unsigned long long)s.bytes,
                   l.is_running ? "" : "; the suite does not run");
    }
    return command_fault(in, l.fault);
}

/* A path instead of an id: any queue file, wherever it is. */
static fault file_look(const char *path, queue_entry_fn *each, void *context)
{
    queue_entry e = { .place = QUEUE_CORRUPT };
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return fault_errno("open %s", path);
    arena a = arena_new(0);
    queue_entry_read(fd, &a, &e);
    e.id = queue_id_text(e.file.head.id);
    if (!is_fault(e.fault))
        each(context, &e);
    arena_free(&a);
    close(fd);
    return e.fault;
}

static fault look(const config *c, const char *name, queue_entry_fn *each, void *context)
{
    return strchr(name, '/') ? file_look(name, each, context) : queue_look_one(c, str_c(name), each, context).fault;
}

static int show(invocation *in)
{
    showing s = { .now_s = clock_s() };
    const option_row rows[] = { { "json", 'j', &s.is_json, NULL } };
    if (!options_take(in, rows, COUNT_OF(rows), 1, 10000))
        return EX_USAGE;
    const config *c = command_config(in, false);
    int status = c ? EXIT_DONE : EX_CONFIG;
    for (int i = 0; i < in->argc && c; i++) {
        int one = command_fault(in, look(c, in->argv[i], entry_show, &s));
        status = one ? one : status;
    }
    return status;
}

static int cat(invocation *in)
{
    if (!options_take(in, NULL, 0, 1, 10000))
        return EX_USAGE;
    const config *c = command_config(in, false);
    int status = c ? EXIT_DONE : EX_CONFIG;
    for (int i = 0; i < in->argc && c; i++) {
        fault content = NO_FAULT, f = look(c, in->argv[i], content_show, &content);
        int one = command_fault(in, is_fault(f) ? f : content);
        status = one ? one : status;
    }
    return status;
}

static fault change_one(const config *c, str verb, str id, size_t *out_count)
{
    ask_answer a = ask(c, "queue", verb, id, NULL, NULL);
    *out_count = a.count;
    return a.is_running ? a.fault : queue_change_stopped(c, verb, id, out_count);
}

/* hold, release, delete, flush: the verb is the last word of the command's name. */
static int change(invocation *in)
{
    bool is_json = false;
    const option_row rows[] = { { "json", 'j', &is_json, NULL } };
    str verb = str_from(str_c(in->name), sizeof "queue " - 1);
    bool may_be_all = str_equal(verb, STR("flush"));
    if (!options_take(in, rows, COUNT_OF(rows), may_be_all ? 0 : 1, 100000))
        return EX_USAGE;
    const config *c = command_config(in, false);
    if (c == NULL)
        return EX_CONFIG;
    int status = EXIT_DONE;
    size_t sum = 0;
    for (int i = 0; i < in->argc || i == 0; i++) {
        size_t count = 0;
        int one = command_fault(in, change_one(c, verb, in->argc ? str_c(in->argv[i]) : STR("ALL"), &count));
        status = one ? one : status;
        sum += count;
    }
    if (is_json)
        printf("{\"changed\":%zu}\n", sum);
    else if (status == EXIT_DONE || sum)
        printf("%.*s: %zu message%s\n", STR_ARG(verb), sum, sum == 1 ? "" : "s");
    return status;
}

static const command verbs[] = {
    { "list", "[--json]", "all messages, the oldest first", list },
    { "show", "ID… [--json]", "envelope, recipients and times of a message", show },
    { "cat", "ID…", "the message itself", cat },
    { "hold", "ID…|ALL", "keep from delivery until it is released", change },
    { "release", "ID…|ALL", "deliver what is on hold after all", change },
    { "delete", "ID…|ALL", "remove without a report to anybody", change },
    { "flush", "[ID…|ALL]", "try deferred messages now", change },
};

int command_queue(invocation *in)
{
    in->argc--;
    in->argv++;
    return command_run(verbs, COUNT_OF(verbs), "postrider queue", in);
}
