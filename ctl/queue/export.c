/* postrider queue export: whole messages with their state into one file (archive.h), which is durable before it is said. Runs in:
 * postrider, as root. */
#include "base/clock.h"
#include "ctl/queue/archive.h"
#include "ctl/queue/queue.h"
#include "os/fd.h"
#include "os/file.h"
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

typedef struct exporting {
    queue_filter filter;
    bool is_json;
    const char *path; /* NULL: to the output */
    archive_writer writer;
    progress progress;
    tally *tally;
    fault fault;
} exporting;

static void entry_put(void *context, const queue_entry *e)
{
    exporting *x = context;
    progress_add(&x->progress, 1);
    if (is_fault(x->fault))
        return;
    if (is_fault(e->fault)) {
        tally_refused(x->tally, e->id, str_c(e->fault.text));
        return;
    }
    x->fault = archive_put(&x->writer, e->place, e->id, e->fd);
    x->tally->changed += !is_fault(x->fault);
}

static fault archive_make(queue_view *v, exporting *x, int fd, const selection *s)
{
    size_t found = 0;
    fault f = archive_begin(&x->writer, fd, v->config->myhostname, clock_s());
    x->progress = progress_begin("export", s->ids.n);
    if (!is_fault(f))
        f = queue_view_files(v, s->ids.p, s->ids.n, entry_put, x, &found);
    progress_end(&x->progress);
    if (!is_fault(f))
        f = is_fault(x->fault) ? x->fault : archive_end(&x->writer);
    archive_free(&x->writer);
    if (found < s->ids.n && !is_fault(f)) {
        fprintf(stderr, "postrider %s: %zu of the messages are not in the queue\n", x->tally->in->name,
                s->ids.n - found);
        x->tally->status = EX_DATAERR;
    }
    return f;
}

/* A part of an export is of no use to anybody. */
static fault file_make(queue_view *v, exporting *x, const selection *s)
{
    int fd = open(x->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return fault_errno("create %s", x->path);
    fault f = archive_make(v, x, fd, s);
    if (!is_fault(f) && fsync(fd) != 0)
        f = fault_errno("make %s durable", x->path);
    if (is_fault(f))
        unlink(x->path);
    fd_close(&fd);
    return f;
}

static fault chosen_export(queue_view *v, exporting *x)
{
    selection s;
    fault f = selection_take(&s, v, x->tally->in, &x->filter, true);
    if (s.wrong)
        x->tally->status = EX_DATAERR;
    if (!is_fault(f))
        f = x->path ? file_make(v, x, &s) : archive_make(v, x, STDOUT_FILENO, &s);
    selection_free(&s);
    return f;
}

int queue_export(invocation *in)
{
    tally t = { .in = in };
    exporting x = { .tally = &t };
    const option_row rows[] = { FILTER_OPTIONS(x.filter), { "json", 'j', &x.is_json, NULL } };
    queue_view v;
    int status;
    if (!options_take(in, rows, COUNT_OF(rows), 1, 1000000))
        return EX_USAGE;
    x.path = strcmp(in->argv[0], "-") == 0 ? NULL : in->argv[0];
    in->argc--;
    in->argv++;
    if (x.path == NULL && isatty(STDOUT_FILENO)) {
        fputs("postrider queue export: mail is not written to a terminal: name a file\n", stderr);
        return EX_USAGE;
    }
    if (queue_begin(in, &x.filter, false, VIEW_LOOK, &v, &status))
        status = queue_fault(in, chosen_export(&v, &x));
    queue_view_close(&v);
    if (status == EXIT_DONE && x.path)
        tally_print(&t, "export", x.is_json);
    return status ? status : t.status;
}
