/* The users of the user file as auth sees them: kept up to date, found by any name that they may log in with, and a
 * password hash for those who do not exist. Runs in: auth. Owns its memory; a found user lives until the next
 * directory_refresh. Fails: a damaged or unreadable file leaves the last good set in place, with its mistakes in the
 * log. */
#pragma once
#include "conf/parameters.h"
#include "db/users.h"
#include <sys/types.h>
#include <time.h>

typedef struct directory_stamp {
    bool exists;
    dev_t device;
    ino_t inode;
    off_t bytes;
    struct timespec modified, changed;
} directory_stamp;

typedef struct directory {
    const char *path;
    const config *config; /* minimum_uid, maximum_uid, mydestination */
    users users;
    bool is_loaded;       /* the file was read once, or is known not to exist */
    directory_stamp stamp;
    uint64_t looked_ms;
    uint32_t generation;  /* counts the sets that took effect */
    buf dummy;
} directory;

/* `path` and `config` must outlive it. Nothing is read yet. */
directory directory_new(const char *path, const config *c);
void directory_free(directory *d);

/* Looks at the file when the last look is a second ago, or at once. True: another set of users is in effect. */
bool directory_refresh(directory *d, uint64_t now_ms, bool at_once);

/* The user with that name, or for local@domain with a domain of mydestination the user `local`. NULL: none that may
 * have mail: unknown, or the uid is out of range, or there is no home and no mail folder. */
const user *directory_find(const directory *d, str name);

/* Where the user's mail is; the memory is the arena's. */
str directory_mail(const user *u, arena *a);

/* {SCHEME}hash as most users have it, of a password that nobody knows. */
str directory_dummy(const directory *d);
