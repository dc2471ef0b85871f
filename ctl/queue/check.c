/* postrider queue check: every file of every folder is read whole. --repair puts right what can be put right, and moves what is
 * damaged to corrupt/, never away. While the suite runs files come and go: then only damaged ones are moved, by qmgr; the
 * rest is for a stopped suite. Runs in: postrider, as root. */
#include "ctl/queue/check_file.h"
#include "base/map.h"
#include "ctl/common/text.h"
#include "os/fd.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct sums {
    uint64_t files, bytes, flaws, mended;
    uint64_t harmless; /* of the flaws that are left: the next start sees to them */
} sums;

typedef struct named_file {
    str name;
    queue_place place;
    uint64_t id;
    char folder[16];
} named_file;

typedef struct checking {
    const invocation *in;
    queue_view *view;
    int queue_fd;
    bool is_json, repairs;
    arena arena;
    VEC(named_file) files;
    map seen; /* ids of whole files */
    sums sums[QUEUE_PLACES];
} checking;

static void folder_list(checking *c, queue_place p, const char *folder)
{
    int fd = openat(c->queue_fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    for (struct dirent *e; d && (e = readdir(d));) {
        named_file f = { .name = arena_copy(&c->arena, str_c(e->d_name)), .place = p };
        bool is_branch = p == QUEUE_DEFERRED && strcmp(folder, "deferred") == 0 && e->d_type == DT_DIR;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 || is_branch)
            continue;
        snprintf(f.folder, sizeof f.folder, "%s", folder);
        if (!queue_id_read(f.name, &f.id))
            f.id = 0;
        *vec_add(&c->files) = f;
    }
    if (d)
        closedir(d);
    else
        fd_close(&fd);
}

/* Names first: what is moved meanwhile is not met twice. */
static void tree_list(checking *c)
{
    static const char branches[] = "0123456789BCDFGHJKLMNPQRSTVWXYZ";
    for (int p = 0; p < QUEUE_PLACES; p++)
        folder_list(c, (queue_place)p, queue_place_name((queue_place)p));
    for (const char *b = branches; *b; b++) {
        char folder[16];
        snprintf(folder, sizeof folder, "deferred/%c", *b);
        folder_list(c, QUEUE_DEFERRED, folder);
    }
}

static bool is_right_folder(const named_file *f)
{
    queue_name name = queue_id_text(f->id);
    if (f->place != QUEUE_DEFERRED)
        return true;
    return strlen(f->folder) == sizeof "deferred/X" - 1 && f->folder[9] == name.text[QUEUE_ID_CHARS - 1];
}

/* Into the folder and under the name that belong to `id`, unless something stands there. */
static bool place_right(const checking *c, int folder_fd, const named_file *f, queue_place to, uint64_t id)
{
    char path[64];
    queue_name n = queue_id_text(id);
    if (to == QUEUE_DEFERRED)
        snprintf(path, sizeof path, "deferred/%c/%s", n.text[QUEUE_ID_CHARS - 1], n.text);
    else
        snprintf(path, sizeof path, "%s/%s", queue_place_name(to), n.text);
    return renameat2(folder_fd, f->name.p, c->queue_fd, path, RENAME_NOREPLACE) == 0;
}

static void on_refused(void *context, str row, int *fds, size_t fd_count)
{
    (void)context, (void)row, (void)fds, (void)fd_count;
}

/* Without its end mark, so never acknowledged, or not yet. */
static bool is_received(const named_file *f, const file_look *l)
{
    return f->place == QUEUE_INCOMING || (f->place == QUEUE_ACTIVE && l->flaw == FLAW_UNFINISHED);
}

/* What was done; NULL: nothing. */
static const char *repair(checking *c, int folder_fd, const named_file *f, const file_look *l)
{
    bool is_running = queue_view_is_running(c->view), is_bad = l->flaw == FLAW_DAMAGED || l->flaw == FLAW_UNFINISHED;
    if (!c->repairs || l->flaw == FLAW_STRANGE || f->place == QUEUE_CORRUPT)
        return NULL;
    if (is_running && is_bad && !is_received(f, l))
        return queue_view_ask(c->view, "quarantine", &f->id, 1, on_refused, NULL).count ? "moved to corrupt" : NULL;
    if (is_running)
        return NULL;
    if (is_received(f, l))
        return unlinkat(folder_fd, f->name.p, 0) == 0 ? "removed" : NULL;
    if (is_bad || l->flaw == FLAW_TWICE)
        return place_right(c, folder_fd, f, QUEUE_CORRUPT, f->id) ? "moved to corrupt" : NULL;
    if (l->flaw == FLAW_MISPLACED)
        return place_right(c, folder_fd, f, f->place, l->id) ? "moved to its place" : NULL;
    if (l->flaw == FLAW_MODE)
        return check_mode_mend(c->queue_fd, folder_fd, f->name.p) ? "mended" : NULL;
    return check_torn_mend(folder_fd, f->name.p) ? "mended" : NULL;
}

static void flaw_say(const checking *c, const named_file *f, const file_look *l, const char *done)
{
    arena a = arena_new(0);
    str path = arena_printf(&a, "%s/%.*s", f->folder, STR_ARG(f->name));
    if (c->is_json) {
        queue_json_line(json_pack("{s:o, s:s, s:s, s:s?}", "file", queue_json_text(path), "flaw", flaw_name(l->flaw),
                                  "text", l->text, "done", done));
    } else {
        text_print(stdout, arena_printf(&a, "%-28.*s %-10s %s%s%s", STR_ARG(path), flaw_name(l->flaw), l->text,
                                        done ? ": " : "", done ? done : ""));
        putchar('\n');
    }
    arena_free(&a);
}

/* Unfinished files, and states that are being written, are how a running suite works. */
static bool is_usual(const checking *c, const named_file *f, const file_look *l)
{
    bool is_at_work =
        queue_view_is_running(c->view) && (l->flaw == FLAW_TORN || (is_received(f, l) && l->flaw != FLAW_STRANGE));
    bool is_stock = !c->repairs && f->place == QUEUE_ACTIVE && is_received(f, l) && l->bytes == 0; /* its message did not come */
    return l->flaw == FLAW_NONE || f->place == QUEUE_CORRUPT || is_at_work || is_stock;
}

static void one_check(checking *c, const named_file *f)
{
    sums *s = &c->sums[f->place];
    int folder_fd = openat(c->queue_fd, f->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    file_look l = check_file(c->queue_fd, folder_fd, f->name.p, f->id);
    if (f->place == QUEUE_INCOMING && l.flaw == FLAW_NONE)
        l = (file_look){ .flaw = FLAW_UNFINISHED, .text = "left behind, never acknowledged", .bytes = l.bytes };
    bool is_whole = l.flaw == FLAW_NONE && f->place != QUEUE_CORRUPT && f->place != QUEUE_INCOMING;
    if (is_whole && !is_right_folder(f))
        l = (file_look){ FLAW_MISPLACED, "in the wrong folder", l.bytes, f->id };
    else if (is_whole && map_put(&c->seen, (str){ (const char *)&f->id, sizeof f->id }, c) &&
             !queue_view_is_running(c->view))
        l = (file_look){ FLAW_TWICE, "the message stands in another folder, too", l.bytes, f->id };
    s->files++;
    s->bytes += l.bytes;
    if (!is_usual(c, f, &l)) {
        const char *done = repair(c, folder_fd, f, &l);
        s->flaws++;
        s->mended += done != NULL;
        s->harmless += done == NULL && is_received(f, &l) && l.flaw == FLAW_UNFINISHED;
        flaw_say(c, f, &l, done);
    }
    fd_close(&folder_fd);
}

static void table_print(const checking *c)
{
    printf("%-10s %8s %8s %8s %8s\n", "folder", "files", "size", "flaws", "repaired");
    for (int p = 0; p < QUEUE_PLACES; p++) {
        const sums *s = &c->sums[p];
        printf("%-10s %8" PRIu64 " %8s %8" PRIu64 " %8" PRIu64 "\n", queue_place_name((queue_place)p), s->files,
               text_bytes(s->bytes).text, s->flaws, s->mended);
    }
}

static void table_json(const checking *c)
{
    for (int p = 0; p < QUEUE_PLACES; p++) {
        const sums *s = &c->sums[p];
        queue_json_line(json_pack("{s:s, s:I, s:I, s:I, s:I}", "folder", queue_place_name((queue_place)p), "files",
                                  (json_int_t)s->files, "bytes", (json_int_t)s->bytes, "flaws", (json_int_t)s->flaws,
                                  "repaired", (json_int_t)s->mended));
    }
}

static int check_run(checking *c)
{
    uint64_t left = 0;
    progress p = progress_begin("check", 0);
    tree_list(c);
    p.total = c->files.n;
    for (size_t i = 0; i < c->files.n; i++) {
        one_check(c, &c->files.p[i]);
        progress_add(&p, 1);
    }
    progress_end(&p);
    for (int i = 0; i < QUEUE_PLACES; i++)
        left += c->sums[i].flaws - c->sums[i].mended - c->sums[i].harmless;
    if (c->is_json)
        table_json(c);
    else
        table_print(c);
    fault f = c->repairs ? queue_tree_sync_all(c->queue_fd) : NO_FAULT;
    return is_fault(f) ? queue_fault(c->in, f) : left ? EX_DATAERR : EXIT_DONE;
}

static int tree_open(checking *c)
{
    arena a = arena_new(0);
    str path = arena_printf(&a, "%.*s/queue", STR_ARG(c->view->config->queue_directory));
    c->queue_fd = open(path.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int error = errno;
    fault f = c->queue_fd >= 0  ? NO_FAULT
              : error == EACCES ? fault_make(FAULT_REFUSED, "7.1", "only root may do that")
                                : fault_errno("open %s", path.p);
    arena_free(&a);
    if (c->queue_fd < 0 && error == ENOENT)
        return EXIT_DONE; /* it never ran: nothing is wrong */
    if (!is_fault(f) && c->repairs && !queue_view_is_running(c->view))
        f = queue_tree_make(c->queue_fd);
    return queue_fault(c->in, f);
}

int queue_check(invocation *in)
{
    queue_view v;
    checking c = { .in = in, .view = &v, .queue_fd = -1 };
    const option_row rows[] = { { "json", 'j', &c.is_json, NULL }, { "repair", 0, &c.repairs, NULL } };
    int status;
    if (!options_take(in, rows, COUNT_OF(rows), 0, 0))
        return EX_USAGE;
    if (queue_begin(in, NULL, true, c.repairs ? VIEW_CHANGE : VIEW_LOOK, &v, &status)) {
        status = tree_open(&c);
        if (c.queue_fd >= 0 && status == EXIT_DONE)
            status = check_run(&c);
    }
    vec_free(&c.files);
    map_free(&c.seen);
    arena_free(&c.arena);
    fd_close(&c.queue_fd);
    queue_view_close(&v);
    return status;
}
