/* postrider user: keeps the file of mail users. Runs in: postrider, as who may write that file. Passwords come from the
 * terminal or the input, never from the command line, where others could see them. */
#include "base/num.h"
#include "ctl/commands.h"
#include "ctl/common/text.h"
#include "ctl/home.h"
#include "ctl/password.h"
#include "db/users.h"
#include <errno.h>
#include <grp.h>
#include <jansson.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

typedef struct wishes {
    const char *uid, *gid, *home, *mail, *scheme;
    bool has_no_password, has_no_home;
} wishes;

static fault refused(const char *what, const char *value)
{
    return fault_make(FAULT_REFUSED, "3.5", "%s: %.100s", what, value);
}

/* A number, or the name of an account or group. */
static fault id_read(const char *text, bool is_group, uint32_t *out)
{
    uint64_t number;
    const struct passwd *p = is_group ? NULL : getpwnam(text);
    const struct group *g = is_group ? getgrnam(text) : NULL;
    if (num_parse(str_c(text), 0, INT32_MAX, &number))
        *out = (uint32_t)number;
    else if (p)
        *out = p->pw_uid;
    else if (g)
        *out = g->gr_gid;
    else
        return refused(is_group ? "there is no such group" : "there is no such account", text);
    return NO_FAULT;
}

static fault range_check(const config *c, const user *u)
{
    if (u->uid < c->minimum_uid || u->uid > c->maximum_uid)
        return fault_make(FAULT_REFUSED, "3.5", "uid %u is not within minimum_uid and maximum_uid (%ju to %ju)", u->uid,
                          (uintmax_t)c->minimum_uid, (uintmax_t)c->maximum_uid);
    return u->gid ? NO_FAULT : fault_make(FAULT_REFUSED, "3.5", "gid 0 is not for mail users");
}

/* What was not said is taken from the account of that name, if there is one, or from who calls. */
static fault user_complete(const wishes *w, arena *a, user *u)
{
    const struct passwd *own = getpwnam(arena_c(a, u->name));
    fault f = NO_FAULT;
    if (own == NULL && w->uid == NULL && geteuid() != 0)
        own = getpwuid(geteuid());
    if (own == NULL && w->uid == NULL)
        return fault_make(FAULT_REFUSED, "3.5", "say whose files the mail is to be: --uid");
    u->uid = own ? own->pw_uid : 0;
    u->gid = own ? own->pw_gid : 0;
    str home = own ? arena_copy(a, str_c(own->pw_dir)) : STR_NONE;
    if (w->uid) {
        uint32_t own_uid = u->uid;
        f = id_read(w->uid, false, &u->uid);
        const struct passwd *named = is_fault(f) ? NULL : getpwuid(u->uid);
        u->gid = named ? named->pw_gid : u->uid;
        if (own_uid != u->uid)
            home = STR_NONE;
    }
    if (w->gid && !is_fault(f))
        f = id_read(w->gid, true, &u->gid);
    u->home = w->home ? str_c(w->home) : home;
    u->mail = str_c(w->mail);
    if (!is_fault(f) && u->home.n == 0 && !str_starts(u->mail, STR("/")))
        f = fault_make(FAULT_REFUSED, "3.5", "say where the mail is to be: --home");
    return f;
}

static const char *mail_path(const user *u, arena *a)
{
    if (str_starts(u->mail, STR("/")))
        return arena_c(a, u->mail);
    return arena_printf(a, "%.*s/%.*s", STR_ARG(u->home), STR_ARG(u->mail.n ? u->mail : STR("Maildir"))).p;
}

static void buf_wipe(buf *b)
{
    if (b->p)
        secret_wipe(b->p, b->capacity);
    buf_free(b);
}

static fault hash_ask(str name, const char *scheme, buf *out)
{
    buf password = buf_new(PASSWORD_BYTES_MAX);
    fault f = password_ask(name, &password);
    if (!is_fault(f))
        f = password_hash((secret){ buf_str(&password) }, str_c(scheme), out);
    buf_wipe(&password);
    return f;
}

static fault place_make(const invocation *in, const user *u)
{
    arena a = arena_new(0);
    fault f = NO_FAULT;
    if (geteuid() == 0 || geteuid() == u->uid)
        f = home_make(arena_c(&a, u->home), mail_path(u, &a), u->uid, u->gid);
    else
        fprintf(stderr, "postrider %s: %s is not made: only root can make it for another user\n", in->name,
                mail_path(u, &a));
    arena_free(&a);
    return f;
}

static fault user_enter(const invocation *in, const config *c, const wishes *w)
{
    user u = { .name = str_c(in->argv[0]) };
    arena a = arena_new(0);
    buf hash = buf_new(2 * PASSWORD_BYTES_MAX);
    fault f = user_name_is_valid(u.name) ? user_complete(w, &a, &u) : refused("not a name that a user can have", in->argv[0]);
    if (!is_fault(f))
        f = range_check(c, &u);
    if (!is_fault(f) && !w->has_no_password)
        f = hash_ask(u.name, w->scheme, &hash);
    u.password = w->has_no_password ? STR("!") : buf_str(&hash);
    if (!is_fault(f))
        f = users_add(c->user_file.p, &u);
    if (!is_fault(f) && !w->has_no_home)
        f = place_make(in, &u);
    buf_wipe(&hash);
    arena_free(&a);
    return f;
}

static int add(invocation *in)
{
    wishes w = { 0 };
    const option_row rows[] = {
        { "uid", 'u', NULL, &w.uid },   { "gid", 'g', NULL, &w.gid },       { "home", 'd', NULL, &w.home },
        { "mail", 'm', NULL, &w.mail }, { "scheme", 's', NULL, &w.scheme }, { "locked", 'L', &w.has_no_password, NULL },
        { "no-home", 0, &w.has_no_home, NULL },
    };
    if (!options_take(in, rows, COUNT_OF(rows), 1, 1))
        return EX_USAGE;
    const config *c = command_config(in, false);
    return c ? command_fault(in, user_enter(in, c, &w)) : EX_CONFIG;
}

static int passwd(invocation *in)
{
    const char *scheme = NULL;
    bool is_locked = false;
    const option_row rows[] = { { "scheme", 's', NULL, &scheme }, { "lock", 'l', &is_locked, NULL } };
    if (!options_take(in, rows, COUNT_OF(rows), 1, 1))
        return EX_USAGE;
    const config *c = command_config(in, false);
    if (c == NULL)
        return EX_CONFIG;
    buf hash = buf_new(2 * PASSWORD_BYTES_MAX);
    fault f = is_locked ? NO_FAULT : hash_ask(str_c(in->argv[0]), scheme, &hash);
    if (!is_fault(f))
        f = users_set_password(c->user_file.p, str_c(in->argv[0]), is_locked ? STR("!") : buf_str(&hash));
    buf_wipe(&hash);
    return command_fault(in, f);
}

static int delete(invocation *in)
{
    if (!options_take(in, NULL, 0, 1, 1))
        return EX_USAGE;
    const config *c = command_config(in, false);
    return c ? command_fault(in, users_delete(c->user_file.p, str_c(in->argv[0]))) : EX_CONFIG;
}

static str scheme_of(const user *u)
{
    size_t brace = str_find(u->password, '}');
    if (u->password.n == 0 || u->password.p[0] == '!' || u->password.p[0] == '*')
        return STR("locked");
    return u->password.p[0] == '{' && brace < u->password.n ? str_upto(str_from(u->password, 1), brace - 1) : STR("CRYPT");
}

static void print_text(const users *us)
{
    for (size_t i = 0; i < us->rows.n; i++) {
        const user *u = us->rows.p[i];
        arena a = arena_new(0);
        text_print(stdout, u->name);
        printf("\t%u\t%u\t%.*s\t", u->uid, u->gid, STR_ARG(scheme_of(u)));
        text_print(stdout, str_c(mail_path(u, &a)));
        putchar('\n');
        arena_free(&a);
    }
}

static json_t *text_json(str s)
{
    json_t *text = json_stringn(s.p ? s.p : "", s.n);
    return text ? text : json_string("?"); /* not UTF-8 */
}

static void print_json(const users *us)
{
    json_t *all = json_array();
    for (size_t i = 0; i < us->rows.n; i++) {
        const user *u = us->rows.p[i];
        arena a = arena_new(0);
        json_array_append_new(all, json_pack("{s:o, s:I, s:I, s:o, s:o, s:o}", "name", text_json(u->name), "uid",
                                             (json_int_t)u->uid, "gid", (json_int_t)u->gid, "scheme",
                                             text_json(scheme_of(u)), "home", text_json(u->home), "mail",
                                             text_json(str_c(mail_path(u, &a)))));
        arena_free(&a);
    }
    json_dumpf(all, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(all);
}

static int list(invocation *in)
{
    bool is_json = false;
    const option_row rows[] = { { "json", 'j', &is_json, NULL } };
    if (!options_take(in, rows, COUNT_OF(rows), 0, 0))
        return EX_USAGE;
    const config *c = command_config(in, false);
    if (c == NULL)
        return EX_CONFIG;
    arena a = arena_new(0);
    problems ps = { .arena = &a };
    users us = { 0 };
    fault f = access(c->user_file.p, F_OK) != 0 && errno == ENOENT ? NO_FAULT : users_load(c->user_file.p, &us, &ps);
    if (!is_fault(f) && is_json)
        print_json(&us);
    else if (!is_fault(f))
        print_text(&us);
    fputs(problems_text(&ps, &a).p, stderr);
    int status = is_fault(f) ? command_fault(in, f) : ps.error_count ? EXIT_FAILED : EXIT_DONE;
    users_free(&us);
    problems_free(&ps);
    arena_free(&a);
    return status;
}

static const command commands[] = {
    { "add", "NAME [--uid ID] [--gid ID] [--home FOLDER] [--mail FOLDER] [--scheme yescrypt|sha512|plain] [--locked] [--no-home]",
      "add a user, his home and his mail folder; the password is asked for", add },
    { "passwd", "NAME [--scheme yescrypt|sha512|plain] [--lock]", "set a password", passwd },
    { "delete", "NAME", "take a user out of the file; his mail stays", delete },
    { "list", "[--json]", "list the users", list },
};

int command_users(invocation *in)
{
    in->argc--;
    in->argv++;
    return command_run(commands, COUNT_OF(commands), "postrider user", in);
}
