#include "db/table.h"
#include "base/clock.h"
#include "db/table_type.h"
#include <sys/stat.h>

enum { CHECK_EVERY_MS = 1000 };

typedef struct file_mark {
    dev_t device;
    ino_t inode;
    off_t bytes;
    struct timespec modified, changed;
    uid_t owner;
    bool is_there;
} file_mark;

struct table {
    arena arena;
    const table_type *type;
    table_origin from;
    void *state; /* NULL: not open */
    fault fault; /* why not */
    file_mark mark;
    uint64_t checked_ms;
    bool is_suspect; /* a look-up failed: open it again */
};

/* Where the file is seen from within this process's root; NULL: it has none, or not any more. */
static const char *path_now(const table *t)
{
    str path = str_c(t->from.path), root = t->from.context->root;

    if (path.p == NULL || root.n <= 1)
        return path.p;
    bool is_below = str_starts(path, root) && (root.p[root.n - 1] == '/' || path.p[root.n] == '/');
    return is_below ? path.p + root.n - (root.p[root.n - 1] == '/') : NULL;
}

static bool mark_read(const char *path, file_mark *out)
{
    struct stat st;

    if (stat(path, &st))
        return false;
    *out = (file_mark){ .device = st.st_dev, .inode = st.st_ino, .bytes = st.st_size, .modified = st.st_mtim,
                        .changed = st.st_ctim, .owner = st.st_uid, .is_there = true };
    return true;
}

static bool time_equal(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool mark_equal(const file_mark *a, const file_mark *b)
{
    return a->device == b->device && a->inode == b->inode && a->bytes == b->bytes &&
           time_equal(a->modified, b->modified) && time_equal(a->changed, b->changed);
}

static void state_close(table *t)
{
    if (t->state)
        t->type->close(t->state);
    t->state = NULL;
}

fault table_reopen(table *t)
{
    const char *path = path_now(t);
    table_origin from = t->from;

    if (t->from.path && path == NULL)
        return NO_FAULT; /* out of this process's reach: what was opened stays */
    state_close(t);
    t->is_suspect = false;
    t->mark = (file_mark){ 0 };
    t->fault = NO_FAULT;
    /* Marked before it is opened: a file that is replaced between the two is then noticed at the next look. */
    if (path && !mark_read(path, &t->mark))
        t->fault = fault_errno("%.*s: %s", STR_ARG(str_upto(t->from.spec, 100)), path);
    from.path = path;
    if (!is_fault(t->fault))
        t->fault = t->type->open(&from, &t->state);
    return t->fault;
}

bool table_changed(table *t)
{
    const char *path = path_now(t);
    file_mark mark;

    t->checked_ms = clock_monotonic_ms();
    if (path == NULL)
        return false;
    return t->state == NULL || t->is_suspect || !mark_read(path, &mark) || !mark_equal(&mark, &t->mark);
}

static fault name_check(const table_type *type, str spec, str name)
{
    if (str_has(spec, '\0') || name.n == 0 || spec.n > 64 * 1024)
        return fault_make(FAULT_REFUSED, "3.5", "%.*s: not the name of a table", STR_ARG(str_upto(spec, 100)));
    if (type->suffix && (name.p[0] != '/' || name.n > 4000))
        return fault_make(FAULT_REFUSED, "3.5", "%.*s: the name must be an absolute path",
                          STR_ARG(str_upto(spec, 100)));
    return NO_FAULT;
}

fault table_open(str spec, const table_context *context, table **out)
{
    static const table_context none = { 0 };
    const table_type *type;
    str name;

    *out = NULL;
    fault f = table_spec_split(spec, context, &type, &name);
    if (!is_fault(f))
        f = name_check(type, spec, name);
    if (is_fault(f))
        return f;

    table *t = memory_get(sizeof *t);
    t->type = type;
    t->from.context = context ? context : &none;
    t->from.name = arena_copy(&t->arena, name);
    t->from.spec = arena_printf(&t->arena, "%.*s:%.*s", STR_ARG(type->name), STR_ARG(name));
    if (type->suffix)
        t->from.path = arena_printf(&t->arena, "%.*s%s", STR_ARG(name), type->suffix).p;
    f = table_reopen(t);
    t->checked_ms = clock_monotonic_ms();
    if (f.kind == FAULT_REFUSED) {
        table_close(t);
        return f;
    }
    *out = t;
    return f;
}

void table_close(table *t)
{
    if (t == NULL)
        return;
    state_close(t);
    arena_free(&t->arena);
    free(t);
}

static table_result failed(table *t, fault f, table_answer *out)
{
    out->fault = fault_make(FAULT_TRY_LATER, "3.0", "%s", f.text);
    out->value = STR_NONE;
    t->is_suspect = t->type->build != NULL;
    return TABLE_FAILED;
}

static table_result look_up(table *t, str key, arena *mem, table_answer *out)
{
    *out = (table_answer){ .fault = NO_FAULT };
    if (clock_monotonic_ms() - t->checked_ms >= CHECK_EVERY_MS && table_changed(t))
        table_reopen(t);
    if (t->state == NULL)
        return failed(t, t->fault, out);
    if (key.p == NULL)
        return TABLE_ABSENT;
    table_result r = t->type->find(t->state, t->type->is_pattern ? key : key_fold(key, mem), mem, out);
    return r == TABLE_FAILED ? failed(t, out->fault, out) : r;
}

table_result table_find(table *t, str key, arena *mem, table_answer *out)
{
    bool is_key = key.n > 0 && key.n <= TABLE_KEY_MAX && !str_has(key, '\0');
    return look_up(t, is_key ? key : STR_NONE, mem, out);
}

table_result table_match(table *t, str text, arena *mem, table_answer *out)
{
    if (!t->type->is_pattern)
        return table_find(t, text, mem, out);
    return look_up(t, text.p ? text : STR(""), mem, out);
}

fault table_list(table *t, table_each *each, void *context)
{
    if (t->type->list == NULL)
        return fault_make(FAULT_REFUSED, "3.3", "%.*s: tables of this type cannot be listed", STR_ARG(t->type->name));
    return t->state ? t->type->list(t->state, each, context) : t->fault;
}

static bool is_separator(char c)
{
    return c == ' ' || c == '\t' || c == ',' || c == '\r' || c == '\n';
}

bool table_word_next(str *rest, str *out)
{
    size_t n = 0, level = 0;

    while (rest->n && is_separator(rest->p[0]))
        *rest = str_from(*rest, 1);
    for (; n < rest->n && (level || !is_separator(rest->p[n])); n++) {
        level += rest->p[n] == '{';
        level -= level && rest->p[n] == '}';
    }
    *out = str_upto(*rest, n);
    *rest = str_from(*rest, n);
    return n > 0;
}

str table_name(const table *t)
{
    return t->from.spec;
}

const char *table_path(const table *t)
{
    return t->from.path;
}

bool table_owner(const table *t, uid_t *out)
{
    *out = t->mark.owner;
    return t->mark.is_there;
}

bool table_is_pattern(const table *t)
{
    return t->type->is_pattern;
}

table *table_pool_get(const table_pool *pool, str spec)
{
    const table_type *type;
    str name;

    if (is_fault(table_spec_split(spec, pool->context, &type, &name)))
        return NULL;
    for (size_t i = 0; i < pool->tables.n; i++) {
        table *t = pool->tables.p[i];
        if (t->type == type && str_equal(t->from.name, name))
            return t;
    }
    return NULL;
}

fault table_pool_open(table_pool *pool, str spec, table **out)
{
    *out = table_pool_get(pool, spec);
    if (*out)
        return (*out)->fault;
    fault f = table_open(spec, pool->context, out);
    if (*out)
        *vec_add(&pool->tables) = *out;
    return f;
}

void table_pool_free(table_pool *pool)
{
    for (size_t i = 0; i < pool->tables.n; i++)
        table_close(pool->tables.p[i]);
    vec_free(&pool->tables);
}
