#include "db/users.h"
#include "base/num.h"
#include "base/secret.h"
#include "db/source.h"
#include "os/fd.h"
#include "os/file.h"
#include "os/lock.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIELDS = 6, NEW_FILE_MODE = 0640, LOCK_MODE = 0600, ID_MAX = INT32_MAX };

bool user_name_is_valid(str name)
{
    if (name.n == 0 || name.n > USER_NAME_MAX || strchr("#-!.\\", name.p[0]))
        return false;
    for (size_t i = 0; i < name.n; i++) {
        unsigned char c = (unsigned char)name.p[i];
        if (c <= ' ' || c == 0x7f || c == ':' || c == '/')
            return false;
    }
    return true;
}

static bool is_field(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == ':' || s.p[i] == 0x7f)
            return false;
    return true;
}

static bool is_path(str s)
{
    return is_field(s) && (s.n == 0 || s.p[0] == '/');
}

static bool id_read(str s, uint32_t *out)
{
    uint64_t id;
    bool is_right = num_parse(s, 0, ID_MAX, &id);
    *out = is_right ? (uint32_t)id : 0;
    return is_right;
}

/* NULL: *out is a user, its texts views into the line; else what is wrong, without the password. */
static const char *line_read(str line, user *out)
{
    str field[FIELDS] = { { 0 } }, rest = line, one;
    size_t n = 0;

    for (; str_cut(&rest, ':', &one); n++)
        if (n < FIELDS)
            field[n] = one;
    if (n != FIELDS)
        return "expected name:{SCHEME}hash:uid:gid:home:mail";
    out->name = field[0];
    out->password = field[1];
    out->home = field[4];
    out->mail = field[5];
    if (!user_name_is_valid(out->name))
        return "the name is not one that a user can have";
    if (!is_field(out->password))
        return "there is a control byte in the password";
    if (!id_read(field[2], &out->uid))
        return "the uid is not a number";
    if (!id_read(field[3], &out->gid))
        return "the gid is not a number";
    if (!is_path(out->home) || !is_field(out->mail))
        return "the home is not an absolute path, or the mail has a control byte";
    return NULL;
}

/* Lines end in LF; the CR of an editor elsewhere does not count. */
static bool line_next_of(str *rest, str *out)
{
    if (rest->n == 0 || !str_cut(rest, '\n', out))
        return false;
    if (out->n && out->p[out->n - 1] == '\r')
        out->n--;
    return true;
}

static bool is_comment(str line)
{
    str text = str_trim(line);
    return text.n == 0 || text.p[0] == '#';
}

static void user_add(str file, const user *u, users *out, problems *ps)
{
    str key = key_fold(u->name, &out->arena);
    const user *before = map_get(&out->by_name, key);

    if (before) {
        problem_error(ps, file, u->line, "user %.*s stands in line %u already", STR_ARG(str_upto(u->name, 100)),
                      before->line);
        return;
    }
    user *kept = ARENA_NEW(&out->arena, user);
    *kept = *u;
    kept->name = arena_copy(&out->arena, u->name);
    kept->password = arena_copy(&out->arena, u->password);
    kept->home = arena_copy(&out->arena, u->home);
    kept->mail = arena_copy(&out->arena, u->mail);
    map_put(&out->by_name, key, kept);
    *vec_add(&out->rows) = kept;
}

void users_read(str file, str text, users *out, problems *ps)
{
    unsigned number = 0;
    str line;

    *out = (users){ 0 };
    while (line_next_of(&text, &line)) {
        user u = { .line = ++number };
        if (is_comment(line))
            continue;
        const char *wrong = line_read(line, &u);
        if (wrong)
            problem_error(ps, file, number, "%s", wrong);
        else
            user_add(file, &u, out, ps);
    }
}

static void text_free(buf *text)
{
    if (text->p)
        secret_wipe(text->p, text->capacity);
    buf_free(text);
}

fault users_load(const char *path, users *out, problems *ps)
{
    buf text = buf_new(USERS_FILE_MAX);
    fault f = file_read(AT_FDCWD, path, &text);

    *out = (users){ 0 };
    if (is_fault(f))
        f.kind = FAULT_TRY_LATER;
    else
        users_read(arena_copy(ps->arena, str_c(path)), buf_str(&text), out, ps);
    text_free(&text);
    return f;
}

void users_free(users *us)
{
    vec_free(&us->rows);
    map_free(&us->by_name);
    arena_free(&us->arena);
}

const user *users_find(const users *us, str name)
{
    arena mem = arena_new(0);
    const user *u = name.n && name.n <= USER_NAME_MAX ? map_get(&us->by_name, key_fold(name, &mem)) : NULL;
    arena_free(&mem);
    return u;
}

/* An edit of the file's text: what stands there now, and what shall. */
typedef struct edit {
    const char *path;
    int lock;
    buf before, after;
    file_owner owner;
} edit;

static fault edit_lock(edit *e)
{
    arena mem = arena_new(0);
    const char *lock = arena_printf(&mem, "%s.lock", e->path).p;
    fault f = lock_take(AT_FDCWD, lock, LOCK_MODE, "postrider user", &e->lock);
    arena_free(&mem);
    return f;
}

static fault edit_read(edit *e)
{
    struct stat st;

    e->owner.mode = NEW_FILE_MODE;
    if (stat(e->path, &st) != 0)
        return errno == ENOENT ? NO_FAULT : fault_errno("%s", e->path);
    e->owner = (file_owner){ st.st_mode & 07777, geteuid() == 0, st.st_uid, st.st_gid };
    return file_read(AT_FDCWD, e->path, &e->before);
}

static fault edit_begin(const char *path, edit *out)
{
    *out = (edit){ .path = path, .lock = -1, .before = buf_new(USERS_FILE_MAX), .after = buf_new(USERS_FILE_MAX) };
    fault f = edit_lock(out);
    return is_fault(f) ? f : edit_read(out);
}

/* Replaces the file unless there was a fault. */
static fault edit_end(edit *e, fault f)
{
    if (!is_fault(f) && e->after.overflow)
        f = fault_make(FAULT_REFUSED, "3.4", "%s would be too large", e->path);
    if (!is_fault(f))
        f = file_replace(AT_FDCWD, e->path, buf_str(&e->after), e->owner);
    text_free(&e->before);
    text_free(&e->after);
    fd_close(&e->lock);
    return f;
}

static bool line_is_of(str line, str name)
{
    return !is_comment(line) && str_equal_nocase(str_upto(line, str_find(line, ':')), name);
}

static void line_write(buf *out, str line)
{
    buf_append(out, line);
    buf_append_char(out, '\n');
}

/* The line with another password: all other fields stay as they were written. */
static void line_write_password(buf *out, str line, str password)
{
    str rest = line, name, old;

    str_cut(&rest, ':', &name);
    str_cut(&rest, ':', &old);
    buf_append(out, name);
    buf_append_char(out, ':');
    buf_append(out, password);
    buf_append_char(out, ':');
    line_write(out, rest);
}

/* Copies all lines but those of `name`, which get the password, or are left out when it is NULL. False: there are none.
 */
static bool lines_copy(edit *e, str name, const str *password)
{
    str rest = buf_str(&e->before), line;
    bool is_there = false;

    while (line_next_of(&rest, &line)) {
        bool is_it = line_is_of(line, name);
        is_there = is_there || is_it;
        if (!is_it)
            line_write(&e->after, line);
        else if (password)
            line_write_password(&e->after, line, *password);
    }
    return is_there;
}

static fault absent(str name)
{
    return fault_make(FAULT_REFUSED, "1.1", "there is no user %.*s", STR_ARG(str_upto(name, 100)));
}

static fault user_check(const user *u)
{
    if (!user_name_is_valid(u->name))
        return fault_make(FAULT_REFUSED, "1.3", "\"%.*s\" is not a name that a user can have",
                          STR_ARG(str_upto(u->name, 100)));
    if (!is_field(u->password) || !is_path(u->home) || !is_field(u->mail))
        return fault_make(FAULT_REFUSED, "1.3",
                          "a field has a colon or a control byte, or the home is no absolute path");
    return u->uid > ID_MAX || u->gid > ID_MAX ? fault_make(FAULT_REFUSED, "1.3", "the uid or gid is too large")
                                              : NO_FAULT;
}

fault users_add(const char *path, const user *u)
{
    edit e;
    fault f = user_check(u);
    if (is_fault(f))
        return f;

    f = edit_begin(path, &e);
    if (!is_fault(f) && lines_copy(&e, u->name, &u->password))
        f = fault_make(FAULT_REFUSED, "1.3", "there is a user %.*s already", STR_ARG(str_upto(u->name, 100)));
    buf_append(&e.after, u->name);
    buf_append_char(&e.after, ':');
    buf_append(&e.after, u->password);
    buf_printf(&e.after, ":%u:%u:%.*s:%.*s\n", u->uid, u->gid, STR_ARG(u->home), STR_ARG(u->mail));
    return edit_end(&e, f);
}

fault users_set_password(const char *path, str name, str password)
{
    edit e;
    if (!is_field(password))
        return fault_make(FAULT_REFUSED, "1.3", "the password's hash has a colon or a control byte");
    fault f = edit_begin(path, &e);
    if (!is_fault(f) && !lines_copy(&e, name, &password))
        f = absent(name);
    return edit_end(&e, f);
}

fault users_delete(const char *path, str name)
{
    edit e;
    fault f = edit_begin(path, &e);
    if (!is_fault(f) && !lines_copy(&e, name, NULL))
        f = absent(name);
    return edit_end(&e, f);
}
