/* postrider queue import: messages of an export into this queue. Everything is verified before anything is brought; each message
 * is durable before it counts. A message that is here already, with its id, is left out, so an import that was cut off can be
 * made again. Runs in: postrider, as root. */
#include "base/clock.h"
#include "base/num.h"
#include "ctl/common/text.h"
#include "ctl/queue/archive.h"
#include "ctl/queue/bring.h"
#include "ctl/queue/queue.h"
#include "ctl/queue/again.h"
#include "os/fd.h"
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct importing {
    bool is_json, is_sure, is_dry, is_requeue;
    int fd;
    archive archive;
    VEC(archive_member) good;
    size_t there;
    tally *tally;
} importing;

/* The member as a file of its own, looked at whole. The caller closes *out_fd. */
static fault member_open(const importing *x, const archive_member *m, arena *a, int *out_fd, queue_message *out)
{
    *out_fd = memfd_create("import", MFD_CLOEXEC);
    if (*out_fd < 0)
        return fault_errno("make a copy");
    fault f = archive_copy(x->fd, m, *out_fd);
    if (!is_fault(f))
        f = queue_read(*out_fd, a, out);
    if (!is_fault(f) && out->head.id != m->id)
        f = fault_make(FAULT_BROKEN, "3.0", "the queue file holds another id than its name");
    return is_fault(f) ? f : queue_content_check(*out_fd, &out->head);
}

static void members_verify(importing *x)
{
    progress p = progress_begin("verify", x->archive.members.n);
    for (size_t i = 0; i < x->archive.members.n; i++) {
        const archive_member *m = &x->archive.members.p[i];
        arena a = arena_new(0);
        queue_message message;
        int fd;
        fault f = member_open(x, m, &a, &fd, &message);
        if (is_fault(f)) {
            tally_refused(x->tally, m->id, str_c(f.text));
            x->tally->status = EX_DATAERR;
        } else {
            *vec_add(&x->good) = *m;
        }
        arena_free(&a);
        fd_close(&fd);
        progress_add(&p, 1);
    }
    progress_end(&p);
}

typedef struct twin {
    const queue_message *of;
    bool is_same;
} twin;

static void twin_look(void *context, const queue_entry *e)
{
    twin *t = context;
    const queue_head *a = &e->file.head, *b = &t->of->head;
    t->is_same = !is_fault(e->fault) && a->arrived_us == b->arrived_us && a->checked_bytes == b->checked_bytes &&
                 a->content_checksum == b->content_checksum;
}

static fault member_bring(queue_view *v, importing *x, const archive_member *m, queue_message *message, arena *a,
                          int fd)
{
    uint64_t id = m->id;
    twin t = { .of = message };
    fault f = queue_view_files(v, &id, 1, twin_look, &t, NULL);
    if (is_fault(f) || t.is_same) {
        x->there += t.is_same;
        return f;
    }
    if (x->is_requeue)
        (void)again_change(NULL, message, a);
    message->envelope.flags &= ~(uint32_t)ENVELOPE_DIRECT; /* nobody else keeps it any more */
    f = queue_bring(v, message, m->place == QUEUE_HOLD ? QUEUE_HOLD : QUEUE_DEFERRED, fd, &id);
    x->tally->changed += !is_fault(f);
    if (!is_fault(f) && id != m->id)
        fprintf(stderr, "postrider %s: %s is %s here\n", x->tally->in->name, queue_id_text(m->id).text,
                queue_id_text(id).text);
    return f;
}

static fault members_bring(queue_view *v, importing *x)
{
    progress p = progress_begin("import", x->good.n);
    fault f = NO_FAULT;
    for (size_t i = 0; i < x->good.n && !is_fault(f); i++) {
        arena a = arena_new(0);
        queue_message message;
        int fd;
        f = member_open(x, &x->good.p[i], &a, &fd, &message);
        if (!is_fault(f))
            f = member_bring(v, x, &x->good.p[i], &message, &a, fd);
        arena_free(&a);
        fd_close(&fd);
        progress_add(&p, 1);
    }
    progress_end(&p);
    return f;
}

static void host_say(const queue_view *v, const importing *x)
{
    if (str_equal_nocase(x->archive.host, v->config->myhostname) || x->is_requeue)
        return;
    fputs("it was made on ", stderr);
    text_print(stderr, x->archive.host);
    fputs(": routes stay as they were looked up there; with --requeue they are looked up here\n", stderr);
}

static fault file_import(queue_view *v, importing *x)
{
    fault f = archive_open(&x->archive, x->fd);
    if (is_fault(f))
        return f;
    members_verify(x);
    host_say(v, x);
    if (x->is_dry || x->good.n == 0 ||
        !confirm(x->tally->in, x->is_sure, &x->tally->status, "bring %zu message%s into the queue", x->good.n,
                 x->good.n == 1 ? "" : "s"))
        return NO_FAULT;
    return members_bring(v, x);
}

static void result_print(const importing *x)
{
    if (x->is_json)
        printf("{\"changed\":%zu,\"good\":%zu,\"refused\":%zu,\"there\":%zu}\n", x->tally->changed, x->good.n,
               x->tally->not_changed, x->there);
    else if (x->is_dry)
        printf("import: %zu message%s would come\n", x->good.n, x->good.n == 1 ? "" : "s");
    else
        tally_print(x->tally, "import", false);
    if (x->there && !x->is_json)
        printf("%zu were here already\n", x->there);
}

int queue_import(invocation *in)
{
    tally t = { .in = in };
    importing x = { .tally = &t };
    const option_row rows[] = { { "json", 'j', &x.is_json, NULL },
                                { "yes", 'y', &x.is_sure, NULL },
                                { "dry-run", 0, &x.is_dry, NULL },
                                { "requeue", 0, &x.is_requeue, NULL } };
    queue_view v;
    int status;
    if (!options_take(in, rows, COUNT_OF(rows), 1, 1))
        return EX_USAGE;
    x.fd = open(in->argv[0], O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (x.fd < 0) {
        queue_fault(in, fault_errno("open %s", in->argv[0]));
        return EX_NOINPUT;
    }
    if (queue_begin(in, NULL, false, x.is_dry ? VIEW_LOOK : VIEW_CHANGE, &v, &status)) {
        status = queue_fault(in, file_import(&v, &x));
        if (t.status != EX_USAGE)
            result_print(&x);
    }
    queue_view_close(&v);
    archive_close(&x.archive);
    vec_free(&x.good);
    fd_close(&x.fd);
    return status ? status : t.status;
}
