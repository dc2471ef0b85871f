#include "auth/directory.h"
#include "auth/hash.h"
#include "base/log.h"
#include "conf/list.h"
#include <errno.h>
#include <sys/stat.h>

enum { LOOK_MS = 1000, PROBLEMS_LOGGED = 20, DUMMY_MAX = 1024 };

directory directory_new(const char *path, const config *c)
{
    directory d = { .path = path, .config = c, .dummy = buf_new(DUMMY_MAX) };
    hash_dummy(&d.users, &d.dummy);
    return d;
}

void directory_free(directory *d)
{
    users_free(&d->users);
    buf_free(&d->dummy);
}

static bool is_same(const directory_stamp *a, const directory_stamp *b)
{
    return a->exists == b->exists && a->device == b->device && a->inode == b->inode && a->bytes == b->bytes &&
           a->modified.tv_sec == b->modified.tv_sec && a->modified.tv_nsec == b->modified.tv_nsec &&
           a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

/* False: errno says why, and it is not that the file does not exist. */
static bool stamp_take(const char *path, directory_stamp *out)
{
    struct stat s;
    *out = (directory_stamp){ 0 };
    if (stat(path, &s) != 0)
        return errno == ENOENT;
    *out = (directory_stamp){ .exists = true, .device = s.st_dev, .inode = s.st_ino, .bytes = s.st_size,
                              .modified = s.st_mtim, .changed = s.st_ctim };
    return true;
}

static void problems_log(const problems *ps, bool is_kept)
{
    for (size_t i = 0; i < ps->rows.n && i < PROBLEMS_LOGGED; i++)
        log_event(LOG_ERROR, "user-file", LOG_STR("file", ps->rows.p[i].file), LOG_NUM("line", ps->rows.p[i].line),
                  LOG_STR("reason", ps->rows.p[i].text),
                  LOG_C("effect", is_kept ? "the users from before stay" : "the line is left out"));
}

static bool has_place(const user *u)
{
    return u->home.n > 0 || (u->mail.n > 0 && u->mail.p[0] == '/');
}

static const char *flaw_of(const directory *d, const user *u)
{
    if (u->uid < d->config->minimum_uid || u->uid > d->config->maximum_uid)
        return "the uid is not within minimum_uid and maximum_uid";
    if (u->gid == 0)
        return "the gid is 0";
    return has_place(u) ? NULL : "there is neither a home nor a mail folder";
}

static void flaws_log(const directory *d)
{
    size_t logged = 0;
    for (size_t i = 0; i < d->users.rows.n && logged < PROBLEMS_LOGGED; i++) {
        const user *u = d->users.rows.p[i];
        const char *flaw = flaw_of(d, u);
        if (flaw && ++logged)
            log_event(LOG_ERROR, "user-refused", LOG_C("file", d->path), LOG_NUM("line", u->line),
                      LOG_STR("user", u->name), LOG_C("reason", flaw));
    }
}

static void set_take(directory *d, users *next)
{
    users_free(&d->users);
    d->users = *next;
    d->is_loaded = true;
    d->generation++;
    buf_clear(&d->dummy);
    hash_dummy(&d->users, &d->dummy);
    flaws_log(d);
    log_event(LOG_INFO, "users-loaded", LOG_C("file", d->path), LOG_NUM("users", d->users.rows.n));
}

static bool set_load(directory *d)
{
    arena a = arena_new(0);
    problems ps = { .arena = &a };
    users next = { 0 };
    fault f = d->stamp.exists ? users_load(d->path, &next, &ps) : NO_FAULT;
    bool is_kept = d->is_loaded && (is_fault(f) || ps.error_count > 0);
    problems_log(&ps, is_kept);
    if (is_fault(f))
        log_fault(LOG_ERROR, "user-file", f);
    if (is_kept || is_fault(f))
        users_free(&next);
    else
        set_take(d, &next);
    problems_free(&ps);
    arena_free(&a);
    return !is_kept && !is_fault(f);
}

bool directory_refresh(directory *d, uint64_t now_ms, bool at_once)
{
    directory_stamp stamp;
    if (!at_once && d->looked_ms && now_ms - d->looked_ms < LOOK_MS)
        return false;
    bool is_first = d->looked_ms == 0;
    d->looked_ms = now_ms;
    if (!stamp_take(d->path, &stamp)) {
        log_fault(LOG_ERROR, "user-file", fault_errno("%s", d->path));
        return false;
    }
    if (!is_first && is_same(&stamp, &d->stamp))
        return false;
    d->stamp = stamp;
    if (!stamp.exists && d->users.rows.n > 0) {
        log_event(LOG_ERROR, "user-file", LOG_C("file", d->path), LOG_C("reason", "the file is gone"),
                  LOG_C("effect", "the users from before stay"));
        return false;
    }
    return set_load(d);
}

static const user *find_exact(const directory *d, str name)
{
    const user *u = users_find(&d->users, name);
    return u && flaw_of(d, u) == NULL ? u : NULL;
}

const user *directory_find(const directory *d, str name)
{
    if (!user_name_is_valid(name))
        return NULL;
    const user *u = find_exact(d, name);
    size_t at = str_find_last(name, '@');
    if (u || at == name.n || at == 0 || !list_has(d->config->mydestination, str_from(name, at + 1)))
        return u;
    return find_exact(d, str_upto(name, at));
}

str directory_mail(const user *u, arena *a)
{
    if (u->mail.n > 0 && u->mail.p[0] == '/')
        return arena_copy(a, u->mail);
    const char *slash = str_ends(u->home, STR("/")) ? "" : "/";
    str below = u->mail.n > 0 ? u->mail : STR("Maildir");
    return arena_printf(a, "%.*s%s%.*s", STR_ARG(u->home), slash, STR_ARG(below));
}

str directory_dummy(const directory *d)
{
    return buf_str(&d->dummy);
}
