/* The user file: one user on a line, "name:{SCHEME}hash:uid:gid:home:mail". Home and mail may be empty; what then holds
 * is the reader's business. Lines that begin with '#' and empty lines are comments. Runs in: auth (reads), the
 * postrider command (edits). A loaded file owns its memory. Passwords are not looked at here, and never stand in a
 * fault. */
#pragma once
#include "base/arena.h"
#include "base/fault.h"
#include "base/map.h"
#include "base/vec.h"
#include "conf/problems.h"

enum { USERS_FILE_MAX = 256 * 1024 * 1024, USER_NAME_MAX = 320 };

typedef struct user {
    str name;     /* as written; found without regard to case */
    str password; /* {SCHEME}hash; empty or beginning with '!' or '*': no login */
    uint32_t uid, gid;
    str home, mail;
    unsigned line;
} user;

typedef struct users {
    arena arena;
    map by_name;      /* folded name → user */
    VEC(user *) rows; /* in the order of the file */
} users;

/* Reads the text; a broken line or a second line of one name is a problem, and is left out. users_free in any case. */
void users_read(str file, str text, users *out, problems *ps);

/* Reads the file. FAULT_TRY_LATER: it cannot be read. Broken lines are in *ps, the others count. */
fault users_load(const char *path, users *out, problems *ps);
void users_free(users *us);

const user *users_find(const users *us, str name); /* NULL: no such user */

/* A name that can stand in the file: 1 to USER_NAME_MAX bytes without ':', '/', control bytes and blanks, that does not
 * begin with '#', '-', '!' or '.'. */
bool user_name_is_valid(str name);

/* Edits, each one durable replacement of the file under its lock (path.lock); order, comments, owner and mode stay; the
 * file is made with mode 0640 when it is not there. FAULT_REFUSED: the user is there already, or is not, or a field
 * cannot be written. FAULT_TRY_LATER: somebody else edits it, or input or output failed. */
fault users_add(const char *path, const user *u);
fault users_set_password(const char *path, str name, str password);
fault users_delete(const char *path, str name);
