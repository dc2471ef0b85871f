/* Mailboxes as folders: list, create, delete, rename, status. */
#include "os/fd.h"
#include "os/file.h"
#include "store/internal.h"
#include "store/mailbox_name.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct gathering {
    store *s;
    arena *a;
    VEC(str) names;   /* mailboxes */
    VEC(str) folders; /* theirs */
} gathering;

static void gather_one(void *context, str folder)
{
    gathering *g = context;
    buf name = buf_new(2048), cur = buf_new(512);
    struct stat st;

    if (mailbox_name_from_folder(folder, &name)) {
        buf_printf(&cur, "%.*s/cur", STR_ARG(folder));
        if (fstatat(g->s->dirfd, buf_c(&cur), &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode)) {
            *vec_add(&g->names) = arena_copy(g->a, buf_str(&name));
            *vec_add(&g->folders) = arena_copy(g->a, folder);
        }
    }
    buf_free(&name);
    buf_free(&cur);
}

static fault gather(gathering *g)
{
    return folder_list(g->s->dirfd, ".", LIST_FOLDERS, gather_one, g);
}

static void gathering_free(gathering *g)
{
    vec_free(&g->names);
    vec_free(&g->folders);
}

/* INBOX first, its children next; '/' sorts before anything else, so that children follow their parent. */
static int by_level(str a, str b)
{
    bool a_inbox = str_equal(str_upto(a, str_find(a, '/')), STR("INBOX"));
    bool b_inbox = str_equal(str_upto(b, str_find(b, '/')), STR("INBOX"));
    if (a_inbox != b_inbox)
        return a_inbox ? -1 : 1;
    for (size_t i = 0; i < a.n && i < b.n; i++) {
        unsigned char x = (unsigned char)a.p[i], y = (unsigned char)b.p[i];
        if (x == y)
            continue;
        return x == '/' ? -1 : y == '/' ? 1 : x < y ? -1 : 1;
    }
    return a.n < b.n ? -1 : a.n > b.n;
}

static int by_name(const void *a, const void *b)
{
    const mailbox_entry *x = a, *y = b;
    int order = by_level(x->name, y->name);
    return order ? order : (int)y->is_selectable - (int)x->is_selectable;
}

typedef VEC(mailbox_entry) entries;

static bool is_child(str name, str parent)
{
    return name.n > parent.n && name.p[parent.n] == '/' && str_starts(name, parent);
}

/* Each level above a mailbox, but not those that the neighbour before has given already. */
static void levels_add(entries *e, str name, str before)
{
    for (size_t i = 1; i < name.n; i++)
        if (name.p[i] == '/' &&
            !(before.n >= i && str_starts(before, str_upto(name, i)) && (before.n == i || before.p[i] == '/')))
            *vec_add(e) = (mailbox_entry){ .name = str_upto(name, i) };
}

static void entries_finish(const entries *all, mailbox_entry *out, size_t *n_out)
{
    *n_out = 0;
    for (size_t i = 0; i < all->n; i++) {
        if (*n_out && str_equal(out[*n_out - 1].name, all->p[i].name))
            continue;
        out[(*n_out)++] = all->p[i];
    }
    for (size_t i = 0; i + 1 < *n_out; i++)
        out[i].has_children = is_child(out[i + 1].name, out[i].name);
}

static fault subscriptions_mark(store *s, arena *a, mailbox_entry *out, size_t n)
{
    str *names;
    size_t count;
    fault f = store_subscriptions(s, a, &names, &count);
    for (size_t i = 0; i < n && count && !is_fault(f); i++) {
        size_t low = 0, high = count;
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            int order = str_compare(names[middle], out[i].name);
            out[i].is_subscribed |= order == 0;
            if (order < 0)
                low = middle + 1;
            else
                high = middle;
        }
    }
    return f;
}

fault store_list(store *s, arena *a, mailbox_entry **out, size_t *n_out)
{
    gathering g = { .s = s, .a = a };
    entries all = { 0 };
    fault f = gather(&g);

    *vec_add(&all) = (mailbox_entry){ .name = STR("INBOX"), .is_selectable = true };
    for (size_t i = 0; i < g.names.n; i++)
        *vec_add(&all) = (mailbox_entry){ .name = g.names.p[i], .is_selectable = true };
    qsort(all.p, all.n, sizeof *all.p, by_name);
    size_t real = all.n;
    for (size_t i = 1; i < real; i++) {
        mailbox_entry at = all.p[i], before = all.p[i - 1];
        levels_add(&all, at.name, before.name);
    }
    qsort(all.p, all.n, sizeof *all.p, by_name);
    *out = ARENA_ARRAY(a, mailbox_entry, all.n);
    entries_finish(&all, *out, n_out);
    if (!is_fault(f))
        f = subscriptions_mark(s, a, *out, *n_out);
    vec_free(&all);
    gathering_free(&g);
    return f;
}

bool store_exists(store *s, str name)
{
    int dirfd;
    fault f = folder_open(s, name, &dirfd);
    fd_close(&dirfd);
    return !is_fault(f);
}

fault store_status(store *s, str name, mailbox_status *out)
{
    MDB_txn *t;
    box b;
    box_state state = { 0 };
    record chunk[CHUNK];
    uint32_t number, recent = 0;
    fault f = box_open(s, name, &b);

    if (!is_fault(f))
        f = box_sync(&b, NULL, false);
    if (!is_fault(f))
        f = env_read(&s->index, &t);
    if (!is_fault(f)) {
        (void)index_box_get(t, b.id, &state, NULL);
        for (uint32_t from = state.recent_from / CHUNK;
             state.recent_from < state.uidnext && index_chunk_next(t, b.id, from, &number, chunk); from = number + 1)
            for (uint32_t i = 0; i < CHUNK; i++)
                recent += (chunk[i].state & RECORD_PRESENT) && number * CHUNK + i >= state.recent_from;
        env_read_end(&s->index);
        *out = (mailbox_status){ state.messages, recent, state.unseen, state.uidnext, state.uidvalidity, state.modseq };
    }
    box_close(&b);
    return f;
}

typedef struct renaming { /* in the index */
    store *s;
    str from, to; /* `to` empty: it is forgotten */
    uint32_t id;
} renaming;

static fault renaming_write(MDB_txn *t, void *context)
{
    renaming *r = context;
    uint32_t stale;
    int result = 0;

    if (r->to.n && index_box_find(t, r->to, &stale)) /* another program deleted that one */
        result = index_box_delete(t, stale);
    if (result == 0 && index_box_find(t, r->from, &r->id))
        result = r->to.n ? index_box_rename(t, r->id, r->to) : index_box_delete(t, r->id);
    return env_fault(&r->s->index, result, "write");
}

static fault index_rename(store *s, str from, str to)
{
    renaming r = { .s = s, .from = from, .to = to };
    fault f = store_index(s);
    if (!is_fault(f))
        f = env_write(&s->index, renaming_write, &r);
    if (!is_fault(f))
        f = env_sync(&s->index);
    if (!is_fault(f) && r.id && to.n == 0)
        cache_forget(s, r.id, NULL);
    return f;
}

static fault folder_create(store *s, const char *folder)
{
    int dirfd;
    struct stat st;
    char cur[300];

    snprintf(cur, sizeof cur, "%s/cur", folder);
    if (fstatat(s->dirfd, cur, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return fault_make(FAULT_REFUSED, "2.0", "the mailbox exists already");
    fault f = folder_make(s->dirfd, folder);
    if (is_fault(f))
        return f;
    dirfd = file_open_beneath(s->dirfd, folder, O_RDONLY | O_DIRECTORY, 0);
    f = dirfd < 0 ? disk_fault("create the mailbox") : folder_make_maildir(dirfd, false);
    if (!is_fault(f) && (fsync(dirfd) != 0 || fsync(s->dirfd) != 0))
        f = disk_fault("create the mailbox");
    fd_close(&dirfd);
    return f;
}

static bool has_wildcard(str name)
{
    return str_has(name, '*') || str_has(name, '%');
}

fault store_create(store *s, str name)
{
    box b;
    buf canonical = buf_new(MAILBOX_NAME_MAX + 64), folder = buf_new(4 * MAILBOX_NAME_MAX);

    if (name.n && name.p[name.n - 1] == MAILBOX_DELIMITER)
        name.n--;
    fault f = has_wildcard(name) ? fault_make(FAULT_REFUSED, "2.0", "not a mailbox name")
                                 : name_canonical(name, &canonical, &folder);
    if (!is_fault(f) && folder.n == 0)
        f = fault_make(FAULT_REFUSED, "2.0", "the mailbox exists already");
    if (!is_fault(f))
        f = folder_create(s, buf_c(&folder));
    if (!is_fault(f)) /* the index may know one of this name that another program deleted: no UID is given twice */
        f = index_rename(s, buf_str(&canonical), STR_NONE);
    if (!is_fault(f))
        f = box_open(s, buf_str(&canonical), &b);
    if (!is_fault(f))
        box_close(&b);
    buf_free(&canonical);
    buf_free(&folder);
    return f;
}

fault store_delete(store *s, str name)
{
    buf canonical = buf_new(MAILBOX_NAME_MAX + 64), folder = buf_new(4 * MAILBOX_NAME_MAX);
    fault f = name_canonical(name, &canonical, &folder);

    if (!is_fault(f) && folder.n == 0)
        f = fault_make(FAULT_REFUSED, "2.0", "INBOX cannot be deleted");
    if (!is_fault(f))
        f = trash_move(s, buf_c(&folder));
    if (!is_fault(f) && fsync(s->dirfd) != 0)
        f = disk_fault("delete the mailbox");
    if (!is_fault(f))
        f = index_rename(s, buf_str(&canonical), STR_NONE);
    buf_free(&canonical);
    buf_free(&folder);
    return f;
}

/* RFC 3501 6.3.5: the messages go, INBOX and what is below it stays. */
static fault inbox_rename(store *s, str to)
{
    mailbox *m;
    copy_result copied = { 0 };
    fault f = store_create(s, to);

    if (is_fault(f))
        return f;
    f = mailbox_open(s, STR("INBOX"), false, &m);
    if (is_fault(f))
        return f;
    f = mailbox_copy(m, mailbox_uids(m), to, &copied);
    if (!is_fault(f))
        f = mailbox_expunge(m, &copied.from, false, NULL);
    copy_result_free(&copied);
    mailbox_close(m);
    return f;
}

/* One of the mailboxes that move: `tail` is what stands behind the old name. */
static fault one_rename(store *s, str folder, str from_folder, str to_folder, bool is_trial)
{
    struct stat st;
    buf to = buf_new(2048), from = buf_new(512), to_name = buf_new(2048), from_name = buf_new(2048);
    fault f = NO_FAULT;

    buf_append(&from, folder);
    buf_append(&to, to_folder);
    buf_append(&to, str_from(folder, from_folder.n));
    bool is_name = mailbox_name_from_folder(buf_str(&to), &to_name) && mailbox_name_from_folder(folder, &from_name);
    if (!is_name)
        f = fault_make(FAULT_REFUSED, "2.0", "not a mailbox name");
    else if (fstatat(s->dirfd, buf_c(&to), &st, AT_SYMLINK_NOFOLLOW) == 0)
        f = fault_make(FAULT_REFUSED, "2.0", "the mailbox exists already");
    else if (!is_trial && renameat(s->dirfd, buf_c(&from), s->dirfd, buf_c(&to)) != 0)
        f = disk_fault("rename the mailbox");
    else if (!is_trial)
        f = index_rename(s, buf_str(&from_name), buf_str(&to_name));
    buf_free(&to);
    buf_free(&from);
    buf_free(&to_name);
    buf_free(&from_name);
    return f;
}

static fault tree_rename(store *s, str from_folder, str to_folder)
{
    arena a = arena_new(64 << 20);
    gathering g = { .s = s, .a = &a };
    fault f = gather(&g);
    size_t moved = 0;

    for (unsigned pass = 0; pass < 2 && !is_fault(f); pass++) /* first as a trial, so that all go or none */
        for (size_t i = 0; i < g.folders.n && !is_fault(f); i++) {
            str folder = g.folders.p[i];
            bool is_in =
                str_starts(folder, from_folder) && (folder.n == from_folder.n || folder.p[from_folder.n] == '.');
            if (!is_in)
                continue;
            f = one_rename(s, folder, from_folder, to_folder, pass == 0);
            moved++;
        }
    if (!is_fault(f) && moved == 0)
        f = fault_make(FAULT_REFUSED, "2.0", "no such mailbox");
    if (!is_fault(f) && fsync(s->dirfd) != 0)
        f = disk_fault("rename the mailbox");
    gathering_free(&g);
    arena_free(&a);
    return f;
}

fault store_rename(store *s, str from, str to)
{
    buf name = buf_new(MAILBOX_NAME_MAX + 64), from_folder = buf_new(4 * MAILBOX_NAME_MAX),
        to_folder = buf_new(4 * MAILBOX_NAME_MAX);
    fault f = name_canonical(from, &name, &from_folder);

    if (to.n && to.p[to.n - 1] == MAILBOX_DELIMITER)
        to.n--;
    if (!is_fault(f))
        f = has_wildcard(to) ? fault_make(FAULT_REFUSED, "2.0", "not a mailbox name")
                             : name_canonical(to, &name, &to_folder);
    if (!is_fault(f) && to_folder.n == 0)
        f = fault_make(FAULT_REFUSED, "2.0", "the mailbox exists already");
    if (!is_fault(f))
        f = from_folder.n == 0 ? inbox_rename(s, buf_str(&name))
                               : tree_rename(s, buf_str(&from_folder), buf_str(&to_folder));
    buf_free(&name);
    buf_free(&from_folder);
    buf_free(&to_folder);
    return f;
}
