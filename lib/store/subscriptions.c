/* The file "subscriptions", as Dovecot has it: version 2 begins with "V\t2" and an empty line and parts levels by
 * TAB; version 1 has Maildir++ names, parted by dots, from the first line on. A file keeps its version. Levels are
 * modified UTF-7. */
#include "os/file.h"
#include "store/internal.h"
#include "store/mailbox_name.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#define FILE_NAME "subscriptions"
#define FILE_HEAD "V\t2\n\n"

enum { FILE_BYTES_MAX = 1 << 20 };

typedef struct list {
    buf text;
    bool is_old; /* version 1 */
    str rows;
} list;

static fault list_load(store *s, list *out)
{
    *out = (list){ .text = buf_new(FILE_BYTES_MAX) };
    fault f = file_read(s->dirfd, FILE_NAME, &out->text);
    if (is_fault(f) && errno == ENOENT)
        f = NO_FAULT;
    out->rows = buf_str(&out->text);
    out->is_old = out->rows.n && !str_starts(out->rows, STR("V\t"));
    if (!out->is_old && out->rows.n)
        out->rows = str_from(out->rows, str_find(out->rows, '\n') + 1);
    return f;
}

/* A row from and to the folder's form ".A.B", which is canonical and has no TAB. */
static void row_to_folder(str row, buf *folder)
{
    buf_clear(folder);
    if (str_equal_nocase(row, STR("INBOX")))
        return;
    buf_append_char(folder, '.');
    for (size_t i = 0; i < row.n; i++)
        buf_append_char(folder, row.p[i] == '\t' ? '.' : row.p[i]);
}

static void folder_to_row(str folder, bool is_old, buf *row)
{
    if (folder.n == 0)
        buf_append(row, STR("INBOX"));
    for (size_t i = 1; i < folder.n; i++)
        buf_append_char(row, folder.p[i] == '.' && !is_old ? '\t' : folder.p[i]);
}

static int by_name(const void *a, const void *b)
{
    return str_compare(*(const str *)a, *(const str *)b);
}

fault store_subscriptions(store *s, arena *a, str **out, size_t *n_out)
{
    list l;
    str row;
    VEC(str) names = { 0 };
    buf folder = buf_new(1024), name = buf_new(2048);
    fault f = list_load(s, &l);

    while (!is_fault(f) && str_cut(&l.rows, '\n', &row)) {
        row_to_folder(row, &folder);
        buf_clear(&name);
        if (row.n == 0)
            continue;
        if (folder.n == 0)
            buf_append(&name, STR("INBOX"));
        else if (!mailbox_name_from_folder(buf_str(&folder), &name))
            continue;
        *vec_add(&names) = arena_copy(a, buf_str(&name));
    }
    if (names.n)
        qsort(names.p, names.n, sizeof *names.p, by_name);
    *out = ARENA_ARRAY(a, str, names.n + 1);
    *n_out = 0;
    for (size_t i = 0; i < names.n; i++)
        if (i == 0 || !str_equal(names.p[i], names.p[i - 1]))
            (*out)[(*n_out)++] = names.p[i];
    vec_free(&names);
    buf_free(&folder);
    buf_free(&name);
    buf_free(&l.text);
    return f;
}

/* The file without this row, and with it at the end when it is to be there. */
static void list_rewrite(const list *l, str own, bool is_subscribed, buf *out)
{
    str rest = l->rows, row;

    if (!l->is_old)
        buf_append(out, STR(FILE_HEAD));
    while (str_cut(&rest, '\n', &row)) {
        if (row.n == 0 || str_equal(row, own))
            continue;
        buf_append(out, row);
        buf_append_char(out, '\n');
    }
    if (is_subscribed) {
        buf_append(out, own);
        buf_append_char(out, '\n');
    }
}

fault store_subscribe(store *s, str name, bool is_subscribed)
{
    list l = { 0 };
    buf canonical = buf_new(MAILBOX_NAME_MAX + 64), folder = buf_new(4 * MAILBOX_NAME_MAX), row = buf_new(1024);
    buf text = buf_new(FILE_BYTES_MAX);
    fault f = name_canonical(name, &canonical, &folder);

    if (!is_fault(f))
        f = list_load(s, &l);
    if (!is_fault(f)) {
        folder_to_row(buf_str(&folder), l.is_old, &row);
        list_rewrite(&l, buf_str(&row), is_subscribed, &text);
        if (text.overflow)
            f = fault_make(FAULT_REFUSED, "2.0", "too many subscriptions");
    }
    if (!is_fault(f))
        f = file_replace(s->dirfd, FILE_NAME, buf_str(&text), (file_owner){ .mode = MAIL_FILE_MODE });
    buf_free(&canonical);
    buf_free(&folder);
    buf_free(&row);
    buf_free(&text);
    buf_free(&l.text);
    return f;
}
