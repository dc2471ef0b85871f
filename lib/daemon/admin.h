/* Where `postrider` is answered (ipc/talk/admin.h): its connections, who they are, what each may ask. Runs in: master, qmgr. Root
 * and our own uid may ask for everything, others for what is open to them, over so many connections at a time. The desk owns
 * its clients; a client is gone when its connection is. */
#pragma once
#include "base/fault.h"
#include "ipc/channel.h"
#include <sys/types.h>

enum { ADMIN_CLIENTS_MAX = 16 }; /* of a uid that is neither root nor ours */

typedef struct admin_desk admin_desk;

typedef struct admin_client {
    admin_desk *desk;
    channel channel;
    uid_t uid;
    void *context; /* the owner's */
    struct admin_client *next;
} admin_client;

typedef struct admin_verb {
    const char *name;
    bool is_open; /* to everybody */
    void (*handle)(admin_client *c, str argument);
} admin_verb;

struct admin_desk {
    loop *loop;
    void *owner;
    const char *name; /* of the conversation, for the log */
    const admin_verb *verbs;
    size_t verb_count;
    void (*on_gone)(admin_client *c); /* frees the context; may be NULL */
    admin_client *clients;
    talk talk; /* the desk's own */
};

bool admin_is_root(const admin_client *c); /* root, or our own uid */

void admin_open(admin_desk *d);                     /* its fields are set up to on_gone */
void admin_admit(admin_desk *d, int fd, uid_t uid); /* takes fd */

/* The answer: rows, then one end. */
void admin_row_put(admin_client *c, str row);
bool admin_row_put_fds(admin_client *c, str row, const int *fds, size_t count); /* takes them */
void admin_end_put(admin_client *c, fault f, uint32_t count);
void admin_more_put(admin_client *c, uint32_t count); /* an end: ask for more */
