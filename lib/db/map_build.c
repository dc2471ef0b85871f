#include "db/map_build.h"
#include "db/table_type.h"
#include "os/fd.h"
#include "os/file.h"
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* One index: where it is, and what it is made from. */
typedef struct place {
    arena arena;
    const table_type *type;
    const char *source, *index;
} place;

static fault place_find(str spec, const table_context *context, place *out)
{
    str name;

    *out = (place){ 0 };
    fault f = table_spec_split(spec, context, &out->type, &name);
    if (is_fault(f))
        return f;
    if (out->type->suffix && (name.n == 0 || name.p[0] != '/' || str_has(name, '\0')))
        return fault_make(FAULT_REFUSED, "3.5", "%.*s: the name must be an absolute path",
                          STR_ARG(str_upto(spec, 100)));
    out->source = arena_c(&out->arena, name);
    out->index = arena_printf(&out->arena, "%.*s%s", STR_ARG(name), out->type->suffix ? out->type->suffix : "").p;
    return NO_FAULT;
}

static fault indexed_only(const place *p)
{
    if (p->type->build)
        return NO_FAULT;
    return fault_make(FAULT_REFUSED, "3.5", "tables of type %.*s are read from their text: there is nothing to build",
                      STR_ARG(p->type->name));
}

/* Owner and mode of the source; the time of the source too, so that a source that is edited meanwhile counts as newer.
 */
static fault finish(int fd, const struct stat *source, const char *path)
{
    const struct timespec times[] = { source->st_mtim, source->st_mtim };

    if (geteuid() == 0 && fchown(fd, source->st_uid, source->st_gid) != 0)
        return fault_errno("%s: cannot set the owner", path);
    if (fchmod(fd, source->st_mode & 0777) != 0 || futimens(fd, times) != 0)
        return fault_errno("%s: cannot set mode and time", path);
    return fsync(fd) == 0 ? NO_FAULT : fault_errno("%s: cannot be made durable", path);
}

static fault put_in_place(place *p, const char *temporary)
{
    size_t slash = str_find_last(str_c(p->index), '/');

    if (rename(temporary, p->index) != 0)
        return fault_errno("cannot rename %s", temporary);
    str folder = arena_copy(&p->arena, str_upto(str_c(p->index), slash ? slash : 1));
    return file_sync_folder(AT_FDCWD, folder.p) ? NO_FAULT : fault_errno("%s: cannot be made durable", folder.p);
}

static fault write_index(place *p, const struct stat *source, const source_entry *rows, size_t n)
{
    str temporary = arena_printf(&p->arena, "%s.XXXXXX", p->index);
    int fd = mkostemp((char *)(uintptr_t)temporary.p, O_CLOEXEC);
    if (fd < 0)
        return fault_errno("cannot create %s", temporary.p);

    fault f = p->type->build(temporary.p, rows, n);
    if (!is_fault(f))
        f = finish(fd, source, temporary.p);
    if (!is_fault(f))
        f = put_in_place(p, temporary.p);
    if (is_fault(f))
        unlink(temporary.p);
    fd_close(&fd);
    return f;
}

static fault source_load(const char *path, buf *out, struct stat *out_stat)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return fault_errno("cannot open %s", path);

    fault f = NO_FAULT;
    if (fstat(fd, out_stat) != 0)
        f = fault_errno("%s", path);
    else if (!S_ISREG(out_stat->st_mode))
        f = fault_make(FAULT_REFUSED, "3.5", "%s is not a regular file", path);
    else
        f = file_read_fd(fd, out);
    fd_close(&fd);
    return f;
}

static fault build(place *p, source_format format, problems *ps, size_t *out_count)
{
    buf text = buf_new(TABLE_FILE_MAX);
    source_list rows = { 0 };
    struct stat st;
    fault f = source_load(p->source, &text, &st);

    if (!is_fault(f)) {
        size_t errors = ps->error_count;
        source_read(arena_copy(ps->arena, str_c(p->source)), buf_str(&text), format, &p->arena, &rows, ps);
        if (ps->error_count > errors)
            f = fault_make(FAULT_REFUSED, "3.5", "%s has mistakes: %s stays as it was", p->source, p->index);
    }
    if (!is_fault(f))
        f = write_index(p, &st, rows.rows.p, rows.rows.n);
    *out_count = is_fault(f) ? 0 : rows.rows.n;
    source_free(&rows);
    buf_free(&text);
    return f;
}

fault map_build(str spec, source_format format, const table_context *context, problems *ps, size_t *out_count)
{
    place p;
    *out_count = 0;
    fault f = place_find(spec, context, &p);
    if (!is_fault(f))
        f = indexed_only(&p);
    if (!is_fault(f))
        f = build(&p, format, ps, out_count);
    arena_free(&p.arena);
    return f;
}

static bool is_newer(const struct stat *a, const struct stat *b)
{
    if (a->st_mtim.tv_sec != b->st_mtim.tv_sec)
        return a->st_mtim.tv_sec > b->st_mtim.tv_sec;
    return a->st_mtim.tv_nsec > b->st_mtim.tv_nsec;
}

fault map_is_stale(str spec, const table_context *context, bool *out)
{
    struct stat source, index;
    place p;
    fault f = place_find(spec, context, &p);

    *out = false;
    if (!is_fault(f) && p.type->build) {
        bool has_source = stat(p.source, &source) == 0;
        bool has_index = stat(p.index, &index) == 0;
        *out = !has_index || (has_source && is_newer(&source, &index));
    }
    arena_free(&p.arena);
    return f;
}

fault map_query(str spec, str key, const table_context *context, arena *mem, table_result *out, table_answer *answer)
{
    table *t;
    fault f = table_open(spec, context, &t);

    *answer = (table_answer){ .fault = f };
    *out = TABLE_FAILED;
    if (!is_fault(f)) {
        *out = table_find(t, key, mem, answer);
        f = *out == TABLE_FAILED ? answer->fault : NO_FAULT;
    }
    table_close(t);
    return f;
}

/* Entries of a table, kept to be sorted or written elsewhere. */
typedef struct kept {
    arena arena;
    VEC(source_entry) rows;
} kept;

static bool keep(void *context, str key, str value)
{
    kept *k = context;
    source_entry e = { arena_copy(&k->arena, key), arena_copy(&k->arena, value), (unsigned)k->rows.n + 1 };
    *vec_add(&k->rows) = e;
    return true;
}

static int compare(const void *a, const void *b)
{
    return str_compare(((const source_entry *)a)->key, ((const source_entry *)b)->key);
}

static void kept_free(kept *k)
{
    vec_free(&k->rows);
    arena_free(&k->arena);
}

static fault read_all(str spec, const table_context *context, kept *out)
{
    table *t;
    fault f = table_open(spec, context, &t);

    *out = (kept){ 0 };
    if (!is_fault(f))
        f = table_list(t, keep, out);
    table_close(t);
    if (!is_fault(f) && out->rows.n)
        qsort(out->rows.p, out->rows.n, sizeof *out->rows.p, compare);
    return f;
}

fault map_dump(str spec, const table_context *context, buf *out)
{
    kept k;
    fault f = read_all(spec, context, &k);

    for (size_t i = 0; i < k.rows.n && !is_fault(f); i++)
        if (!buf_printf(out, "%.*s\t%.*s\n", STR_ARG(k.rows.p[i].key), STR_ARG(k.rows.p[i].value)))
            f = fault_make(FAULT_REFUSED, "3.4", "the table has more than %zu bytes", out->max);
    kept_free(&k);
    return f;
}

fault map_convert(str from, str to, const table_context *context, size_t *out_count)
{
    place source, target;
    struct stat st;
    kept k = { 0 };
    fault f = place_find(from, context, &source), g = place_find(to, context, &target);

    *out_count = 0;
    f = is_fault(f) ? f : g;
    if (!is_fault(f))
        f = indexed_only(&target);
    if (!is_fault(f))
        f = read_all(from, context, &k);
    if (!is_fault(f) && stat(source.index, &st) != 0)
        f = fault_errno("%s", source.index);
    if (!is_fault(f))
        f = write_index(&target, &st, k.rows.p, k.rows.n);
    *out_count = is_fault(f) ? 0 : k.rows.n;
    kept_free(&k);
    arena_free(&source.arena);
    arena_free(&target.arena);
    return f;
}
