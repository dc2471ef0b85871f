/* Messages that sendmail left in the drop folder while the suite was down. Runs in: pickup, whose root is that folder. What lies
 * there was written by anybody: it is read through a checked descriptor, copied, and removed only when its copy is durable. */
#pragma once
#include "base/map.h"
#include "daemon/daemon.h"
#include "queue/file.h"

enum {
    DROP_NAME_CHARS = 32, /* lower-case hexadecimal, 128 random bits */
    DROP_UNFINISHED_S = 86400,
    STRANGE_MAX = 1000,
    DROP_ENVELOPE_MAX = 16 * 1024 * 1024, /* what cleanup takes of a local program's recipients */
};

typedef struct pickup pickup;

/* The message that is being brought; one at a time. */
typedef struct parcel {
    char name[DROP_NAME_CHARS + 1];
    int fd;
    uid_t uid; /* of the file, who is the sender whatever the file says */
    arena arena;
    queue_message message;
    peer *cleanup; /* NULL: none is being brought */
    uint32_t ref;
} parcel;

struct pickup {
    process *process;
    int drop_fd;
    timer look;
    parcel parcel;
    map waiting; /* names that were brought in vain: not again before the next look */
    map strange; /* names that stay there and were logged */
    map brought_names; /* of files that are in the queue and could not be removed: never brought again */
    uint64_t brought, refused;
};

/* Whether a name has the one form that sendmail gives. */
bool drop_name_is_valid(const char *name);

/* Opens and reads the file; checks are made on the descriptor. False: it is not to be brought: somebody still writes it, or it
 * was set aside (not a plain file, no message). */
bool parcel_open(pickup *p, const char *name, parcel *out);
void parcel_close(parcel *k);

/* Kept as NAME.refused, never thrown away: its user was told that it is on its way. */
void parcel_set_aside(pickup *p, const char *name, uid_t uid, const char *reason);

/* Notes a name that cannot be got rid of. True: it was noted before, or there are too many: it is not logged again. */
bool parcel_is_strange(pickup *p, const char *name);

/* bring.c */
extern const talk cleanup_talk;
void bring_next(void *context); /* the folder's next message, if none is on its way */
void bring_lost(peer *p);
